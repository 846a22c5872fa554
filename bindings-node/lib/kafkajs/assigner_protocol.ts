// The subscription and the assignment of a member, in the encoding of Kafka's consumer protocol: numbers big-endian,
// strings behind a length of two bytes, arrays and bytes behind one of four.

import type { Assignment, ISerializer, MemberAssignment, MemberMetadata } from './types.js';

const NOTHING = Buffer.alloc(0);

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}

function bytes(value: Buffer): Buffer {
  return Buffer.concat([int32(value.length), value]);
}

function array<T>(items: readonly T[], encode: (item: T) => Buffer): Buffer {
  return Buffer.concat([int32(items.length), ...items.map(encode)]);
}

/** Reads from the start of a buffer to its end. */
class Reader {
  private at = 0;

  constructor(private readonly buffer: Buffer) {}

  get left(): number {
    return this.buffer.length - this.at;
  }

  int16(): number {
    this.at += 2;
    return this.buffer.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.buffer.readInt32BE(this.at - 4);
  }

  string(): string {
    return this.take(this.int16()).toString();
  }

  bytes(): Buffer {
    return this.take(Math.max(0, this.int32()));
  }

  array<T>(read: () => T): T[] {
    const length = this.int32();
    return Array.from({ length: Math.max(0, length) }, read);
  }

  private take(length: number): Buffer {
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }
}

const metadata: ISerializer<MemberMetadata> = {
  encode: ({ version, topics, userData = NOTHING }) =>
    Buffer.concat([int16(version), array(topics, string), bytes(userData)]),
  decode: (buffer) => {
    const reader = new Reader(buffer);
    return {
      version: reader.int16(),
      topics: reader.array(() => reader.string()),
      userData: reader.bytes(),
    };
  },
};

const assignment: ISerializer<MemberAssignment> = {
  encode: ({ version, assignment, userData = NOTHING }) =>
    Buffer.concat([
      int16(version),
      array(Object.entries(assignment), ([topic, partitions]) =>
        Buffer.concat([string(topic), array(partitions, int32)]),
      ),
      bytes(userData),
    ]),
  decode: (buffer) => {
    const reader = new Reader(buffer);
    if (reader.left < 2) {
      return null;
    }
    const version = reader.int16();
    const topics = reader.array((): [string, number[]] => [
      reader.string(),
      reader.array(() => reader.int32()),
    ]);
    const assigned: Assignment = Object.fromEntries(topics);
    return { version, assignment: assigned, userData: reader.bytes() };
  },
};

/** Encodes and decodes the subscription and the assignment of a member. */
export const AssignerProtocol = { MemberMetadata: metadata, MemberAssignment: assignment };
