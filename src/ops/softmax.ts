import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import type { NumberArray } from '../tensor/index.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { filled, numeric } from './elementwise.ts'
import { type HalfReducer, halfRounding, halfSum, reduceRun } from './halfsums.ts'
import { integersOf } from './integers.ts'
import { floats } from './stepwise.ts'

// Softmax and losses, after core/kernels/{softmax_op_functor.h,xent_op.cc,sparse_xent_op.cc}.

/** exp(x − max) along the last dimension, or its logarithm; divided by, or less, the (logarithm of the) sum. */
const softmax = (log: boolean): Op =>
  floats({
    evaluate(call) {
      const x = numeric(call, 0)
      const width = x.shape.at(-1)
      if (width === undefined) throw new InvalidArgumentError(`logits must have >= 1 dimension, got [${x.shape}]`)
      const data = x.data as NumberArray
      const round = halfRounding(x.dtype)
      return filled(x.dtype, x.shape, (out) => {
        if (round !== null) {
          halves(data as Float32Array, out as NumberArray, width, log, halfSum(x.dtype, round))
          return
        }
        for (let start = 0; start < data.length; start += width) {
          const { top, sum } = partition(data, start, width)
          for (let i = start; i < start + width; i++) {
            out[i] = log ? data[i] - top - Math.log(sum) : Math.exp(data[i] - top) / sum
          }
        }
      })
    },
  })

/** Rows of half floats, rounded after every step as Eigen does; it multiplies by the sum's reciprocal. */
function halves(data: Float32Array, out: NumberArray, width: number, log: boolean, reducer: HalfReducer): void {
  const { round } = reducer
  const powers = new Float32Array(data.length)
  for (let start = 0; start < data.length; start += width) {
    const row = data.subarray(start, start + width)
    const top = row.reduce((most, x) => Math.max(most, x), -Infinity)
    const shifted = row.map((x) => round(x - top))
    for (let i = 0; i < width; i++) powers[start + i] = round(Math.exp(shifted[i]))
    const sum = reduceRun(powers, start, start + width, reducer)
    const [logarithm, reciprocal] = [round(Math.log(sum)), round(1 / sum)]
    for (let i = 0; i < width; i++) out[start + i] = log ? shifted[i] - logarithm : powers[start + i] * reciprocal
  }
}

/** The largest of a row of logits, and the sum of exp(x − largest). */
function partition(data: NumberArray, start: number, width: number): { top: number; sum: number } {
  let [top, sum] = [-Infinity, 0]
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
