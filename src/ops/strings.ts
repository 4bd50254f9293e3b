import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import {
  halvesOf,
  int64From,
  isNumeric,
  Strings,
  StringsBuilder,
  type Tensor,
  type TensorOf,
  type TypedArray,
  tensor,
  utf8,
  zeros,
} from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { broadcastIndices, broadcastShape, sameShape } from './broadcast.ts'
import { integers, integersOf } from './integers.ts'
import { stepsOf } from './layout.ts'
import {
  encode,
  isSpace,
  join,
  lowerAscii,
  lowerUnicode,
  splitAny,
  splitAt,
  splitSpaces,
  strip,
  upperAscii,
  upperUnicode,
  utf8Length,
} from './text/bytes.ts'

// String ops after core/kernels/string_*_op.cc, reduce_join_op.cc, substr_op.cc and encode_base64. Text is bytes.

type Text = TensorOf<'string'>

/** Input `i`, which must be strings. */
export function text(call: Call, i: number): Text {
  const input = call.inputs[i]
  if (input?.dtype !== 'string') throw new TypeError(`input ${i} must be string, got ${input?.dtype ?? 'nothing'}`)
  return input
}

/** The one string that input `i` is. */
export function scalarText(call: Call, i: number, what: string): Uint8Array {
  const input = text(call, i)
  if (input.shape.length !== 0) throw new InvalidArgumentError(`${what} must be scalar, but received [${input.shape}]`)
  return input.data.at(0)
}

/** An op that makes one string of each. */
export const each = (applyFor: (call: Call) => (element: Uint8Array) => Uint8Array): Op => ({
  evaluate(call) {
    const x = text(call, 0)
    const apply = applyFor(call)
    const out = new StringsBuilder(x.data.length)
    for (let i = 0; i < x.data.length; i++) out.push(apply(x.data.at(i)))
    return tensor('string', x.shape, out.finish())
  },
})

/**
 * Another case. `encoding` "" is ASCII letters, "utf-8" all of Unicode; where all bytes are ASCII the two are one, but for a
 * NUL, which ends Unicode text.
 */
const byEncoding = (ascii: (bytes: Uint8Array) => Uint8Array, unicode: (element: Uint8Array) => Uint8Array): Op => {
  const byElement = each(() => unicode)
  return {
    evaluate(call) {
      const x = text(call, 0)
      const encoding = call.attrs.string('encoding', '')
      if (encoding !== '' && !/^utf-?8$/i.test(encoding)) {
        throw new InvalidArgumentError(`only utf8 or '' (no encoding) is supported, received ${encoding}`)
      }
      const { bytes, offsets, length } = x.data
      const used = bytes.subarray(offsets[0], offsets[length])
      if (encoding !== '' && !isPlain(used)) return byElement.evaluate(call)
      const ends = offsets[0] === 0 ? offsets : offsets.map((offset) => offset - offsets[0])
      return tensor('string', x.shape, new Strings(ascii(used), ends))
    },
  }
}

/** True where no byte is a NUL or beyond ASCII. */
function isPlain(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0 || bytes[i] > 127) return false
  return true
}

const length: Op = {
  evaluate(call) {
    const x = text(call, 0)
    const count = unitOf(call) === 'BYTE' ? (element: Uint8Array) => element.length : utf8Length
    return tensor(
      'int32',
      x.shape,
      Int32Array.from({ length: x.data.length }, (_, i) => count(x.data.at(i))),
    )
  },
}

function unitOf(call: Call): 'BYTE' | 'UTF8_CHAR' {
  const unit = call.attrs.string('unit', 'BYTE')
  if (unit !== 'BYTE' && unit !== 'UTF8_CHAR')
    throw new InvalidArgumentError(`unit must be BYTE or UTF8_CHAR, got ${unit}`)
  return unit
}

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

/** The parts of each element of a vector, as a sparse tensor. */
function sparseParts(parts: readonly (readonly Uint8Array[])[]): Tensor[] {
  const indices: bigint[] = []
  const values = new StringsBuilder(parts.length * 4)
  let widest = 0
  parts.forEach((row, i) => {
    widest = Math.max(widest, row.length)
    row.forEach((part, j) => {
      indices.push(BigInt(i), BigInt(j))
      values.push(part)
    })
  })
  const data = values.finish()
  return [
    tensor('int64', [data.length, 2], BigInt64Array.from(indices)),
    tensor('string', [data.length], data),
    tensor('int64', [2], BigInt64Array.of(BigInt(parts.length), BigInt(widest))),
  ]
}

