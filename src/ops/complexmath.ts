import { Attrs, type Call, type Op } from '../graph/index.ts'
import { type ComplexTensor, type DType, isComplex, sizeOf, type Tensor, zeros } from '../tensor/index.ts'
import { at, broadcastIndices, broadcastShape, broadcasts, places } from './broadcast.ts'
import { ops as cast } from './cast.ts'
import { type Apply, type Complex, FUNCTIONS } from './complexfunctions.ts'
import { attrsOfParts, complex, type Floats, filledComplex, joinedParts, onComplex, part } from './complexnumbers.ts'
import { ops as linear } from './linear.ts'
import { axesOf } from './reduce.ts'
import { lengthOf } from './spectra.ts'

// Arithmetic of complex numbers, after the complex kernels of core/kernels/cwise_ops*.cc, matmul_op*.cc and
// reduction_ops*.cc: std::complex's and Eigen's, computed in doubles and rounded once. What works on real parts and
// imaginary parts alone is in complexparts.ts.

/** An op of one input. */
const unary = (apply: Apply): Op => ({
  evaluate(call) {
    const x = complex(call, 0)
    const from: Complex = { re: 0, im: 0 }
    const to: Complex = { re: 0, im: 0 }
    return filledComplex(x.dtype, x.shape, (out) => {
      for (let i = 0; i < out.length; i += 2) {
        from.re = x.data[i]
        from.im = x.data[i + 1]
        apply(from, to)
        out[i] = to.re
        out[i + 1] = to.im
      }
    })
  },
})

type Binary = (x: Complex, y: Complex, out: Complex) => void

/** An op of two inputs that broadcast against each other. */
const binary = (apply: Binary): Op => ({
  evaluate(call) {
    const [x, y] = sameType(call)
    const shape = broadcastShape(x.shape, y.shape)
    const [a, b] = [places(x.shape, shape), places(y.shape, shape)]
    const left: Complex = { re: 0, im: 0 }
    const right: Complex = { re: 0, im: 0 }
    const to: Complex = { re: 0, im: 0 }
    return filledComplex(x.dtype, shape, (out) => {
      for (let i = 0; i < out.length / 2; i++) {
        const j = 2 * at(a, i)
        const k = 2 * at(b, i)
        left.re = x.data[j]
        left.im = x.data[j + 1]
        right.re = y.data[k]
        right.im = y.data[k + 1]
        apply(left, right, to)
        out[2 * i] = to.re
        out[2 * i + 1] = to.im
      }
    })
  },
})

function sameType(call: Call): [ComplexTensor, ComplexTensor] {
  const [x, y] = [complex(call, 0), complex(call, 1)]
  if (x.dtype !== y.dtype) throw new TypeError(`both inputs must be of one dtype, got ${x.dtype} and ${y.dtype}`)
  return [x, y]
}

const multiply: Binary = (x, y, out) => {
  out.re = x.re * y.re - x.im * y.im
  out.im = x.re * y.im + x.im * y.re
}

/** Scaled by the larger part of the divisor, as Eigen does it: nothing overflows that has a quotient. */
const divide: Binary = (x, y, out) => {
  const scale = Math.max(Math.abs(y.re), Math.abs(y.im))
  const [re, im] = [y.re / scale, y.im / scale]
  const square = (re * re + im * im) * scale
  out.re = (x.re * re + x.im * im) / square
  out.im = (x.im * re - x.re * im) / square
}

const isZero = ({ re, im }: Complex): boolean => re === 0 && im === 0
const zero = (out: Complex): void => {
  out.re = 0
  out.im = 0
}

/** exp(y · log x), as std::pow has it: of zero it is zero where y has a positive real part, and else no number. */
const power: Binary = (x, y, out) => {
  if (isZero(x)) {
    out.re = y.re > 0 ? 0 : y.re < 0 ? Number.POSITIVE_INFINITY : Number.NaN
    out.im = y.re > 0 ? -0 : Number.NaN
    return
  }
  const [logRe, logIm] = [Math.log(lengthOf(x.re, x.im)), Math.atan2(x.im, x.re)]
  const length = Math.exp(y.re * logRe - y.im * logIm)
  const angle = y.re * logIm + y.im * logRe
  out.re = length * Math.cos(angle)
  out.im = length * Math.sin(angle)
}

/** |x − y|², as (x − y) times its conjugate. */
const squaredDifference: Binary = (x, y, out) => {
  const [re, im] = [x.re - y.re, x.im - y.im]
  out.re = re * re + im * im
  out.im = 0
}

/** Whether each pair is equal; where shapes do not broadcast and that is no error, nothing is. */
const equality = (equal: 0 | 1): Op => ({
  evaluate(call) {
    const [x, y] = sameType(call)
    const refuses = call.attrs.boolean('incompatible_shape_error', true)
    if (!refuses && !broadcasts(x.shape, y.shape)) return { dtype: 'bool', shape: [], data: Uint8Array.of(1 - equal) }
    const shape = broadcastShape(x.shape, y.shape)
    const [a, b] = [places(x.shape, shape), places(y.shape, shape)]
    const data = zeros('bool', sizeOf(shape))
    for (let i = 0; i < data.length; i++) {
      const [j, k] = [2 * at(a, i), 2 * at(b, i)]
      data[i] = x.data[j] === y.data[k] && x.data[j + 1] === y.data[k + 1] ? equal : 1 - equal
    }
    return { dtype: 'bool', shape, data }
  },
})

