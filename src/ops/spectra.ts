import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type ComplexTensor, partOf, type Shape, sizeOf } from '../tensor/index.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import {
  complex,
  complexOf,
  type Floats,
  filledComplex,
  filledFloats,
  float,
  isComplexTensor,
  part,
} from './complexnumbers.ts'
import { areFinite, realForward, realInverse, transform } from './fourier.ts'
import { notFinite } from './fourierpasses.ts'
import { grid, progression, stepsOf } from './layout.ts'

// Fourier transforms after core/kernels/fft_ops.cc, over the last one, two or three dimensions, and what leads from real
// numbers to complex ones and back (core/kernels/cwise_ops.h). Between the dimensions numbers are kept in doubles.

/** Transforms all lines of `data` along dimension `axis` of `shape`, in place. */
function alongAxis(data: Floats, shape: Shape, axis: number, inverse: boolean): void {
  const step = sizeOf(shape.slice(axis + 1))
  const length = shape[axis]
  for (let block = 0; block < sizeOf(shape); block += step * length)
    for (let i = 0; i < step; i++) transform(data, block + i, step, length, inverse, data, block + i, step)
}

function checkRank({ shape }: { readonly shape: Shape }, rank: number): void {
  if (shape.length < rank)
    throw new InvalidArgumentError(`Input must have rank of at least ${rank} but got: [${shape.join(', ')}]`)
}

/** Of real lines it is known what TensorFlow makes of a NaN and of an infinity, of others only where it is certain. */
function checkFinite(data: Floats, what: string): void {
  if (!areFinite(data, 0, data.length)) throw notFinite(what)
}

/**
 * Complex lines of `width` numbers, transformed over `rank` dimensions, are finite; or a NaN is the first of one: all that is made
 * of this line is a sum with its first number.
 * @param parts how many parts of the first number are in these sums
 */
function checkLines(data: Floats, width: number, rank: number, parts: 1 | 2): void {
  for (let at = 0; at < data.length; at += 2 * width) {
    const isNone = rank === 1 && Number.isNaN(data[at]) && (parts === 1 || Number.isNaN(data[at + 1]))
    if (!isNone) checkFinite(data.subarray(at, at + 2 * width), 'complex numbers')
  }
}

const complexToComplex = (rank: number, inverse: boolean): Op => ({
  evaluate(call) {
    const x = complex(call, 0)
    checkRank(x, rank)
    const { shape } = x
    return filledComplex(x.dtype, shape, (out) => {
      if (out.length === 0) return
      const work = Float64Array.from(x.data)
      checkLines(work, shape[shape.length - 1], rank, 2)
      for (let axis = shape.length - 1; axis >= shape.length - rank; axis--) alongAxis(work, shape, axis, inverse)
      out.set(work)
    })
  },
})

/** Input 1: the lengths of the transform, of real numbers. */
function lengthsOf(call: Call, rank: number): readonly number[] {
  const lengths = call.inputs[1]
  if (lengths.dtype !== 'int32') throw new TypeError(`fft_length must be int32, got ${lengths.dtype}`)
  if (lengths.shape.length !== 1 || lengths.shape[0] !== rank)
    throw new InvalidArgumentError(`fft_length must have shape [${rank}], got [${lengths.shape.join(', ')}]`)
  // Of no numbers DUCC stops, where there is anything to transform.
  const least = call.inputs[0].shape.includes(0) ? 0 : 1
  const short = lengths.data.findIndex((length) => length < least)
  if (short >= 0)
    throw new InvalidArgumentError(`fft_length[${short}] must be at least ${least}, got ${lengths.data[short]}`)
  return [...lengths.data]
}

/** `shape` with its last dimensions replaced: what is transformed, of which the input must have as much. */
function cutTo(shape: Shape, wanted: readonly number[]): number[] {
  const outer = shape.length - wanted.length
  for (const [i, length] of wanted.entries()) {
    const given = shape[outer + i]
    // Empty dimensions pass in TensorFlow, and the answer is what lay in memory; only where there is none it is one.
    if (given < length && !(given === 0 && sizeOf(shape.slice(0, outer)) === 0))
      throw new InvalidArgumentError(
        `Input dimension ${outer + i} must have length of at least ${length} but got: ${given}`,
      )
  }
  return [...shape.slice(0, outer), ...wanted]
}

/** Where the lines of the last dimension begin of a part of a tensor, the first of each dimension. */
function linesOf(shape: Shape, cut: Shape): Int32Array {
  const steps = stepsOf(shape)
  return grid(cut.slice(0, -1).map((count, axis) => progression(count, steps[axis])))
}

