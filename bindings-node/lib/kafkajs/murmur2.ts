// The hash of keys that partitioners use.

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** The bytes of a key. */
function bytesOf(key: Buffer | string): Uint8Array {
  return typeof key === 'string' ? Buffer.from(key) : key;
}

/** The word of up to four bytes at `at`, little-endian. Missing bytes are 0. */
function word(data: Uint8Array, at: number): number {
  const byte = (index: number) => data[at + index] ?? 0;
  return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24);
}

/** MurmurHash2 as Java's client computes it. */
export function murmur2(key: Buffer | string): number {
  const data = bytesOf(key);
  const whole = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(word(data, at), M);
    k = Math.imul(k ^ (k >>> R), M);
    hash = Math.imul(hash, M) ^ k;
  }
  if (whole < data.length) {
    hash = Math.imul(hash ^ word(data, whole), M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

/**
 * The hash of kafkajs before 2.0, which differs from Java's: products are doubles, not 32-bit integers, and the bytes
 * after the last whole word are hashed twice. Keys keep the partition that it gave them only if it stays so.
 */
export function legacyMurmur2(key: Buffer | string): number {
  const data = bytesOf(key);
  const whole = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let at = 0; at < data.length; at += 4) {
    let k = word(data, at) * M;
    k = (k ^ (k >>> R)) * M;
    hash = (hash * M) ^ k;
  }
  if (whole < data.length) {
    hash = (hash ^ word(data, whole)) * M;
  }
  hash = (hash ^ (hash >>> 13)) * M;
  return hash ^ (hash >>> 15);
}
