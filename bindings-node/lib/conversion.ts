// Wide integers and bytes, which the native half writes as text of JSON. `src/json_values.rs` has the grammar.

/** Where values stand that have to be converted. */
export type Conversion =
  | 'integer'
  | 'bytes'
  | { items: Conversion }
  | { values: Conversion }
  | { fields: [name: string, conversion: Conversion][] };

/** Makes an integer of its digits. */
type Integer = (digits: string) => bigint | number;

/** A parsed value with its conversions, which change it in place. */
export function convert(value: unknown, conversion: Conversion, integer: Integer): unknown {
  if (value === null) {
    return null;
  }
  if (conversion === 'integer') {
    return integer(value as string);
  }
  if (conversion === 'bytes') {
    return Buffer.from(value as string, 'hex');
  }
  const parts = value as Record<string, unknown>;
  if ('fields' in conversion) {
    for (const [name, field] of conversion.fields) {
      parts[name] = convert(parts[name], field, integer);
    }
    return parts;
  }
  const part = 'items' in conversion ? conversion.items : conversion.values;
  for (const key of Object.keys(parts)) {
    parts[key] = convert(parts[key], part, integer);
  }
  return parts;
}
