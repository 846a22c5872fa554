// A client's script is called as `node CLIENT.mjs OPERATION`, with its arguments as JSON in the first line of the
// input. It prints its result, or the events of a consumer, as lines of JSON.
import { createInterface } from 'node:readline'

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

// An operation that the client, rather than the broker, lacks.
export class Cannot extends Error {}

export function emit (event) {
  process.stdout.write(JSON.stringify(event) + '\n')
}

export function report (error) {
  emit(error instanceof Cannot ? { cannot: error.message } : { error: String(error.stack ?? error) + causes(error) })
}

const text = bytes => (bytes == null ? null : Buffer.from(bytes).toString('base64'))

// Bytes are transferred as base64; null stays null.
export const bytes = base64 => (base64 === null ? null : Buffer.from(base64, 'base64'))

export function emitRecord (partition, offset, timestamp, key, value, headers) {
  emit({
    record: {
      partition,
      offset: Number(offset),
      timestamp: Number(timestamp),
      key: text(key),
      value: text(value),
      headers: headers.map(([name, held]) => [name.toString(), text(held)])
    }
  })
}

// Serve the consumer's caller, line by line, until it sends `close` or ends.
export async function obey ({ commit, close }) {
  for await (const line of input) {
    if (line === 'close') break
    await commit()
    emit({ committed: true })
  }
  await close()
}

export async function run (operations) {
  const name = process.argv[2]
  try {
    if (!operations[name]) throw new Cannot(`it has no ${name}`)
    emit({ result: (await operations[name](JSON.parse((await input.next()).value))) ?? null })
    process.exit(0)
  } catch (error) {
    report(error)
    process.exit(1)
  }
}

// The clients wrap the broker's error in their own errors.
function causes (error) {
  const inner = error.errors ?? (error.cause ? [error.cause] : [])
  return inner.map(one => `\ncaused by ${one.stack ?? one}${causes(one)}`).join('')
}
