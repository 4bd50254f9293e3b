import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { StringsBuilder, type Tensor, tensor } from '../tensor/index.ts'
import { integersOf } from './integers.ts'
import { each, text } from './strings.ts'
import { type CodePoint, codePoints, encodePoint, isSurrogate, type Repair, repaired } from './text/unicode.ts'

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
      points.push(...repaired(codePoints(x.data.at(i), input), repair, 'controls'))
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

/**
 * Rows of code points as strings; what is no character is treated as `errors` says, but for `ignore`, which keeps all that
 * UTF-16 can write: two surrogates side by side make a character there.
 */
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
      for (const code of paired(codes.slice(ends[row], ends[row + 1]).flatMap((code) => mended(code, repair))))
        encodePoint(code, output, bytes)
      out.push(Uint8Array.from(bytes))
    }
    return tensor('string', [ends.length - 1], out.finish())
  },
}

/** What UnicodeEncode writes for `code`: all that is no character, noncharacters of Unicode too, is repaired. */
function mended(code: number, { errors, replacement }: Repair): number[] {
  const known = code >= 0 && code <= 0x10ffff
  const isNoncharacter = (code & 0xfffe) === 0xfffe || (code >= 0xfdd0 && code <= 0xfdef)
  if (known && !isSurrogate(code) && !isNoncharacter) return [code]
  if (errors === 'strict') throw new InvalidArgumentError('Code point is out of range for Unicode, or a noncharacter.')
  if (errors === 'replace') return [replacement]
  return known ? [code] : []
}

/** `codes` with a surrogate and the one it belongs to, where they are neighbours, as the character that they are. */
function paired(codes: readonly number[]): number[] {
  const found: number[] = []
  for (const code of codes) {
    const high = found[found.length - 1] ?? 0
    if ((high & ~0x3ff) === 0xd800 && (code & ~0x3ff) === 0xdc00)
      found[found.length - 1] = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00)
    else found.push(code)
  }
  return found
}

export const ops: Readonly<Record<string, Op>> = {
  UnicodeTranscode: transcode,
  UnicodeDecode: decode(false),
  UnicodeDecodeWithOffsets: decode(true),
  UnicodeEncode: encode,
}