/** All words between white space, as `sparseParts` of them: the tokenizer of most models, so without a view for each. */
function words({ bytes, offsets, length }: Strings): Tensor[] {
  const values = new StringsBuilder(length * 16, offsets[length] - offsets[0])
  const ends = zeros('uint32', length)
  let widest = 0
  for (let row = 0; row < length; row++) {
    const end = offsets[row + 1]
    const before = values.length
    for (let at = offsets[row]; at < end; ) {
      while (at < end && isSpace(bytes[at])) at++
      const start = at
      while (at < end && !isSpace(bytes[at])) at++
      if (at > start) values.pushRange(bytes, start, at)
    }
    ends[row] = values.length
    widest = Math.max(widest, values.length - before)
  }
  const data = values.finish()
  const indices = zeros('int64', 2 * data.length)
  // Rows and columns are below 2^31: the upper halves stay 0.
  const halves = halvesOf(indices)
  for (let row = 0, i = 0; row < length; row++) {
    for (let column = 0; i < ends[row]; i++, column++) {
      halves[4 * i] = row
      halves[4 * i + 2] = column
    }
  }
  return [
    tensor('int64', [data.length, 2], indices),
    tensor('string', [data.length], data),
    tensor('int64', [2], int64From([length, widest])),
  ]
}

const rows = ({ data }: Text): Uint8Array[] => Array.from({ length: data.length }, (_, i) => data.at(i))

const SPLIT_OUTPUTS = ['indices', 'values', 'shape']

const split: Op = {
  outputs: SPLIT_OUTPUTS,
  evaluate(call) {
    const [x, separator] = [text(call, 0), text(call, 1)]
    if (x.shape.length !== 1) throw new InvalidArgumentError(`input must be a vector, got shape: [${x.shape}]`)
    if (separator.shape.length !== 0)
      throw new InvalidArgumentError(`sep must be a scalar, got shape: [${separator.shape}]`)
    const by = separator.data.at(0)
    const most = call.attrs.number('maxsplit', -1)
    if (by.length === 0 && most < 0) return words(x.data)
    return sparseParts(rows(x).map((row) => (by.length === 0 ? splitSpaces(row, most) : splitAt(row, by, most))))
  },
}

