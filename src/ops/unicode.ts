import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { StringsBuilder, type Tensor, tensor } from '../tensor/index.ts'
import { integersOf } from './integers.ts'
import { each, text } from './strings.ts'
import { type CodePoint, codePoints, encodePoint, type Repair, repaired } from './text/unicode.ts'

// Text in and out of code points after core/kernels/unicode_ops.cc.

const OUTPUT_ENCODINGS = ['UTF-8', 'UTF-16-BE', 'UTF-32-BE']

function repairOf(attrs: Attrs): Repair {
  const errors = attrs.string('errors', 'replace')
  if (errors !== 'strict' && errors !== 'replace' && errors !== 'ignore') {
    throw new InvalidArgumentError(`errors must be one of strict, replace, ignore, got ${errors}`)
  }
  const replacement = attrs.number('replacement_char', 0xfffd)
  return { errors, replacement, replaceControls: attrs.boolean('replace_control_characters', false) }
}

function outputEncoding(attrs: Attrs, fallback?: string): string {
  const encoding = attrs.string('output_encoding', fallback)
  if (!OUTPUT_ENCODINGS.includes(encoding))
    throw new InvalidArgumentError(`output_encoding must be one of ${OUTPUT_ENCODINGS.join(', ')}, got ${encoding}`)
  return encoding
}

const transcode = each(({ attrs }) => {
  const [input, output, repair] = [attrs.string('input_encoding'), outputEncoding(attrs), repairOf(attrs)]
  return (element) => {
    const out: number[] = []
    for (const { code } of repaired(codePoints(element, input), repair)) encodePoint(code, output, out)
    return Uint8Array.from(out)
  }
})

/** Row splits, all code points and, where they are asked for, the byte at which each begins. */
const decode = (withOffsets: boolean): Op => ({
  outputs: ['row_splits', 'char_values', ...(withOffsets ? ['char_to_byte_starts'] : [])],
  evaluate(call) {
    const x = text(call, 0)
    const { attrs } = call
    const [input, repair] = [attrs.string('input_encoding'), repairOf(attrs)]
    const points: CodePoint[] = []
    const splits = [0]
    for (let i = 0; i < x.data.length; i++) {
      points.push(...repaired(codePoints(x.data.at(i), input), repair))
      splits.push(points.length)
    }
    const values: Tensor[] = [
      attrs.dtype('Tsplits', 'int64') === 'int64'
        ? tensor('int64', [splits.length], BigInt64Array.from(splits, BigInt))
        : tensor('int32', [splits.length], Int32Array.from(splits)),
      tensor(
        'int32',
        [points.length],
        Int32Array.from(points, (point) => point.code),
      ),
    ]
    if (withOffsets)
      values.push(
        tensor(
          'int64',
          [points.length],
          BigInt64Array.from(points, (point) => BigInt(point.offset)),
        ),
      )
    return values
  },
})

/** Rows of code points as strings; what is no code point is treated as `errors` says. */
const encode: Op = {
  evaluate({ inputs: [values, splits], attrs }) {
    const codes = integersOf(values, 'input_values')
    const ends = integersOf(splits, 'input_splits')
    const [output, repair] = [outputEncoding(attrs), repairOf(attrs)]
    if (ends[0] !== 0 || ends[ends.length - 1] !== codes.length || ends.some((end, i) => i > 0 && end < ends[i - 1])) {
      throw new InvalidArgumentError(`input_splits must rise from 0 to ${codes.length}, got [${ends}]`)
    }
    const out = new StringsBuilder(ends.length)
    for (let row = 0; row + 1 < ends.length; row++) {
      const bytes: number[] = []
      const points = codes
        .slice(ends[row], ends[row + 1])
        .map((code, offset) => ({ code, offset, valid: isCodePoint(code) }))
      for (const { code } of repaired(points, repair)) encodePoint(code, output, bytes)
      out.push(Uint8Array.from(bytes))
    }
    return tensor('string', [ends.length - 1], out.finish())
  },
}

/** A surrogate alone passes for a character until it is written, as U+FFFD. */
const isCodePoint = (code: number): boolean => code >= 0 && code <= 0x10ffff

export const ops: Readonly<Record<string, Op>> = {
  UnicodeTranscode: transcode,
  UnicodeDecode: decode(false),
  UnicodeDecodeWithOffsets: decode(true),
  UnicodeEncode: encode,
}
