import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import {
  isFloat,
  isNumeric,
  Strings,
  StringsBuilder,
  sameShape,
  sizeOf,
  type Tensor,
  type TypedArray,
  tensor,
  utf8,
} from '../tensor/index.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { integers } from './integers.ts'
import { stepsOf } from './layout.ts'
import { each, text, unitOf } from './strings.ts'
import { encode } from './text/bytes.ts'
import { printedFloat } from './text/printf.ts'

// Parts and other forms of strings, after core/kernels/substr_op.cc, base64_ops.cc and string_format_op.cc.

/**
 * A position counts from the end where it is negative; one outside the string is refused, a length is cut. A negative
 * length is the rest of the bytes, for it wraps to an unsigned one; of characters it is none, and refused where the position
 * is negative too.
 */
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
      const [wanted, length] = [positions[which[i]], lengths[which[i]]]
      const start = wanted < 0 ? wanted + size : wanted
      if (start < 0 || start > size || (!bytes && wanted < 0 && length < 0))
        throw new InvalidArgumentError(`pos ${wanted} out of range for string b'${utf8(element) ?? ''}' at index ${i}`)
      const end = length < 0 ? (bytes ? size : start) : Math.min(size, start + length)
      out.push(starts === null ? element.subarray(start, end) : element.subarray(starts[start], starts[end]))
    }
    return tensor('string', shape, out.finish())
  },
}

/** Where each UTF-8 character begins, and the end. The first byte begins one, whatever it is. */
function characterStarts(element: Uint8Array): number[] {
  const starts: number[] = []
  for (let i = 0; i < element.length; i++) if (i === 0 || (element[i] & 0xc0) !== 0x80) starts.push(i)
  return [...starts, element.length]
}

/** A string with a character for each byte. */
function latin1(bytes: Uint8Array): string {
  let characters = ''
  for (const byte of bytes) characters += String.fromCharCode(byte)
  return characters
}

/** Web-safe base64. */
const toBase64 = each(({ attrs }) => {
  const padded = attrs.boolean('pad', false)
  return (element) => {
    const plain = btoa(latin1(element)).replace(/\+/g, '-').replace(/\//g, '_')
    return encode(padded ? plain : plain.replace(/=+$/, ''))
  }
})

/** Web-safe base64 of whole bytes; padding is taken only where it makes the last four characters full. */
const BASE64 = /^(?:[\w-]{4})*(?:[\w-]{2}(?:==)?|[\w-]{3}=?)?$/

const fromBase64 = each(() => (element) => {
  const plain = latin1(element)
  if (!BASE64.test(plain)) throw new InvalidArgumentError('Invalid character found in base64.')
  const binary = atob(plain.replace(/=+$/, '').replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
})

/** The template with each placeholder replaced by the next input, shortened as TensorFlow prints tensors. */
const format: Op = {
  evaluate(call) {
    const [template, placeholder] = ['template', 'placeholder'].map((name) =>
      latin1(call.attrs.bytes(name, encode('%s'))),
    )
    const [first, ...rest] = template.split(placeholder)
    if (rest.length !== call.inputs.length) {
      throw new InvalidArgumentError(
        `num placeholders in template and num inputs must match: ${rest.length} vs. ${call.inputs.length}`,
      )
    }
    const edge = call.attrs.number('summarize', 3)
    const whole = first + rest.map((part, i) => summary(call.inputs[i], edge) + part).join('')
    return tensor('string', [], Strings.from([Uint8Array.from(whole, (char) => char.charCodeAt(0))]))
  },
}

/** What a string is printed as, a character for each byte: the controls of ASCII, quotes and backslashes escaped. */
const escaped = (plain: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  plain.replace(/[\0-\x1f"'\\\x7f]/g, (char) => {
    const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', "'": "\\'", '\\': '\\\\' }[char]
    return named ?? `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`
  })

/**
 * Tensor::SummarizeValue of framework/tensor.cc, in its second version, a character for each byte: of each dimension the
 * first and the last `edge`, or all where that is negative.
 */
function summary(t: Tensor, edge: number): string {
  const steps = stepsOf(t.shape)
  const one = (i: number): string => {
    if (t.dtype === 'string') return `"${escaped(latin1(t.data.at(i)))}"`
    if (!isNumeric(t)) return '?'
    const value = (t.data as TypedArray)[i]
    return isFloat(t.dtype) ? printedFloat(Number(value), t.dtype) : String(Number(value) === 0 ? 0 : value)
  }
  const size = sizeOf(t.shape)
  // Of a tensor without elements nothing is shown of any dimension.
  const most = edge < 0 ? size : Math.min(edge, size)
  const level = (axis: number, start: number): string => {
    if (axis === t.shape.length) return one(start)
    const count = t.shape[axis]
    const inside = t.shape.length - axis - 1
    const separator = inside === 0 ? ' ' : '\n'.repeat(inside) + ' '.repeat(axis + 1)
    const shown = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => level(axis + 1, start + (from + i) * steps[axis]))
    if (count <= 2 * most) return `[${shown(0, count).join(separator)}]`
    return `[${shown(0, most).join(separator)}${['', '...', ...shown(count - most, count)].join(separator)}]`
  }
  // A tensor of bool without elements is printed as nothing at all.
  return t.dtype === 'bool' && size === 0 ? '' : level(0, 0)
}

export const ops: Readonly<Record<string, Op>> = {
  Substr: substr,
  EncodeBase64: toBase64,
  DecodeBase64: fromBase64,
  StringFormat: format,
}
