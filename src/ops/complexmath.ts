import { Attrs, type Call, type Op } from '../graph/index.ts'
import {
  type ComplexTensor,
  type DType,
  isComplex,
  partOf,
  type Tensor,
  type TensorOf,
  zeros,
} from '../tensor/index.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { type Apply, type Complex, FUNCTIONS } from './complexfunctions.ts'
import { attrsOfParts, complex, type Floats, filledComplex, joinedParts, onComplex, part } from './complexnumbers.ts'
import { CORE } from './core.ts'
import { integersOf } from './integers.ts'
import { ops as linear } from './linear.ts'
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
    const [a, b] = [broadcastIndices(x.shape, shape), broadcastIndices(y.shape, shape)]
    const left: Complex = { re: 0, im: 0 }
    const right: Complex = { re: 0, im: 0 }
    const to: Complex = { re: 0, im: 0 }
    return filledComplex(x.dtype, shape, (out) => {
      for (let i = 0; i < out.length / 2; i++) {
        const j = 2 * a[i]
        const k = 2 * b[i]
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
    out.re = y.re > 0 ? 0 : y.re < 0 ? Infinity : Number.NaN
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

/** Equal where both parts are, not equal where one is not. */
const ofBoth = (op: Op, together: (re: number, im: number) => number): Op => ({
  evaluate(call) {
    const [x, y] = sameType(call)
    const test = (which: 0 | 1) =>
      op.evaluate({ ...call, inputs: [part(x, which), part(y, which)] }) as TensorOf<'bool'>
    const [re, im] = [test(0), test(1)]
    return { ...re, data: re.data.map((equal, i) => together(equal, im.data[i])) }
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
      CORE.cast.Cast.evaluate({ ...call, inputs: [t], attrs: new Attrs({ DstT: dtype }) }) as ReturnType<typeof part>
    if (!isComplex(to)) return toType(part(complex(call, 0), 0), to)
    const dtype = partOf(to)
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
    // The sum has the shape, and refuses what is no axis.
    const { shape } = CORE.reduce.Sum.evaluate({ ...call, inputs: [part(x, 0), call.inputs[1]] }) as Tensor
    const reduced = new Set(
      integersOf(call.inputs[1], 'the axes').map((axis) => (axis < 0 ? axis + x.shape.length : axis)),
    )
    const targets = broadcastIndices(
      x.shape.map((dim, axis) => (reduced.has(axis) ? 1 : dim)),
      x.shape,
    )
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
  Equal: ofBoth(CORE.math.Equal, (re, im) => re & im),
  MatMul: ofPartProducts(linear.MatMul),
  Mul: binary(multiply),
  MulNoNan: binary((x, y, out) => (isZero(y) ? zero(out) : multiply(x, y, out))),
  NotEqual: ofBoth(CORE.math.NotEqual, (re, im) => re | im),
  Pow: binary(power),
  Prod: product,
  RealDiv: binary(divide),
  SquaredDifference: binary(squaredDifference),
}

export const ops = onComplex(entries)
