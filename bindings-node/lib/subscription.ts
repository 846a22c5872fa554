// The topics of a consumer.

import { invalid } from './errors.js';
import { text, typeName } from './options.js';

/** A topic, topics, or the topics whose whole name a regular expression matches. */
export type Subscription = string | readonly string[] | RegExp;

/** JavaScript flags that the pattern keeps. The others have no effect on a subscription. */
const KEPT_FLAGS = 'ims';

/** The names, or the pattern of the native half. */
export interface CheckedSubscription {
  names?: string[];
  pattern?: string;
}

/** The names, or the pattern. */
export function subscription(given: unknown): CheckedSubscription {
  if (given instanceof RegExp) {
    const flags = [...given.flags].filter((flag) => KEPT_FLAGS.includes(flag)).join('');
    return { pattern: flags === '' ? given.source : `(?${flags}:${given.source})` };
  }
  if (typeof given === 'string') {
    return { names: [text(given, 'topics')] };
  }
  if (Array.isArray(given)) {
    return { names: given.map((name, index) => text(name, `topics[${index}]`)) };
  }
  if (given !== null && typeof given === 'object' && ('topic' in given || 'topics' in given)) {
    throw invalid(
      'subscribe() takes the topics themselves, subscribe(["orders"]): autoOffsetReset of consumer() is "earliest" to read from the beginning.',
    );
  }
  throw invalid(
    `topics must be a name, an array of names or a regular expression, not ${typeName(given)}.`,
  );
}