const realToComplex = (rank: number): Op => ({
  evaluate(call) {
    const x = float(call, 0)
    checkRank(x, rank)
    const lengths = lengthsOf(call, rank)
    const length = lengths[rank - 1]
    const cut = cutTo(x.shape, lengths)
    const width = length === 0 ? 0 : (length >> 1) + 1
    const shape = [...cut.slice(0, -1), width]
    return filledComplex(complexOf(x.dtype), shape, (out) => {
      if (out.length === 0) return
      const work = rank === 1 ? out : new Float64Array(out.length)
      linesOf(x.shape, cut).forEach((start, i) => {
        if (rank > 1) checkFinite(x.data.subarray(start, start + length), `numbers of ${rank} dimensions`)
        realForward(x.data, start, length, work, i * width)
      })
      for (let axis = shape.length - 2; axis >= shape.length - rank; axis--) alongAxis(work, shape, axis, false)
      if (work !== out) out.set(work)
    })
  },
})

const complexToReal = (rank: number): Op => ({
  evaluate(call) {
    const x = complex(call, 0)
    checkRank(x, rank)
    const lengths = lengthsOf(call, rank)
    const length = lengths[rank - 1]
    const width = (length >> 1) + 1
    const cut = cutTo(x.shape, [...lengths.slice(0, -1), width])
    const shape = [...cut.slice(0, -1), length]
    return filledFloats(partOf(x.dtype), shape, (out) => {
      if (out.length === 0) return
      const work = new Float64Array(2 * sizeOf(cut))
      linesOf(x.shape, cut).forEach((start, i) => {
        work.set(x.data.subarray(2 * start, 2 * (start + width)), 2 * i * width)
      })
      checkLines(work, width, rank, 1)
      for (let axis = cut.length - 2; axis >= cut.length - rank; axis--) alongAxis(work, cut, axis, true)
      for (let i = 0; i < work.length / 2 / width; i++) realInverse(work, i * width, length, out, i * length)
    })
  },
})

/** Complex numbers of real parts and imaginary parts, which broadcast. */
const fromParts: Op = {
  evaluate(call) {
    const [re, im] = [float(call, 0), float(call, 1)]
    if (re.dtype !== im.dtype) throw new TypeError(`both inputs must be of one dtype, got ${re.dtype} and ${im.dtype}`)
    const shape = broadcastShape(re.shape, im.shape)
    const [a, b] = [broadcastIndices(re.shape, shape), broadcastIndices(im.shape, shape)]
    return filledComplex(complexOf(re.dtype), shape, (out) => {
      for (let i = 0; i < out.length / 2; i++) {
        out[2 * i] = re.data[a[i]]
        out[2 * i + 1] = im.data[b[i]]
      }
    })
  },
}

/** A real number of each complex one. */
const toReal = (apply: (re: number, im: number) => number): Op => ({
  evaluate(call) {
    const x = complex(call, 0)
    return filledFloats(partOf(x.dtype), x.shape, (out) => {
      for (let i = 0; i < out.length; i++) out[i] = apply(x.data[2 * i], x.data[2 * i + 1])
    })
  },
})

/** An infinite part makes an infinite length, be the other no number. Parts of float32 need no scaling in doubles. */
export function lengthOf(re: number, im: number): number {
  const square = re * re + im * im
  return square > 1e-280 && square < Infinity ? Math.sqrt(square) : Math.hypot(re, im)
}

const conjugate: Op = {
  evaluate(call) {
    // Of what is not complex it is the input: a variant, whose elements are not.
    const [x] = call.inputs
    return isComplexTensor(x) ? conjugated(x) : x
  },
}

export const conjugated = (x: ComplexTensor): ComplexTensor =>
  filledComplex(x.dtype, x.shape, (out) => {
    for (let i = 0; i < out.length; i += 2) {
      out[i] = x.data[i]
      out[i + 1] = -x.data[i + 1]
    }
  })

const partOp = (which: 0 | 1): Op => ({ evaluate: (call) => part(complex(call, 0), which) })

export const ops: Readonly<Record<string, Op>> = {
  FFT: complexToComplex(1, false),
  FFT2D: complexToComplex(2, false),
  FFT3D: complexToComplex(3, false),
  IFFT: complexToComplex(1, true),
  IFFT2D: complexToComplex(2, true),
  IFFT3D: complexToComplex(3, true),
  RFFT: realToComplex(1),
  RFFT2D: realToComplex(2),
  RFFT3D: realToComplex(3),
  IRFFT: complexToReal(1),
  IRFFT2D: complexToReal(2),
  IRFFT3D: complexToReal(3),
  Complex: fromParts,
  Real: partOp(0),
  Imag: partOp(1),
  ComplexAbs: toReal(lengthOf),
  Angle: toReal((re, im) => Math.atan2(im, re)),
  Conj: conjugate,
}
