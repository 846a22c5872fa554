// Messages of the engine in the words of this package. The engine's messages name the arguments of the Python package.

/** Phrases of messages, and the same in the words of this package. */
const PHRASES: readonly (readonly [string, string])[] = [
  ['with if_exists="ignore"', "with ifExists: 'ignore'"],
  ['add partitions with alter_topic', 'add partitions with alterTopic()'],
  ['insist with allow_insecure', 'insist with allowInsecure: true'],
  ['pass the function oauth_token, or set', 'set'],
  [
    'requires the function oauth_token, which is missing: pass it, or set',
    'requires a function that returns tokens, which this package does not take: set',
  ],
];

/** The message in the words of this package. */
export function inOurWords(message: string): string {
  return PHRASES.reduce((text, [phrase, ours]) => text.replaceAll(phrase, ours), message);
}