/** Products over dimensions, of the four products of parts, each summed in doubles. */
const ofPartProducts = (op: Op, conjugates: (call: Call) => readonly boolean[] = () => []): Op => ({
  evaluate(call) {
    const [x, y] = sameType(call)
    const [conjugateX = false, conjugateY = false] = conjugates(call)
    const wide = (t: ComplexTensor, which: 0 | 1): Tensor => ({
      dtype: 'float64',
      shape: t.shape,
      data: Float64Array.from(part(t, which).data),
    })
    const attrs = attrsOfParts(call.attrs)
    const product = (i: 0 | 1, j: 0 | 1) =>
      op.evaluate({ ...call, attrs, inputs: [wide(x, i), wide(y, j)] }) as Tensor & { data: Floats }
    const [rr, ii, ri, ir] = [product(0, 0), product(1, 1), product(0, 1), product(1, 0)]
    const [signX, signY] = [conjugateX ? -1 : 1, conjugateY ? -1 : 1]
    return filledComplex(x.dtype, rr.shape, (out) => {
      for (let i = 0; i < rr.data.length; i++) {
        out[2 * i] = rr.data[i] - signX * signY * ii.data[i]
        out[2 * i + 1] = signY * ri.data[i] + signX * ir.data[i]
      }
    })
  },
})

/** Which of the two matrices is transposed and conjugated. */
const adjoints = ({ attrs }: Call) => [attrs.boolean('adj_x', false), attrs.boolean('adj_y', false)]

/** Einsum of one operand has sums only. */
const einsum: Op = {
  evaluate(call) {
    if (call.inputs.length === 2) return ofPartProducts(linear.Einsum).evaluate(call)
    const x = complex(call, 0)
    const sum = (which: 0 | 1) =>
      linear.Einsum.evaluate({ ...call, inputs: [part(x, which)] }) as ReturnType<typeof part>
    return joinedParts(sum(0), sum(1))
  },
}

/** Complex numbers of real ones, of other complex ones, and real ones of them, whose imaginary parts are dropped. */
const castComplex: Op = {
  evaluate(call) {
    const [x] = call.inputs
    const [from, to] = [x.dtype, call.attrs.dtype('DstT')]
    const toType = (t: Tensor, dtype: DType) =>
      cast.Cast.evaluate({ ...call, inputs: [t], attrs: new Attrs({ DstT: dtype }) }) as ReturnType<typeof part>
    if (!isComplex(to)) return toType(part(complex(call, 0), 0), to)
    const dtype = to === 'complex64' ? 'float32' : 'float64'
    if (isComplex(from)) {
      const numbers = complex(call, 0)
      return joinedParts(toType(part(numbers, 0), dtype), toType(part(numbers, 1), dtype))
    }
    const re = toType(x, dtype)
    return joinedParts(re, { ...re, data: zeros(dtype, re.data.length) } as typeof re)
  },
}

/** The product over some dimensions. */
const product: Op = {
  evaluate(call) {
    const x = complex(call, 0)
    const reduced = axesOf(call, x.shape.length)
    const kept = x.shape.map((dim, axis) => (reduced[axis] ? 1 : dim))
    const targets = broadcastIndices(kept, x.shape)
    const keep = call.attrs.boolean('keep_dims', false)
    const shape = keep ? kept : x.shape.filter((_, axis) => !reduced[axis])
    return filledComplex(x.dtype, shape, (out) => {
      const totals = new Float64Array(out.length)
      for (let i = 0; i < totals.length; i += 2) totals[i] = 1
      for (let i = 0; i < targets.length; i++) {
        const to = 2 * targets[i]
        const [re, im] = [totals[to], totals[to + 1]]
        totals[to] = re * x.data[2 * i] - im * x.data[2 * i + 1]
        totals[to + 1] = re * x.data[2 * i + 1] + im * x.data[2 * i]
      }
      out.set(totals)
    })
  },
}

const entries: Readonly<Record<string, Op>> = {
  ...Object.fromEntries(Object.entries(FUNCTIONS).map(([name, apply]) => [name, unary(apply)])),
  BatchMatMul: ofPartProducts(linear.BatchMatMul, adjoints),
  BatchMatMulV2: ofPartProducts(linear.BatchMatMulV2, adjoints),
  Cast: castComplex,
  Div: binary(divide),
  DivNoNan: binary((x, y, out) => (isZero(y) ? zero(out) : divide(x, y, out))),
  Einsum: einsum,
  Equal: equality(1),
  MatMul: ofPartProducts(linear.MatMul),
  Mul: binary(multiply),
  MulNoNan: binary((x, y, out) => (isZero(y) ? zero(out) : multiply(x, y, out))),
  NotEqual: equality(0),
  Pow: binary(power),
  Prod: product,
  RealDiv: binary(divide),
  SquaredDifference: binary(squaredDifference),
}

export const ops = onComplex(entries)
