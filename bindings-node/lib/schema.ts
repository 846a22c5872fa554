// The fields of values: an object of names and dtypes, or a schema of apache-arrow.
//
// The native half takes the text of such an object.

import type { Schema as ArrowSchema, DataType } from 'apache-arrow';
import { invalid } from './errors.js';
import { type Check, typeName } from './options.js';

/** A type: its name ("int64", "timestamp[ms, UTC]"), an object of fields, or a list of the type of its items. */
export type Dtype = string | readonly [Dtype] | DtypeFields;

/** The names of fields with their types. */
export interface DtypeFields {
  readonly [name: string]: Dtype;
}

/**
 * The fields of a value: an object such as `{ delay: 'int64', origin: { code: 'string' }, stops: ['string'] }`, or a
 * schema of apache-arrow.
 */
export type Schema = DtypeFields | ArrowSchema;

/** Dtypes whose values are a `number`. */
export type NumberName =
  | 'float'
  | 'double'
  | `float${16 | 32 | 64}`
  | `int${8 | 16 | 32}`
  | `uint${8 | 16 | 32}`;
/** Dtypes whose values are a `bigint`. */
export type BigIntName = 'int' | 'integer' | 'int64' | 'uint64';
/** Dtypes whose values are a `boolean`. */
export type BooleanName = 'bool' | 'boolean';
/** Dtypes whose values are a `Buffer`. */
export type BytesName = 'bytes' | 'binary' | 'large_binary' | 'binary_view';
/** Dtypes whose values are a `string`. */
export type TextName =
  | 'str'
  | 'string'
  | 'text'
  | 'utf8'
  | `${'large_' | ''}${'string' | 'utf8'}`
  | `${'string' | 'utf8'}_view`
  | 'categorical'
  | 'category'
  | `${'date' | 'time' | 'duration' | 'decimal'}${string}`;

/** The TypeScript type of a dtype. */
export type DtypeValue<T> = T extends NumberName
  ? number
  : T extends BigIntName
    ? bigint
    : T extends BooleanName
      ? boolean
      : T extends BytesName
        ? Buffer
        : T extends TextName
          ? string
          : T extends 'null'
            ? null
            : T extends readonly [infer Item]
              ? (DtypeValue<Item> | null)[]
              : T extends DtypeFields
                ? SchemaValue<T>
                : // biome-ignore lint/suspicious/noExplicitAny: a type that only its text names
                  any;

/** The TypeScript type of a schema: an object with all its fields, each of which may be null. */
export type SchemaValue<S> = { -readonly [Name in keyof S]: DtypeValue<S[Name]> | null };

/** The text of a schema. */
export const schema: Check<string> = (value, name) => {
  if (isArrowSchema(value)) {
    return arrowFields(value.fields);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw invalid(
      `${name} must be an object of names and dtypes or a Schema of apache-arrow, not ${typeName(value)}.`,
    );
  }
  checkDtypes(value, name);
  return JSON.stringify(value);
};

/** Also of a copy of apache-arrow that another module has loaded. */
function isArrowSchema(value: unknown): value is ArrowSchema {
  const tag = (value as Partial<ArrowSchema> | null | undefined)?.[Symbol.toStringTag];
  return tag === 'Schema' && Array.isArray((value as ArrowSchema).fields);
}

/** Refuses what `JSON.stringify` would leave out or change. */
function checkDtypes(value: unknown, name: string): void {
  if (typeof value === 'string') {
    return;
  }
  if (value === null || typeof value !== 'object') {
    throw invalid(
      `${name} must be a dtype ("int64", "string", ...), an object of fields or a list of one dtype, not ${typeName(value)}.`,
    );
  }
  for (const [key, field] of Object.entries(value)) {
    checkDtypes(field, Array.isArray(value) ? `${name}[${key}]` : `${name}.${key}`);
  }
}

function arrowFields(fields: readonly { name: string; type: DataType }[]): string {
  const pairs = fields.map(({ name, type }) => `${JSON.stringify(name)}:${arrowType(name, type)}`);
  return `{${pairs.join(',')}}`;
}

/** The numbers that apache-arrow gives its types. */
enum TypeId {
  Dictionary = -1,
  Null = 1,
  Int = 2,
  Float = 3,
  Binary = 4,
  Utf8 = 5,
  Bool = 6,
  Decimal = 7,
  Date = 8,
  Time = 9,
  Timestamp = 10,
  List = 12,
  Struct = 13,
  Duration = 18,
  LargeBinary = 19,
  LargeUtf8 = 20,
  BinaryView = 23,
  Utf8View = 24,
}

const PLAIN_NAMES: { [id: number]: string } = {
  [TypeId.Null]: 'null',
  [TypeId.Binary]: 'binary',
  [TypeId.Utf8]: 'string',
  [TypeId.Bool]: 'bool',
  [TypeId.LargeBinary]: 'large_binary',
  [TypeId.LargeUtf8]: 'large_string',
  [TypeId.BinaryView]: 'binary_view',
  [TypeId.Utf8View]: 'string_view',
};

/** The properties of the classes of types. Each class has some. */
interface TypeParts {
  bitWidth: number;
  isSigned: boolean;
  precision: number;
  scale: number;
  unit: number;
  timezone?: string | null;
  children: { name: string; type: DataType }[];
  dictionary: DataType;
}

/** A type of apache-arrow as text of JSON. */
function arrowType(name: string, type: DataType): string {
  const parts = type as unknown as TypeParts;
  switch (type.typeId as number) {
    case TypeId.Struct:
      return arrowFields(parts.children);
    case TypeId.List: {
      const [item] = parts.children;
      return item === undefined ? unsupported(name, type) : `[${arrowType(name, item.type)}]`;
    }
    default:
      return JSON.stringify(arrowName(parts, type) ?? unsupported(name, type));
  }
}

function arrowName(parts: TypeParts, type: DataType): string | undefined {
  const unit = ['s', 'ms', 'us', 'ns'][parts.unit];
  switch (type.typeId as number) {
    case TypeId.Int:
      return `${parts.isSigned ? 'int' : 'uint'}${parts.bitWidth}`;
    case TypeId.Float:
      return [undefined, 'float32', 'float64'][parts.precision];
    case TypeId.Decimal:
      return parts.bitWidth === 128 ? `decimal(${parts.precision}, ${parts.scale})` : undefined;
    case TypeId.Date:
      return ['date32', 'date64'][parts.unit];
    case TypeId.Time:
      return `time[${unit}]`;
    case TypeId.Timestamp:
      return parts.timezone ? `timestamp[${unit}, ${parts.timezone}]` : `timestamp[${unit}]`;
    case TypeId.Duration:
      return `duration[${unit}]`;
    case TypeId.Dictionary:
      return (parts.dictionary.typeId as number) === TypeId.Utf8 ? 'categorical' : undefined;
    default:
      return PLAIN_NAMES[type.typeId as number];
  }
}

function unsupported(name: string, type: DataType): never {
  throw invalid(
    `The field \`${name}\` of the schema has type ${type}, which values cannot be read as: use for example Int64, Float64, Utf8, List or Struct.`,
  );
}
