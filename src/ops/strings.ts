import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import {
  halvesOf,
  int64From,
  Strings,
  StringsBuilder,
  type Tensor,
  type TensorOf,
  tensor,
  zeros,
} from '../tensor/index.ts'
import {
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
import { isSpace } from './text/spaces.ts'

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

/** What positions and lengths of strings count. */
export function unitOf(call: Call): 'BYTE' | 'UTF8_CHAR' {
  const unit = call.attrs.string('unit', 'BYTE')
  if (unit !== 'BYTE' && unit !== 'UTF8_CHAR')
    throw new InvalidArgumentError(`unit must be BYTE or UTF8_CHAR, got ${unit}`)
  return unit
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
    if (delimiter.shape.length !== 0)
      throw new InvalidArgumentError(`delimiter must be a scalar, got shape: [${delimiter.shape}]`)
    const skip = call.attrs.boolean('skip_empty', true)
    return sparseParts(rows(x).map((row) => splitAny(row, delimiter.data.at(0), skip)))
  },
}

export const ops: Readonly<Record<string, Op>> = {
  StringLower: byEncoding(lowerAscii, lowerUnicode),
  StringUpper: byEncoding(upperAscii, upperUnicode),
  StringStrip: each(() => strip),
  StringLength: length,
  StringSplit: splitOld,
  StringSplitV2: split,
}
