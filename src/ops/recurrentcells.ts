import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import type { NumberArray, Tensor } from '../tensor/index.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'

// Cells of recurrent networks as single ops, as tf.contrib.rnn's fused layers export them, after core/kernels/rnn/{lstm,gru}_ops.cc.

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** Row `row` of [a, b], side by side, times `w`, and `bias`. */
function affine(a: ArrayLike<number>, b: ArrayLike<number>, w: NumericTensor, bias: NumericTensor): Float64Array {
  const columns = w.shape[1]
  const weights = w.data as NumberArray
  const sums = new Float64Array(columns)
  for (let k = 0; k < a.length + b.length; k++) {
    const x = k < a.length ? a[k] : b[k - a.length]
    for (let c = 0; c < columns; c++) sums[c] += x * weights[k * columns + c]
  }
  for (let c = 0; c < columns; c++) sums[c] += Number(bias.data[c])
  return sums
}

function requireShape(t: NumericTensor, what: string, ...shape: readonly number[]): void {
  if (t.shape.length !== shape.length || t.shape.some((dim, d) => dim !== shape[d]))
    throw new InvalidArgumentError(`${what} must be of shape [${shape}], got [${t.shape}]`)
}

/** What the cells of an LSTM give: input gate, cell before its output, forget gate, output gate, and what goes in and out. */
const GATES = ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'] as const
type Gates = Readonly<Record<(typeof GATES)[number], Float32Array>>

interface Cell {
  readonly w: NumericTensor
  readonly b: NumericTensor
  /** The peepholes of i, f and o, null without. */
  readonly peepholes: readonly NumberArray[] | null
  readonly forgetBias: number
  readonly clip: number
  /** Where the gates i, c, f and o stand in w's columns. */
  readonly order: readonly [number, number, number, number]
}

/** The weights of an LSTM from input `first` on. */
function cellOf(
  call: Call,
  first: number,
  inputs: number,
  size: number,
  forgetBias: number,
  clip: number,
  order: Cell['order'],
): Cell {
  const [w, wci, wcf, wco, b] = [0, 1, 2, 3, 4].map((i) => numeric(call, first + i))
  requireShape(w, 'w', inputs + size, 4 * size)
  requireShape(b, 'b', 4 * size)
  const peepholes = call.attrs.boolean('use_peephole', false) ? [wci, wcf, wco] : null
  for (const peephole of peepholes ?? []) requireShape(peephole, 'a peephole', size)
  return { w, b, peepholes: peepholes?.map(({ data }) => data as NumberArray) ?? null, forgetBias, clip, order }
}

/** One step of one row. */
function step(cell: Cell, x: NumberArray, before: { cs: NumberArray; h: NumberArray }, to: Gates, at: number): void {
  const size = before.h.length
  const sums = affine(x, before.h, cell.w, cell.b)
  const [i, c, f, o] = cell.order.map((place) => place * size)
  for (let k = 0; k < size; k++) {
    const peep = (gate: number, state: number) => (cell.peepholes === null ? 0 : cell.peepholes[gate][k] * state)
    const into = sigmoid(sums[i + k] + peep(0, before.cs[k]))
    const candidate = Math.tanh(sums[c + k])
    const kept = sigmoid(sums[f + k] + cell.forgetBias + peep(1, before.cs[k]))
    const open = candidate * into + before.cs[k] * kept
    const state = cell.clip > 0 ? Math.min(Math.max(open, -cell.clip), cell.clip) : open
    const out = sigmoid(sums[o + k] + peep(2, state))
    const shown = Math.tanh(state)
    to.i[at + k] = into
    to.ci[at + k] = candidate
    to.f[at + k] = kept
    to.cs[at + k] = state
    to.o[at + k] = out
    to.co[at + k] = shown
    to.h[at + k] = shown * out
  }
}

const gates = (length: number): Gates => ({
  i: new Float32Array(length),
  cs: new Float32Array(length),
  f: new Float32Array(length),
  o: new Float32Array(length),
  ci: new Float32Array(length),
  co: new Float32Array(length),
  h: new Float32Array(length),
})
const tensors = (all: Gates, shape: readonly number[]): Tensor[] =>
  GATES.map((name) => ({ dtype: 'float32', shape, data: all[name] }))

function float32(t: NumericTensor): NumericTensor {
  if (t.dtype !== 'float32') throw new TypeError(`${t.dtype} is not a type of this op`)
  return t
}

/** The units of an LSTM whose states, both [batch, units], are these. */
function unitsOf(cs: NumericTensor, h: NumericTensor, batch: number): number {
  const units = cs.shape[1]
  requireShape(cs, 'cs_prev', batch, units)
  requireShape(h, 'h_prev', batch, units)
  return units
}

