import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Call, Op } from '../graph/index.ts'
import {
  type ArrayDType,
  type BigArray,
  fromFloat16,
  isBig,
  isFloat,
  isHalf,
  type NumberArray,
  sizeOf,
  type Tensor,
  type TypedArray,
  toFloat16,
} from '../tensor/index.ts'
import { ACTIVATIONS } from './activations.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { einsum } from './einsum.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'
import { halfTotal, type Order, orderOf, SEQUENCE } from './halfproducts.ts'

// Matrix products after core/kernels/matmul_op_impl.h, bias after bias_op.cc. Floats are summed in double and rounded
// once; integers wrap.

/** A matrix inside an array: element (row, column) lies at start + row·rowStep + column·columnStep. */
interface Matrix<A extends TypedArray> {
  readonly data: A
  readonly start: number
  readonly rowStep: number
  readonly columnStep: number
}

/** out[start …] = a [m×k] · b [k×n], row-major. */
function multiply(
  a: Matrix<NumberArray>,
  b: Matrix<NumberArray>,
  [m, k, n]: readonly [number, number, number],
  float: boolean,
  out: NumberArray,
  start: number,
): void {
  const sums = float ? new Float64Array(n) : new Int32Array(n)
  for (let row = 0; row < m; row++) {
    sums.fill(0)
    for (let l = 0; l < k; l++) {
      const x = a.data[a.start + row * a.rowStep + l * a.columnStep]
      let at = b.start + l * b.rowStep
      if (float) for (let j = 0; j < n; j++, at += b.columnStep) sums[j] += x * b.data[at]
      else for (let j = 0; j < n; j++, at += b.columnStep) sums[j] += Math.imul(x, b.data[at])
    }
    out.set(sums, start + row * n)
  }
}

/**
 * The same for half floats, to the bit. float16: each product and each sum is rounded, in Eigen's order. bfloat16: summed in
 * float32, one after the other, and cut off, not rounded (matmul_op_impl.h, FloatToBFloat16). Where terms cancel, that is most
 * of the result.
 */
function multiplyHalf(
  a: Matrix<NumberArray>,
  b: Matrix<NumberArray>,
  [m, k, n]: readonly [number, number, number],
  dtype: 'float16' | 'bfloat16',
  order: Order,
  out: Float32Array,
  start: number,
): void {
  const round = dtype === 'float16' ? (x: number) => fromFloat16(toFloat16(x)) : Math.fround
  const terms = new Float32Array(k)
  for (let row = 0; row < m; row++) {
    for (let j = 0; j < n; j++) {
      for (let l = 0; l < k; l++) {
        const x = a.data[a.start + row * a.rowStep + l * a.columnStep]
        terms[l] = round(x * b.data[b.start + l * b.rowStep + j * b.columnStep])
      }
      out[start + row * n + j] = halfTotal(terms, order, round)
    }
  }
  if (dtype === 'bfloat16') cutOff(out.subarray(start, start + m * n))
}

/** Drops the lower half of each float32, which leaves the bfloat16 towards zero. */
function cutOff(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) if (!Number.isNaN(values[i])) bits[i] &= 0xffff0000
}

/** The same for 64-bit integers. */
function multiplyBig(
  a: Matrix<BigArray>,
  b: Matrix<BigArray>,
  [m, k, n]: readonly [number, number, number],
  out: BigArray,
  start: number,
): void {
  for (let row = 0; row < m; row++) {
    for (let j = 0; j < n; j++) {
      let sum = 0n
      for (let l = 0; l < k; l++) {
        const x = a.data[a.start + row * a.rowStep + l * a.columnStep]
        sum += x * b.data[b.start + l * b.rowStep + j * b.columnStep]
      }
      out[start + row * n + j] = sum
    }
  }
}

/** a · b for each pair of matrices in the two last dimensions; the dimensions before them broadcast. */
function products(
  a: NumericTensor,
  b: NumericTensor,
  transposeA: boolean,
  transposeB: boolean,
  dtype: ArrayDType,
): Tensor {
  const [rowsA, columnsA] = a.shape.slice(-2)
  const [rowsB, columnsB] = b.shape.slice(-2)
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA]
  const [inner, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB]
  if (k !== inner) {
    throw new InvalidArgumentError(`Matrix size-incompatible: In[0]: [${a.shape}], In[1]: [${b.shape}]`)
  }
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const batch = broadcastShape(batchA, batchB)
  return filled(dtype, [...batch, m, n], (out) => {
    const [whichA, whichB] = [broadcastIndices(batchA, batch), broadcastIndices(batchB, batch)]
    const stepA = transposeA ? { rowStep: 1, columnStep: columnsA } : { rowStep: columnsA, columnStep: 1 }
    const stepB = transposeB ? { rowStep: 1, columnStep: columnsB } : { rowStep: columnsB, columnStep: 1 }
    for (let i = 0; i < whichA.length; i++) {
      const [startA, startB] = [whichA[i] * m * k, whichB[i] * k * n]
      if (isBig(dtype)) {
        const left = { data: a.data as BigArray, start: startA, ...stepA }
        const right = { data: b.data as BigArray, start: startB, ...stepB }
        multiplyBig(left, right, [m, k, n], out as BigArray, i * m * n)
      } else {
        const left = { data: a.data as NumberArray, start: startA, ...stepA }
        const right = { data: b.data as NumberArray, start: startB, ...stepB }
        const shape = [m, k, n] as const
        if (isHalf(dtype)) {
          const order = dtype === 'float16' ? orderOf(whichA.length, shape, transposeA, transposeB) : SEQUENCE
          multiplyHalf(left, right, shape, dtype, order, out as Float32Array, i * m * n)
        } else multiply(left, right, shape, isFloat(dtype), out as NumberArray, i * m * n)
      }
    }
  })
}

