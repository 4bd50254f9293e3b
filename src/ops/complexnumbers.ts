import { type Attr, Attrs, type Call, type Op } from '../graph/index.ts'
import {
  type ComplexDType,
  type ComplexTensor,
  type DType,
  isComplex,
  partOf,
  type Shape,
  sizeOf,
  type Tensor,
  type TensorOf,
  zeros,
} from '../tensor/index.ts'

// Tensors of complex numbers, whose data are the real part and the imaginary of each in turn. Ops on them are entries of
// their own, `complex>Mul` beside `Mul` (src/import/complex.ts), so that no other op is given one.

export type Floats = Float32Array | Float64Array
type FloatTensor = TensorOf<'float32'> | TensorOf<'float64'>

export const isComplexTensor = (t: Tensor): t is ComplexTensor => isComplex(t.dtype)

/** Input `i` of `call`, which must be complex. */
export function complex(call: Call, i: number): ComplexTensor {
  const input = call.inputs[i]
  if (!isComplexTensor(input)) throw new TypeError(`input ${i} must be complex64 or complex128, got ${input.dtype}`)
  return input
}

/** Input `i` of `call`, which must be float32 or float64. */
export function float(call: Call, i: number): FloatTensor {
  const input = call.inputs[i]
  if (input.dtype !== 'float32' && input.dtype !== 'float64')
    throw new TypeError(`input ${i} must be float32 or float64, got ${input.dtype}`)
  return input
}

/** The dtype of complex numbers with such parts. */
export const complexOf = (part: 'float32' | 'float64'): ComplexDType =>
  part === 'float32' ? 'complex64' : 'complex128'

/** A tensor of complex numbers over a fresh array that `fill` writes. */
export function filledComplex(dtype: ComplexDType, shape: Shape, fill: (data: Floats) => void): ComplexTensor {
  const data: Floats = zeros(partOf(dtype), 2 * sizeOf(shape))
  fill(data)
  return { dtype, shape, data } as ComplexTensor
}

/** A tensor of floats over a fresh array that `fill` writes. */
export function filledFloats(dtype: 'float32' | 'float64', shape: Shape, fill: (data: Floats) => void): FloatTensor {
  const data: Floats = zeros(dtype, sizeOf(shape))
  fill(data)
  return { dtype, shape, data } as FloatTensor
}

/** The real parts (0) or the imaginary parts (1) of `x`. */
export const part = ({ dtype, shape, data }: ComplexTensor, which: 0 | 1): FloatTensor =>
  filledFloats(partOf(dtype), shape, (out) => {
    for (let i = 0; i < out.length; i++) out[i] = data[2 * i + which]
  })

/** The complex numbers with these real parts and imaginary parts, of one shape. */
export const joinedParts = (re: FloatTensor, im: FloatTensor): ComplexTensor =>
  filledComplex(complexOf(re.dtype), re.shape, (out) => {
    for (let i = 0; i < re.data.length; i++) {
      out[2 * i] = re.data[i]
      out[2 * i + 1] = im.data[i]
    }
  })

const REAL = new WeakMap<Attrs, Attrs>()

/** `attrs` as an op on the parts has them: floats where they say complex numbers. */
export function attrsOfParts(attrs: Attrs): Attrs {
  let real = REAL.get(attrs)
  if (real === undefined) {
    real = new Attrs(Object.fromEntries(attrs.entries().map(([name, attr]) => [name, ofParts(attr)])))
    REAL.set(attrs, real)
  }
  return real
}

const ofParts = (attr: Attr): Attr =>
  typeof attr === 'string' ? partOf(attr as DType) : isList(attr) ? attr.map(ofParts) : attr

const isList = (attr: Attr): attr is readonly Attr[] => Array.isArray(attr)

/** Entries by the names that ops have where their tensors are complex. */
export const onComplex = (ops: Readonly<Record<string, Op>>): Readonly<Record<string, Op>> =>
  Object.fromEntries(Object.entries(ops).map(([name, op]) => [`complex>${name}`, op]))
