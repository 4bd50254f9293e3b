import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { type DType, type NumberArray, rounded } from '../tensor/index.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { filled, numeric } from './elementwise.ts'
import { packetSum } from './halfsums.ts'
import { integersOf } from './integers.ts'
import { floats } from './stepwise.ts'

// Softmax and the losses over it, after core/kernels/{softmax_op_functor.h,xent_op.cc,sparse_xent_op.cc}.

/** exp(x − max) along the last dimension, or its logarithm; divided by, or less, the (logarithm of the) sum. */
const softmax = (log: boolean): Op =>
  floats({
    evaluate(call) {
      const x = numeric(call, 0)
      const width = x.shape.at(-1)
      if (width === undefined) throw new InvalidArgumentError(`logits must have >= 1 dimension, got [${x.shape}]`)
      const data = x.data as NumberArray
      const round = rounding(x.dtype)
      return filled(x.dtype, x.shape, (out) => {
        for (let start = 0; start < data.length; start += width) {
          if (round !== exactly) {
            halves(data, out as NumberArray, start, width, round, log)
            continue
          }
          const { top, sum } = partition(data, start, width)
          for (let i = start; i < start + width; i++) {
            out[i] = log ? data[i] - top - Math.log(sum) : Math.exp(data[i] - top) / sum
          }
        }
      })
    },
  })

/** Half floats are rounded after every step of a softmax, as Eigen does; wider ones only at its end. */
function rounding(dtype: DType): (x: number) => number {
  if (dtype !== 'float16' && dtype !== 'bfloat16') return exactly
  const cell = new Float32Array(1)
  return (x) => {
    cell[0] = x
    return rounded(dtype, cell)[0]
  }
}

const exactly = (x: number): number => x

/** One row of half floats: Eigen multiplies by the sum's reciprocal. */
function halves(
  data: NumberArray,
  out: NumberArray,
  start: number,
  width: number,
  round: (x: number) => number,
  log: boolean,
): void {
  const row = Float32Array.from(data.subarray(start, start + width))
  const top = row.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY)
  const shifted = row.map((x) => round(x - top))
  const powers = shifted.map((x) => round(Math.exp(x)))
  const sum = packetSum(powers, round)
  const [logarithm, reciprocal] = [round(Math.log(sum)), round(1 / sum)]
  for (let i = 0; i < width; i++) out[start + i] = log ? shifted[i] - logarithm : powers[i] * reciprocal
}

/** The largest of a row of logits, and the sum of exp(x − largest). */
function partition(data: NumberArray, start: number, width: number): { top: number; sum: number } {
  let [top, sum] = [Number.NEGATIVE_INFINITY, 0]
  for (let i = start; i < start + width; i++) top = Math.max(top, data[i])
  for (let i = start; i < start + width; i++) sum += Math.exp(data[i] - top)
  return { top, sum }
}

/** −Σ label · log softmax(logits) of each row, and its gradient softmax − label. Rows broadcast. */
const crossEntropy: Op = {
  outputs: ['loss', 'backprop'],
  evaluate(call) {
    const [logits, labels] = [numeric(call, 0), numeric(call, 1)]
    const shape = broadcastShape(logits.shape, labels.shape)
    if (shape.length !== 2) {
      throw new InvalidArgumentError(
        `logits and labels must be either 2-dimensional, or broadcasted to be 2-dimensional: [${shape}]`,
      )
    }
    const [rows, width] = shape
    const [a, b] = [broadcastIndices(logits.shape, shape), broadcastIndices(labels.shape, shape)]
    const scores = Float64Array.from(a, (i) => Number(logits.data[i]))
    const loss = new Float64Array(rows)
    const backprop = filled(logits.dtype, shape, (out) => {
      for (let row = 0; row < rows; row++) {
        const { top, sum } = partition(scores, row * width, width)
        for (let i = row * width; i < (row + 1) * width; i++) {
          const label = Number(labels.data[b[i]])
          const log = scores[i] - top - Math.log(sum)
          loss[row] -= label === 0 ? 0 : label * log
          out[i] = Math.exp(log) - label
        }
      }
    })
    return [filled(logits.dtype, [rows], (out) => (out as NumberArray).set(loss)), backprop]
  },
}

/** The same with one class a row; a class that does not exist is refused. */
const sparseCrossEntropy: Op = {
  outputs: ['loss', 'backprop'],
  evaluate(call) {
    const logits = numeric(call, 0)
    const [, labels] = call.inputs
    if (logits.shape.length !== 2) throw new InvalidArgumentError(`logits must be 2-D, but got shape [${logits.shape}]`)
    if (labels.shape.length !== 1) throw new InvalidArgumentError(`labels must be 1-D, but got shape [${labels.shape}]`)
    const [rows, width] = logits.shape
    if (labels.shape[0] !== rows) {
      throw new InvalidArgumentError(
        `logits and labels must have the same first dimension, got logits shape [${logits.shape}] and labels shape [${labels.shape}]`,
      )
    }
    if (width === 0)
      throw new InvalidArgumentError(`Must have at least one class, but got logits shape [${logits.shape}]`)
    const classes = integersOf(labels, 'labels')
    const bad = classes.find((label) => !(label >= 0 && label < width))
    if (bad !== undefined) {
      throw new InvalidArgumentError(
        `Received a label value of ${bad} which is outside the valid range of [0, ${width}).  Label values: ${classes.join(' ')}`,
      )
    }
    const data = logits.data as NumberArray
    const loss = new Float64Array(rows)
    const backprop = filled(logits.dtype, logits.shape, (out) => {
      for (let row = 0; row < rows; row++) {
        const start = row * width
        const { top, sum } = partition(data, start, width)
        for (let i = start; i < start + width; i++) out[i] = Math.exp(data[i] - top) / sum
        const label = start + classes[row]
        loss[row] = Math.log(sum) + top - data[label]
        out[label] = Number(out[label]) - 1
      }
    })
    return [filled(logits.dtype, [rows], (out) => (out as NumberArray).set(loss)), backprop]
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
  SoftmaxCrossEntropyWithLogits: crossEntropy,
  SparseSoftmaxCrossEntropyWithLogits: sparseCrossEntropy,
}
