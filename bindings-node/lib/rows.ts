// Writes messages into one buffer for the native half. `src/convert/rows.rs` documents the layout.

import { invalid } from './errors.js';
import type { EncodedMessage } from './records.js';

const FIRST_SIZE = 64 << 10;

/** A buffer that grows. */
class Writer {
  private buffer = Buffer.allocUnsafe(FIRST_SIZE);
  private end = 0;

  byte(value: number): void {
    this.reserve(1);
    this.end = this.buffer.writeUInt8(value, this.end);
  }

  short(value: number): void {
    this.reserve(2);
    this.end = this.buffer.writeUInt16LE(value, this.end);
  }

  int(value: number): void {
    this.reserve(4);
    this.end = this.buffer.writeInt32LE(value, this.end);
  }

  double(value: number): void {
    this.reserve(8);
    this.end = this.buffer.writeDoubleLE(value, this.end);
  }

  bytes(value: string | Uint8Array): void {
    // A UTF-16 code unit takes at most three bytes in UTF-8.
    const most = typeof value === 'string' ? value.length * 3 : value.length;
    this.reserve(most + 4);
    const at = this.end + 4;
    let length: number;
    if (typeof value === 'string') {
      length = this.buffer.write(value, at, 'utf8');
    } else {
      this.buffer.set(value, at);
      length = value.length;
    }
    this.buffer.writeUInt32LE(length, this.end);
    this.end = at + length;
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  private reserve(bytes: number): void {
    const needed = this.end + bytes;
    if (needed <= this.buffer.length) {
      return;
    }
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.end);
    this.buffer = larger;
  }
}

/** Writes the messages into one buffer. */
export function writeRows(messages: EncodedMessage[]): Buffer {
  const writer = new Writer();
  for (const [row, message] of messages.entries()) {
    writeRow(writer, message, row);
  }
  return writer.finish();
}

function writeRow(writer: Writer, message: EncodedMessage, row: number): void {
  const { key, value, headers, timestamp, partition } = message;
  if (headers.length > 0xffff) {
    throw invalid(`messages[${row}] has ${headers.length} headers: the maximum is 65535.`);
  }
  writer.byte(
    (key === undefined ? 0 : 1) +
      (value === undefined ? 0 : 2) +
      (timestamp === undefined ? 0 : 4) +
      (partition === undefined ? 0 : 8),
  );
  if (timestamp !== undefined) {
    writer.double(timestamp);
  }
  if (partition !== undefined) {
    writer.int(partition);
  }
  if (key !== undefined) {
    writer.bytes(key);
  }
  if (value !== undefined) {
    writer.bytes(value);
  }
  writer.short(headers.length);
  for (const [name, bytes] of headers) {
    writer.bytes(name);
    writer.byte(bytes === undefined ? 0 : 1);
    if (bytes !== undefined) {
      writer.bytes(bytes);
    }
  }
}
