// What is sent: random bytes, which do not compress.

import { randomBytes } from 'node:crypto';

const BLOCK_BYTES = 10_000_000;

/** Values of random bytes: views into blocks. */
export function randomValues(count, size) {
  const block = randomBytes(BLOCK_BYTES);
  const places = BLOCK_BYTES - size + 1;
  // A step that has no divisor in common with the places goes through all of them before one repeats.
  let at = 0;
  return Array.from({ length: count }, () => {
    at = (at + 7_368_787) % places;
    return block.subarray(at, at + size);
  });
}
