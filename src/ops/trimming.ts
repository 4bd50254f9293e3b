import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Call, Op } from '../graph/index.ts'
import { StringsBuilder, type Tensor, tensor } from '../tensor/index.ts'
import { integer, integersOf, integerTensor } from './integers.ts'
import { text } from './strings.ts'
import { take } from './tables/static.ts'
import { join } from './text/bytes.ts'
import { checkSplits, int64 } from './tokens.ts'

// Rows of tokens made fit for a model: segments trimmed to a common length, neighbours joined. After tensorflow_text's
// core/kernels/round_robin_trimmer.h and ngrams_kernel_template.h.

/**
 * How much of each segment of a row stays: short segments whole, the others the same share of what is left, and what
 * remains of that goes to the first ones.
 */
function shares(sizes: readonly number[], most: number): number[] {
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[a] - sizes[b])
  const kept = sizes.map(() => 0)
  let left = most
  let whole = 0
  for (const i of order) {
    if (sizes[i] * (sizes.length - whole) > left) break
    kept[i] = sizes[i]
    left -= sizes[i]
    whole++
  }
  if (whole < sizes.length) {
    const share = Math.floor(left / (sizes.length - whole))
    for (const i of order.slice(whole)) {
      kept[i] = share
      left -= share
    }
  }
  for (let i = 0; i < sizes.length && left > 0; i++) {
    if (kept[i] >= sizes[i]) continue
    kept[i]++
    left--
  }
  return kept
}

const segmentsOf = (attrs: Attrs): number => attrs.number('N')

/** Row splits of all segments, and how much of each row of each stays. */
function trimmed(call: Call): { readonly splits: number[][]; readonly kept: number[][] } {
  const count = segmentsOf(call.attrs)
  const most = Math.max(0, integer(call, 0, 'max_sequence_length'))
  const splits = Array.from({ length: count }, (_, i) => integersOf(call.inputs[1 + count + i], 'input_row_splits'))
  splits.forEach((ends, i) => {
    checkSplits(ends, call.inputs[1 + i].shape[0] ?? 0)
    if (ends.length !== splits[0].length)
      throw new InvalidArgumentError(`segments of ${splits[0].length - 1} and of ${ends.length - 1} rows`)
  })
  const kept: number[][] = []
  for (let row = 0; row + 1 < splits[0].length; row++) {
    const sizes = splits.map((ends) => ends[row + 1] - ends[row])
    kept.push(shares(sizes, most))
  }
  return { splits, kept }
}

const trim: Op = {
  outputs: (attrs) => [
    ['values', segmentsOf(attrs)],
    ['row_splits', segmentsOf(attrs)],
  ],
  evaluate(call) {
    const { splits, kept } = trimmed(call)
    const values: Tensor[] = []
    const rows: Tensor[] = []
    splits.forEach((ends, segment) => {
      const places: number[] = []
      const newEnds = [0]
      kept.forEach((used, row) => {
        for (let i = 0; i < used[segment]; i++) places.push(ends[row] + i)
        newEnds.push(places.length)
      })
      values.push(take(call.inputs[1 + segment], places))
      rows.push(integerTensor(call.inputs[1 + splits.length + segment].dtype, [newEnds.length], newEnds))
    })
    return [...values, ...rows]
  },
}

const masks: Op = {
  outputs: (attrs) => [['masks', segmentsOf(attrs)]],
  evaluate(call) {
    const { splits, kept } = trimmed(call)
    return splits.map((ends, segment) => {
      const mask = new Uint8Array(ends[ends.length - 1] - ends[0])
      let at = 0
      kept.forEach((used, row) => {
        mask.fill(1, at, at + used[segment])
        at += ends[row + 1] - ends[row]
      })
      return tensor('bool', [mask.length], mask)
    })
  },
}

/** Every `width` neighbours of a row in one; of a dense tensor the rows are its last dimension. */
const ngrams: Op = {
  outputs: (attrs) => [
    ['output_values', 1],
    ['output_row_splits', attrs.number('RAGGED_RANK')],
  ],
  evaluate(call) {
    const { shape, data } = text(call, 0)
    const [width, axis] = [call.attrs.number('width'), call.attrs.number('axis')]
    if (axis !== -1) throw new InvalidArgumentError(`axis != -1: ${axis}`)
    if (width < 1) throw new InvalidArgumentError(`width must be at least 1, got ${width}`)
    const separator = call.attrs.bytes('string_separator')
    const dense = call.inputs.length === 1
    const last = shape[shape.length - 1] ?? 1
    if (dense && shape.length === 0) throw new InvalidArgumentError('input_values must have a dimension')
    const splits = dense
      ? Array.from({ length: last === 0 ? 1 : data.length / last + 1 }, (_, i) => i * last)
      : integersOf(call.inputs[call.inputs.length - 1], 'input_row_splits')
    checkSplits(splits, data.length)
    const out = new StringsBuilder(data.length)
    const ends = [0]
    for (let row = 0; row + 1 < splits.length; row++) {
      for (let i = splits[row]; i + width <= splits[row + 1]; i++) {
        out.push(
          join(
            Array.from({ length: width }, (_, j) => data.at(i + j)),
            separator,
          ),
        )
      }
      ends.push(out.length)
    }
    const values = out.finish()
    if (dense) return tensor('string', [...shape.slice(0, -1), Math.max(0, last - width + 1)], values)
    return [tensor('string', [values.length], values), ...call.inputs.slice(1, -1), int64(ends)]
  },
}

export const ops: Readonly<Record<string, Op>> = {
  'TFText>RoundRobinTrim': trim,
  'TFText>RoundRobinGenerateMasks': masks,
  'TFText>NgramsStringJoin': ngrams,
}
