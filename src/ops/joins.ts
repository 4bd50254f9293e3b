import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { Strings, StringsBuilder, sameShape, sizeOf, tensor } from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { integers, integersOf } from './integers.ts'
import { stepsOf } from './layout.ts'
import { text } from './strings.ts'
import { join } from './text/bytes.ts'

// Strings put together, after core/kernels/string_join_op.cc, reduce_join_op.cc, string_ngrams_op.cc and
// unsorted_segment_join_op.cc.

/** Inputs are scalars, which stand for every element, or of one shape. */
const stringJoin: Op = {
  evaluate(call) {
    const inputs = call.inputs.map((_, i) => text(call, i))
    const separator = call.attrs.bytes('separator', new Uint8Array(0))
    const shape = inputs.find((input) => input.shape.length > 0)?.shape ?? []
    for (const input of inputs) {
      if (input.shape.length > 0 && !sameShape(input.shape, shape)) {
        throw new InvalidArgumentError(`Input shapes do not match: [${shape}] and [${input.shape}]`)
      }
    }
    const size = inputs.find((input) => input.shape.length > 0)?.data.length ?? 1
    const out = new StringsBuilder(size)
    for (let i = 0; i < size; i++)
      out.push(
        join(
          inputs.map(({ shape, data }) => data.at(shape.length === 0 ? 0 : i)),
          separator,
        ),
      )
    return tensor('string', shape, out.finish())
  },
}

const reduceJoin: Op = {
  evaluate(call) {
    const x = text(call, 0)
    const rank = x.shape.length
    const axes = integers(call, 1, 'reduction_indices').map((axis) => axisOf(axis, rank, 'reduction dim'))
    if (new Set(axes).size !== axes.length) throw new InvalidArgumentError(`Duplicate reduction dimension in [${axes}]`)
    const separator = call.attrs.bytes('separator', new Uint8Array(0))
    const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
    const steps = stepsOf(x.shape)
    const offsets = (over: readonly number[]) =>
      over.reduce<number[]>(
        (all, axis) =>
          all.flatMap((offset) => Array.from({ length: x.shape[axis] }, (_, i) => offset + i * steps[axis])),
        [0],
      )
    // The axis that is named first runs fastest.
    const inner = offsets([...axes].reverse())
    const out = new StringsBuilder()
    for (const start of offsets(kept))
      out.push(
        join(
          inner.map((offset) => x.data.at(start + offset)),
          separator,
        ),
      )
    const keepDims = call.attrs.boolean('keep_dims', false)
    const shape = keepDims
      ? x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
      : kept.map((axis) => x.shape[axis])
    return tensor('string', shape, out.finish())
  },
}

/**
 * N-grams of each row of a ragged tensor of tokens, widths one after the other (kernels/string_ngrams_op.cc). An empty
 * row has those of its padding, unless all rows are empty: then there are none.
 */
const ngrams: Op = {
  outputs: ['ngrams', 'ngrams_splits'],
  evaluate(call) {
    const data = text(call, 0)
    const splits = integersOf(call.inputs[1], 'data_splits')
    const { attrs } = call
    const [separator, left, right] = [attrs.bytes('separator'), attrs.bytes('left_pad'), attrs.bytes('right_pad')]
    const widths = attrs.numbers('ngram_widths')
    const padWidth = attrs.number('pad_width')
    checkSplits(splits, data.data.length)
    const out = new StringsBuilder(data.data.length * widths.length)
    const ends = splits.length === 0 ? [] : [0]
    for (let row = 0; row + 1 < splits.length; row++) {
      if (data.data.length === 0) {
        ends.push(0)
        continue
      }
      const tokens = Array.from({ length: splits[row + 1] - splits[row] }, (_, i) => data.data.at(splits[row] + i))
      const before = out.length
      for (const width of widths) {
        const padding = padWidth < 0 ? width - 1 : Math.min(padWidth, width - 1)
        const all = [...Array<Uint8Array>(padding).fill(left), ...tokens, ...Array<Uint8Array>(padding).fill(right)]
        for (let i = 0; i + width <= all.length; i++) out.push(join(all.slice(i, i + width), separator))
      }
      // A row too short for any width is one n-gram of all of it, where that is asked for.
      if (attrs.boolean('preserve_short_sequences') && out.length === before && tokens.length > 0) {
        const padding = Math.max(0, padWidth)
        const all = [...Array<Uint8Array>(padding).fill(left), ...tokens, ...Array<Uint8Array>(padding).fill(right)]
        out.push(join(all, separator))
      }
      ends.push(out.length)
    }
    const grams = out.finish()
    const dtype = call.inputs[1].dtype
    return [
      tensor('string', [grams.length], grams),
      dtype === 'int64'
        ? tensor('int64', [ends.length], BigInt64Array.from(ends, BigInt))
        : tensor('int32', [ends.length], Int32Array.from(ends)),
    ]
  },
}

function checkSplits(splits: readonly number[], count: number): void {
  if (splits.length === 0) return
  if (splits[0] !== 0) throw new InvalidArgumentError(`First split value must be 0, got ${splits[0]}`)
  for (let i = 1; i < splits.length; i++) {
    if (splits[i] < splits[i - 1] || splits[i] > count)
      throw new InvalidArgumentError(`Invalid split value ${splits[i]}, must be in [${splits[i - 1]}, ${count}]`)
  }
  if (splits[splits.length - 1] !== count)
    throw new InvalidArgumentError(
      `Last split value must be data size. Expected ${count}, got ${splits[splits.length - 1]}`,
    )
}

/**
 * Segments of one vector of strings joined by id; a segment nobody is in is empty. A separator goes only behind what is
 * not empty, so that empty strings at the beginning of a segment leave no trace.
 */
const unsortedSegmentJoin: Op = {
  evaluate(call) {
    const x = text(call, 0)
    const ids = integers(call, 1, 'segment_ids')
    const [count] = integers(call, 2, 'num_segments')
    if (!sameShape(call.inputs[1].shape, x.shape.slice(0, call.inputs[1].shape.length))) {
      throw new InvalidArgumentError(`segment_ids of shape [${call.inputs[1].shape}] must be a prefix of [${x.shape}]`)
    }
    const inner = sizeOf(x.shape.slice(call.inputs[1].shape.length))
    const segments = Array.from({ length: count * inner }, (): Uint8Array[] => [])
    ids.forEach((id, i) => {
      if (id < 0 || id >= count)
        throw new InvalidArgumentError(`segment_ids[${i}] = ${id} is out of range [0, ${count})`)
      for (let j = 0; j < inner; j++) {
        const [part, segment] = [x.data.at(i * inner + j), segments[id * inner + j]]
        if (segment.length > 0 || part.length > 0) segment.push(part)
      }
    })
    const separator = call.attrs.bytes('separator', new Uint8Array(0))
    const joined = Strings.from(segments.map((parts) => join(parts, separator)))
    return tensor('string', [count, ...x.shape.slice(call.inputs[1].shape.length)], joined)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  StringJoin: stringJoin,
  ReduceJoin: reduceJoin,
  StringNGrams: ngrams,
  UnsortedSegmentJoin: unsortedSegmentJoin,
}