const splitOld: Op = {
  outputs: SPLIT_OUTPUTS,
  evaluate(call) {
    const [x, delimiter] = [text(call, 0), text(call, 1)]
    if (x.shape.length !== 1) throw new InvalidArgumentError(`input must be a vector, got shape: [${x.shape}]`)
    if (delimiter.data.length !== 1)
      throw new InvalidArgumentError(`delimiter must be a scalar, got shape: [${delimiter.shape}]`)
    const skip = call.attrs.boolean('skip_empty', true)
    return sparseParts(rows(x).map((row) => splitAny(row, delimiter.data.at(0), skip)))
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

/** A position counts from the end where it is negative; one outside the string is refused, a length is cut. */
const substr: Op = {
  evaluate(call) {
    const x = text(call, 0)
    const [positions, lengths] = [integers(call, 1, 'pos'), integers(call, 2, 'len')]
    if (!sameShape(call.inputs[1].shape, call.inputs[2].shape)) {
      throw new InvalidArgumentError(
        `pos and len should have the same shape, got: [${call.inputs[1].shape}] vs. [${call.inputs[2].shape}]`,
      )
    }
    const shape = broadcastShape(x.shape, call.inputs[1].shape)
    const [from, which] = [broadcastIndices(x.shape, shape), broadcastIndices(call.inputs[1].shape, shape)]
    const bytes = unitOf(call) === 'BYTE'
    const out = new StringsBuilder(from.length)
    for (let i = 0; i < from.length; i++) {
      const element = x.data.at(from[i])
      const starts = bytes ? null : characterStarts(element)
      const size = starts === null ? element.length : starts.length - 1
      const wanted = positions[which[i]]
      const start = wanted < 0 ? wanted + size : wanted
      if (start < 0 || start > size)
        throw new InvalidArgumentError(`pos ${wanted} out of range for string b'${utf8(element) ?? ''}' at index ${i}`)
      const end = Math.min(size, start + Math.max(0, lengths[which[i]]))
      out.push(starts === null ? element.subarray(start, end) : element.subarray(starts[start], starts[end]))
    }
    return tensor('string', shape, out.finish())
  },
}

/** Where each UTF-8 character begins, and the end. */
function characterStarts(element: Uint8Array): number[] {
  const starts: number[] = []
  for (let i = 0; i < element.length; i++) if ((element[i] & 0xc0) !== 0x80) starts.push(i)
  return [...starts, element.length]
}

/** Web-safe base64. */
const toBase64 = each(({ attrs }) => {
  const padded = attrs.boolean('pad', false)
  return (element) => {
    let binary = ''
    for (const byte of element) binary += String.fromCharCode(byte)
    const plain = btoa(binary).replace(/\+/g, '-').replace(/\//g, '_')
    return encode(padded ? plain : plain.replace(/=+$/, ''))
  }
})

const fromBase64 = each(() => (element) => {
  const plain = utf8(element) ?? ''
  if (!/^[A-Za-z0-9_-]*={0,2}$/.test(plain) || plain.replace(/=+$/, '').length % 4 === 1) {
    throw new InvalidArgumentError('Invalid character found in base64.')
  }
  const binary = atob(plain.replace(/=+$/, '').replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
})

/** N-grams of each row of a ragged tensor of tokens, widths one after the other (kernels/string_ngrams_op.cc). */
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
    const ends = [0]
    for (let row = 0; row + 1 < splits.length; row++) {
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

/** The template with each placeholder replaced by the next input, shortened as TensorFlow prints tensors. */
const format: Op = {
  evaluate(call) {
    const [template, placeholder] = [call.attrs.string('template', '%s'), call.attrs.string('placeholder', '%s')]
    const parts = template.split(placeholder)
    const pieces = parts.map((part, i) =>
      i === 0 ? part : summary(call.inputs[i - 1], call.attrs.number('summarize', 3)) + part,
    )
    return tensor('string', [], Strings.from([pieces.join('')]))
  },
}

function summary(t: Tensor | undefined, edge: number): string {
  if (t === undefined) return ''
  const steps = stepsOf(t.shape)
  const one = (i: number): string => {
    if (t.dtype === 'string') return JSON.stringify(t.data.text(i))
    if (!isNumeric(t)) return t.dtype
    return String((t.data as TypedArray)[i])
  }
  const level = (axis: number, start: number): string => {
    if (axis === t.shape.length) return one(start)
    const count = t.shape[axis]
    const shown =
      edge >= 0 && count > 2 * edge
        ? [...Array(edge).keys(), -1, ...Array.from({ length: edge }, (_, i) => count - edge + i)]
        : [...Array(count).keys()]
    const separator = axis === t.shape.length - 1 ? ' ' : `\n${' '.repeat(axis + 1)}`
    return `[${shown.map((i) => (i < 0 ? '...' : level(axis + 1, start + i * steps[axis]))).join(separator)}]`
  }
  return level(0, 0)
}

/** Segments of one vector of strings joined by id; a segment nobody is in is empty. */
const unsortedSegmentJoin: Op = {
  evaluate(call) {
    const x = text(call, 0)
    const ids = integers(call, 1, 'segment_ids')
    const [count] = integers(call, 2, 'num_segments')
    if (!sameShape(call.inputs[1].shape, x.shape.slice(0, call.inputs[1].shape.length))) {
      throw new InvalidArgumentError(`segment_ids of shape [${call.inputs[1].shape}] must be a prefix of [${x.shape}]`)
    }
    const inner = ids.length === 0 ? 1 : x.data.length / ids.length
    const segments = Array.from({ length: count * inner }, (): Uint8Array[] => [])
    ids.forEach((id, i) => {
      if (id >= count) throw new InvalidArgumentError(`segment_ids[${i}] = ${id} is out of range [0, ${count})`)
      for (let j = 0; id >= 0 && j < inner; j++) segments[id * inner + j].push(x.data.at(i * inner + j))
    })
    const separator = call.attrs.bytes('separator', new Uint8Array(0))
    const joined = Strings.from(segments.map((parts) => join(parts, separator)))
    return tensor('string', [count, ...x.shape.slice(call.inputs[1].shape.length)], joined)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  StringLower: byEncoding(lowerAscii, lowerUnicode),
  StringUpper: byEncoding(upperAscii, upperUnicode),
  StringStrip: each(() => strip),
  StringLength: length,
  StringJoin: stringJoin,
  StringSplit: splitOld,
  StringSplitV2: split,
  ReduceJoin: reduceJoin,
  Substr: substr,
  EncodeBase64: toBase64,
  DecodeBase64: fromBase64,
  StringNGrams: ngrams,
  StringFormat: format,
  UnsortedSegmentJoin: unsortedSegmentJoin,
}