const lstmCell: Op = {
  outputs: GATES,
  evaluate(call) {
    const [x, cs, h] = [0, 1, 2].map((i) => float32(numeric(call, i)))
    if (x.shape.length !== 2) throw new InvalidArgumentError(`x must be a matrix, got [${x.shape}]`)
    const [batch, inputs] = x.shape
    const size = unitsOf(cs, h, batch)
    if (batch * size === 0) throw new InvalidArgumentError(`cs_prev is empty, has shape: [${cs.shape}]`)
    const { attrs } = call
    const cell = cellOf(
      call,
      3,
      inputs,
      size,
      attrs.number('forget_bias', 1),
      attrs.number('cell_clip', 3),
      [0, 1, 2, 3],
    )
    const all = gates(batch * size)
    for (let row = 0; row < batch; row++) {
      const before = { cs: rowOf(cs, row, size), h: rowOf(h, row, size) }
      step(cell, rowOf(x, row, inputs), before, all, row * size)
    }
    return tensors(all, [batch, size])
  },
}

const rowOf = (t: NumericTensor, row: number, width: number): NumberArray =>
  (t.data as NumberArray).subarray(row * width, (row + 1) * width)

/** A whole sequence [time, batch, inputs]; past `seq_len_max` all is zero. V2 has its gates in another order, and no forget bias. */
const blockLstm = (version: 1 | 2): Op => ({
  outputs: GATES,
  evaluate(call) {
    const [x, cs, h] = [1, 2, 3].map((i) => float32(numeric(call, i)))
    if (x.shape.length !== 3) throw new InvalidArgumentError(`x must be 3D, got [${x.shape}]`)
    const [time, batch, inputs] = x.shape
    const size = unitsOf(cs, h, batch)
    const steps = Number(numeric(call, 0).data[0])
    if (!(steps <= time)) throw new InvalidArgumentError(`seq_len_max ${steps} is more than the ${time} steps of x`)
    const { attrs } = call
    const cell =
      version === 1
        ? cellOf(call, 4, inputs, size, attrs.number('forget_bias', 1), attrs.number('cell_clip', 3), [0, 1, 2, 3])
        : cellOf(call, 4, inputs, size, 0, attrs.number('cell_clip', 0), [0, 2, 1, 3])
    const all = gates(time * batch * size)
    for (let t = 0; t < steps; t++) {
      for (let row = 0; row < batch; row++) {
        const at = (t * batch + row) * size
        const last = at - batch * size
        const before =
          t === 0
            ? { cs: rowOf(cs, row, size), h: rowOf(h, row, size) }
            : { cs: all.cs.subarray(last, last + size), h: all.h.subarray(last, last + size) }
        step(cell, rowOf(x, t * batch + row, inputs), before, all, at)
      }
    }
    return tensors(all, [time, batch, size])
  },
})

const gruCell: Op = {
  outputs: ['r', 'u', 'c', 'h'],
  evaluate(call) {
    const [x, h, gateWeights, weights, gateBias, bias] = [0, 1, 2, 3, 4, 5].map((i) => float32(numeric(call, i)))
    if (x.shape.length !== 2) throw new InvalidArgumentError(`x must be a matrix, got [${x.shape}]`)
    const [batch, inputs] = x.shape
    const size = h.shape[1]
    requireShape(h, 'h_prev', batch, size)
    requireShape(gateWeights, 'w_ru', inputs + size, 2 * size)
    requireShape(weights, 'w_c', inputs + size, size)
    requireShape(gateBias, 'b_ru', 2 * size)
    requireShape(bias, 'b_c', size)
    const [r, u, c, next] = [0, 1, 2, 3].map(() => new Float32Array(batch * size))
    for (let row = 0; row < batch; row++) {
      const [features, before] = [rowOf(x, row, inputs), rowOf(h, row, size)]
      const sums = affine(features, before, gateWeights, gateBias)
      const at = row * size
      for (let k = 0; k < size; k++) {
        r[at + k] = sigmoid(sums[k])
        u[at + k] = sigmoid(sums[size + k])
      }
      const candidates = affine(
        features,
        before.map((value, k) => value * r[at + k]),
        weights,
        bias,
      )
      for (let k = 0; k < size; k++) {
        c[at + k] = Math.tanh(candidates[k])
        next[at + k] = u[at + k] * before[k] + (1 - u[at + k]) * c[at + k]
      }
    }
    return [r, u, c, next].map(
      (data): Tensor => filled('float32', [batch, size], (out) => (out as NumberArray).set(data)),
    )
  },
}

export const ops: Readonly<Record<string, Op>> = {
  BlockLSTM: blockLstm(1),
  BlockLSTMV2: blockLstm(2),
  GRUBlockCell: gruCell,
  LSTMBlockCell: lstmCell,
}
