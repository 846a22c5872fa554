// Records in one buffer from the native half, read in place. `src/flat.rs` documents the layout.

import { type Conversion, convert } from './conversion.js';
import type { Format } from './formats.js';

/** The indexes of the sections in the header. */
enum Section {
  Partitions = 2,
  Offsets = 3,
  Timestamps = 4,
  KeyEnds = 5,
  ValueEnds = 8,
  HeaderEnds = 11,
  HeaderNameEnds = 12,
  HeaderNameBytes = 13,
  HeaderValueEnds = 14,
  TopicIndexes = 17,
  TopicEnds = 18,
  TopicBytes = 19,
  ValueConversion = 20,
}

const HEADER = 21;

/** The cells of a column of bytes. */
class Cells {
  private readonly ends: Uint32Array;
  private readonly nulls: Uint8Array;
  private readonly start: number;

  constructor(
    private readonly bytes: Buffer,
    header: Uint32Array,
    first: Section,
    rows: number,
    private readonly conversion?: Conversion,
  ) {
    const { buffer, byteOffset } = bytes;
    this.ends = new Uint32Array(buffer, byteOffset + (header[first] as number), rows + 1);
    this.nulls = new Uint8Array(buffer, byteOffset + (header[first + 1] as number), rows);
    this.start = header[first + 2] as number;
  }

  /** The bytes of a row: a view, not a copy. */
  raw(row: number): Buffer | null {
    if (this.nulls[row] === 1) {
      return null;
    }
    const { start } = this;
    return this.bytes.subarray(
      start + (this.ends[row] as number),
      start + (this.ends[row + 1] as number),
    );
  }

  text(row: number): string | null {
    if (this.nulls[row] === 1) {
      return null;
    }
    const { start } = this;
    return this.bytes.toString(
      'utf8',
      start + (this.ends[row] as number),
      start + (this.ends[row + 1] as number),
    );
  }

  /** A key or a value. 64-bit integers of an Arrow type are `bigint` if they are `exact`. */
  get(row: number, format: Format, exact = false): unknown {
    if (format === 'bytes') {
      return this.raw(row);
    }
    const text = this.text(row);
    if (format === 'string' || text === null) {
      return text;
    }
    const { conversion } = this;
    const value: unknown = JSON.parse(text);
    return conversion === undefined ? value : convert(value, conversion, exact ? BigInt : Number);
  }
}

/** A header: its name and its value. Names may repeat. */
export type Header = [name: string, value: Buffer | null];

/** The records of a buffer. */
export class Flat {
  readonly rows: number;
  readonly partitions: Int32Array | undefined;
  readonly offsets: BigInt64Array | undefined;
  readonly timestamps: Float64Array | undefined;
  readonly keys: Cells | undefined;
  readonly values: Cells | undefined;
  private readonly header: Uint32Array;
  private readonly topics: string[];
  private readonly topicIndexes: Int32Array | undefined;

  constructor(private readonly bytes: Buffer) {
    const { buffer, byteOffset } = bytes;
    const header = new Uint32Array(buffer, byteOffset, HEADER);
    this.header = header;
    const rows = header[0] as number;
    this.rows = rows;
    const at = (section: Section) => byteOffset + (header[section] as number);
    const has = (section: Section) => this.has(section);
    this.partitions = has(Section.Partitions)
      ? new Int32Array(buffer, at(Section.Partitions), rows)
      : undefined;
    this.offsets = has(Section.Offsets)
      ? new BigInt64Array(buffer, at(Section.Offsets), rows)
      : undefined;
    this.timestamps = has(Section.Timestamps)
      ? new Float64Array(buffer, at(Section.Timestamps), rows)
      : undefined;
    this.keys = has(Section.KeyEnds) ? new Cells(bytes, header, Section.KeyEnds, rows) : undefined;
    this.values = has(Section.ValueEnds)
      ? new Cells(bytes, header, Section.ValueEnds, rows, this.valueConversion())
      : undefined;
    this.topicIndexes = has(Section.TopicIndexes)
      ? new Int32Array(buffer, at(Section.TopicIndexes), rows)
      : undefined;
    this.topics = this.topicNames();
  }

  topic(row: number): string | undefined {
    return this.topics[this.topicIndexes === undefined ? 0 : (this.topicIndexes[row] as number)];
  }

  headers(row: number): Header[] | undefined {
    if (!this.has(Section.HeaderEnds)) {
      return undefined;
    }
    const { bytes, header, rows } = this;
    const ends = new Uint32Array(
      bytes.buffer,
      bytes.byteOffset + (header[Section.HeaderEnds] as number),
      rows + 1,
    );
    const [first, last] = [ends[row] as number, ends[row + 1] as number];
    if (first === last) {
      return [];
    }
    const all = ends[rows] as number;
    const values = new Cells(bytes, header, Section.HeaderValueEnds, all);
    const headers: Header[] = [];
    for (let index = first; index < last; index++) {
      const name = this.words(Section.HeaderNameEnds, Section.HeaderNameBytes, index);
      headers.push([name, values.raw(index)]);
    }
    return headers;
  }

  private valueConversion(): Conversion | undefined {
    return this.has(Section.ValueConversion)
      ? JSON.parse(this.bytes.toString('utf8', this.header[Section.ValueConversion]))
      : undefined;
  }

  private has(section: Section): boolean {
    return (((this.header[1] as number) >>> section) & 1) === 1;
  }

  private words(ends: Section, bytes: Section, index: number): string {
    const at = (this.header[ends] as number) + index * 4;
    const start = this.header[bytes] as number;
    return this.bytes.toString(
      'utf8',
      start + this.bytes.readUInt32LE(at),
      start + this.bytes.readUInt32LE(at + 4),
    );
  }

  private topicNames(): string[] {
    if (!this.has(Section.TopicEnds)) {
      return [];
    }
    const count =
      ((this.header[Section.TopicBytes] as number) - (this.header[Section.TopicEnds] as number)) /
      4;
    const names: string[] = [];
    // The section is padded to a multiple of 8 bytes: the names after the last are empty, and no row refers to them.
    for (let index = 0; index + 1 < count; index++) {
      names.push(this.words(Section.TopicEnds, Section.TopicBytes, index));
    }
    return names;
  }
}
