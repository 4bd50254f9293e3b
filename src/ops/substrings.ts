import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { isNumeric, Strings, StringsBuilder, type Tensor, type TypedArray, tensor, utf8 } from '../tensor/index.ts'
import { broadcastIndices, broadcastShape, sameShape } from './broadcast.ts'
import { integers } from './integers.ts'
import { stepsOf } from './layout.ts'
import { each, text, unitOf } from './strings.ts'
import { encode } from './text/bytes.ts'

// Parts and other forms of strings, after core/kernels/substr_op.cc, base64_ops.cc and string_format_op.cc.

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

export const ops: Readonly<Record<string, Op>> = {
  Substr: substr,
  EncodeBase64: toBase64,
  DecodeBase64: fromBase64,
  StringFormat: format,
}