function operands(call: Call): [NumericTensor, NumericTensor] {
  const [a, b] = [numeric(call, 0), numeric(call, 1)]
  if (a.dtype === 'bool' || b.dtype === 'bool') throw new TypeError('matrices of bool cannot be multiplied')
  return [a, b]
}

function matrices(call: Call): Tensor {
  const [a, b] = operands(call)
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw new InvalidArgumentError(`In[0] and In[1] must be matrices: [${a.shape}] vs. [${b.shape}]`)
  }
  const { attrs } = call
  return products(a, b, attrs.boolean('transpose_a', false), attrs.boolean('transpose_b', false), a.dtype)
}

/** `broadcast` is what BatchMatMulV2 added: before it the batch dimensions had to be the same. V3 names its result's dtype. */
const batched = (broadcast: boolean, resultOf: (attrs: Attrs, a: NumericTensor) => ArrayDType): Op => ({
  evaluate(call) {
    const [a, b] = operands(call)
    for (const [i, { shape }] of [a, b].entries()) {
      if (shape.length < 2) throw new InvalidArgumentError(`In[${i}] ndims must be >= 2: ${shape.length}`)
    }
    if (!broadcast && `${a.shape.slice(0, -2)}` !== `${b.shape.slice(0, -2)}`) {
      throw new InvalidArgumentError(`In[0] and In[1] must have the same batch: [${a.shape}] vs. [${b.shape}]`)
    }
    const { attrs } = call
    return products(a, b, attrs.boolean('adj_x', false), attrs.boolean('adj_y', false), resultOf(attrs, a))
  },
})

const sameDType = (_: Attrs, a: NumericTensor): ArrayDType => a.dtype

/** x plus one bias a channel: the last dimension, or under NCHW dimension 1 of 3 to 5 dimensions. */
function addBias(x: NumericTensor, bias: NumericTensor, format: string): Tensor {
  if (x.shape.length < 2) throw new InvalidArgumentError(`Input tensor must be at least 2D: [${x.shape}]`)
  if (bias.shape.length !== 1) throw new InvalidArgumentError(`Biases must be 1D: [${bias.shape}]`)
  const channel = format === 'NCHW' ? 1 : x.shape.length - 1
  if (bias.shape[0] !== x.shape[channel]) {
    throw new InvalidArgumentError(
      `Must provide as many biases as the last dimension of the input tensor: [${bias.shape}] vs. [${x.shape}]`,
    )
  }
  const inner = sizeOf(x.shape.slice(channel + 1))
  const channels = bias.shape[0]
  return filled(x.dtype, x.shape, (out) => {
    if (isBig(x.dtype)) {
      const [from, add] = [x.data as BigArray, bias.data as BigArray]
      for (let i = 0; i < out.length; i++) out[i] = from[i] + add[Math.floor(i / inner) % channels]
    } else {
      const [from, add] = [x.data as NumberArray, bias.data as NumberArray]
      for (let i = 0; i < out.length; i++) out[i] = from[i] + add[Math.floor(i / inner) % channels]
    }
  })
}

const bias: Op = {
  evaluate: (call) => addBias(numeric(call, 0), numeric(call, 1), call.attrs.string('data_format', 'NHWC')),
}

/** The activations that _FusedMatMul knows; Tanh and Sigmoid since TensorFlow 2.16. */
const FUSED = ['Relu', 'Relu6', 'Elu', 'LeakyRelu', 'Tanh', 'Sigmoid']

/**
 * MatMul, then the bias and the activation that `fused_ops` names (kernels/matmul_op_fused.cc). Grappler writes it; an
 * optimised export holds it.
 */
const fused: Op = {
  evaluate(call) {
    const [first, activation, ...rest] = call.attrs.strings('fused_ops', [])
    const known = activation === undefined || FUSED.includes(activation)
    if (first !== 'BiasAdd' || !known || rest.length > 0) {
      throw new InvalidArgumentError(`Fusion is not implemented: [${call.attrs.strings('fused_ops', [])}]`)
    }
    const sum = addBias(matrices(call) as NumericTensor, numeric(call, 2), 'NHWC') as NumericTensor
    if (activation === undefined) return sum
    const apply = ACTIVATIONS[activation]
    const alpha = call.attrs.number('leakyrelu_alpha', 0.2)
    return filled(sum.dtype, sum.shape, (out) => {
      for (let i = 0; i < out.length; i++) out[i] = apply(Number(sum.data[i]), alpha)
    })
  },
}

/** Sums of products over named dimensions (kernels/linalg/einsum_op_impl.h). */
const einsumOp: Op = {
  evaluate(call) {
    const inputs = call.inputs.map((_, i) => numeric(call, i))
    return einsum(call.attrs.string('equation'), inputs)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  MatMul: { evaluate: matrices },
  BatchMatMul: batched(false, sameDType),
  BatchMatMulV2: batched(true, sameDType),
  BatchMatMulV3: batched(true, (attrs) => attrs.dtype('Tout') as ArrayDType),
  BiasAdd: bias,
  BiasAddV1: bias,
  Einsum: einsumOp,
  _FusedMatMul: fused,
}
