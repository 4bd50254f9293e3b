import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { Strings, sizeOf, type Tensor } from '../tensor/index.ts'
import { filled } from './elementwise.ts'
import { checkedSize, stepsOf } from './layout.ts'
import { type Sparse, sparseOf } from './sparse/coo.ts'

// How many elements of a sequence have to be put in, taken out or replaced to make another one of it, after
// core/kernels/edit_distance_op.cc: the sequences are the entries along the last dimension of two sparse tensors.

/** Something that is equal for equal elements: a number, or the bytes of a string as text. */
type Element = number | bigint | string

function elementsOf({ dtype, data }: Tensor): readonly Element[] {
  if (dtype === 'resource' || dtype === 'variant') throw new TypeError(`a ${dtype} cannot be compared`)
  if (!(data instanceof Strings)) return Array.from(data as ArrayLike<number | bigint>)
  return Array.from({ length: data.length }, (_, i) => String.fromCharCode(...data.at(i)))
}

function distance(from: readonly Element[], to: readonly Element[]): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (const [i, element] of from.entries()) {
    const next = [i + 1]
    for (const [j, other] of to.entries())
      next.push(Math.min(next[j] + 1, row[j + 1] + 1, row[j] + (element === other ? 0 : 1)))
    row = next
  }
  return row[to.length]
}

function sideOf(call: Call, first: number, what: string): Sparse {
  const [indices, values, shape] = call.inputs.slice(first, first + 3)
  const sparse = sparseOf(indices, values, shape)
  if (sparse.rank < 2)
    throw new InvalidArgumentError(
      `Input SparseTensors must have rank at least 2, but ${what}_shape rank is: ${sparse.rank}`,
    )
  return sparse
}

/** The sequences by the position that their first coordinates name among `steps`. */
function sequences(
  { indices, values, rank, count }: Sparse,
  outer: readonly number[],
  what: string,
): Map<number, Element[]> {
  const [steps, elements] = [stepsOf(outer), elementsOf(values)]
  const found = new Map<number, Element[]>()
  for (let i = 0; i < count; i++) {
    let at = 0
    for (let d = 0; d < rank - 1; d++) {
      const place = indices[i * rank + d]
      if (!(place >= 0 && place < outer[d]))
        throw new InvalidArgumentError(`${what} index ${place} is out of bounds of [${outer}]`)
      at += place * steps[d]
    }
    const sequence = found.get(at)
    if (sequence === undefined) found.set(at, [elements[i]])
    else sequence.push(elements[i])
  }
  return found
}

const editDistance: Op = {
  evaluate(call) {
    const [hypothesis, truth] = [sideOf(call, 0, 'hypothesis'), sideOf(call, 3, 'truth')]
    if (hypothesis.rank !== truth.rank)
      throw new InvalidArgumentError(
        `Expected hypothesis_shape of truth's rank, got ${hypothesis.rank} and ${truth.rank}`,
      )
    const outer = truth.shape.slice(0, -1).map((dim, d) => Math.max(dim, hypothesis.shape[d]))
    checkedSize(outer, 'output shape')
    const normalize = call.attrs.boolean('normalize', true)
    const [guesses, answers] = [sequences(hypothesis, outer, 'hypothesis'), sequences(truth, outer, 'truth')]
    return filled('float32', outer, (out) => {
      for (let i = 0; i < sizeOf(outer); i++) {
        const [guess, answer] = [guesses.get(i), answers.get(i)]
        if (answer === undefined) out[i] = guess === undefined ? 0 : normalize ? Infinity : guess.length
        else if (guess === undefined) out[i] = normalize ? 1 : answer.length
        else out[i] = distance(answer, guess) / (normalize ? answer.length : 1)
      }
    })
  },
}

export const ops: Readonly<Record<string, Op>> = { EditDistance: editDistance }
