import type { Datapoint } from './datapoint.ts'
import { checkText } from './restricts.ts'

// One item, as an index takes it and gives it back.

/**
 * @param width numbers of a vector of the index
 * @throws {TypeError | RangeError} where it cannot be searched
 */
export function checkItem({ id, embedding }: Datapoint, width: number): void {
  const name = `item ${JSON.stringify(id)}`
  if (typeof id !== 'string' || id === '') throw new RangeError('an item must have an id that is not empty')
  checkText('an id', id)
  if (!(embedding instanceof Float32Array))
    throw new TypeError(`${name}: its vector must be a Float32Array; of other numbers make one by Float32Array.from`)
  if (embedding.length === 0) throw new RangeError(`${name}: its vector has no numbers`)
  if (embedding.length !== width)
    throw new RangeError(`${name}: its vector has ${embedding.length} numbers, those of this index have ${width}`)
  const wrong = embedding.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0)
    throw new RangeError(`${name}: number ${wrong} of its vector is ${embedding[wrong]}, it must be finite`)
}

/** An item whose vector is its holder's own. */
export const copyOf = (item: Datapoint): Datapoint => ({ ...item, embedding: item.embedding.slice() })
