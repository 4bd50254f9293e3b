// The steps of a loop in one call: a list of kernels' calls, gone through once a step, so that nothing but the arithmetic is
// left of a recurrent cell. Each is the very kernel that runs where an op stands alone, so the numbers are the same.
//
// A call is 10 words of 4 bytes: what, out, a, b, and six that are each one's own:
//
//   a binary kernel   rows, n, aRow, aStep, bRow, bStep
//   a unary kernel    n, alpha (f32)
//   matmul            m, k, n, transposeB
//   dense             rows, k, n: b in panels, neither bias nor activation
//   packPanels        k, n
//   copyRows          rows, n, outRow, aRow
//   move              bytes, outStep, aStep: copies between out + step · outStep and a + step · aStep
//   choose            y, rows, n, row, step: out[r, c] = a's byte at r · row + c · step not 0 ? b[r, c] : y[r, c]
//
// A row through an LSTM of 64 units and 50 steps: 0.38 ms where op by op it took 2.3 (median of requests, Node 20, baseline).
import { add, copyRows, div, divNoNan, maximum, minimum, mul, squaredDifference, sub } from './binary'
import { choose } from './choose'
import { dense, packPanels } from './dense'
import { matmul } from './matmul'
import {
  abs, ceil, elu, erf, exp, floor, leakyRelu, log, log1p, neg, reciprocal, relu, relu6, rint, rsqrt, selu, sigmoid,
  softplus, sqrt, square, tanh, Unary,
} from './unary'

/** The host knows them by these numbers; from `unary` on it is that and the unary kernel's own. */
const enum Step {
  move,
  copyRows,
  choose,
  matmul,
  dense,
  packPanels,
  add,
  sub,
  mul,
  div,
  divNoNan,
  maximum,
  minimum,
  squaredDifference,
  unary,
}

const WORDS: usize = 10 << 2

// @ts-ignore: decorator
@inline
function word(call: usize, i: usize): i32 {
  return i32.load(call + (i << 2))
}

/** Goes `steps` times through the `count` calls of `code`. */
export function runSteps(code: usize, count: i32, steps: i32): void {
  const end = code + <usize>count * WORDS
  for (let step = 0; step < steps; step++) for (let call = code; call < end; call += WORDS) run(call, <usize>step)
}

function run(call: usize, step: usize): void {
  const what = word(call, 0)
  const out = <usize>word(call, 1), a = <usize>word(call, 2), b = <usize>word(call, 3)
  const p = word(call, 4), q = word(call, 5), r = word(call, 6), s = word(call, 7), t = word(call, 8), u = word(call, 9)
  switch (what) {
    case Step.move: return move(out + step * <usize>q, a + step * <usize>r, <usize>p)
    case Step.copyRows: return copyRows(out, a, p, q, r, s)
    case Step.choose: return choose(out, a, b, <usize>p, q, r, s, t, r, 1, r, 1)
    case Step.matmul: return matmul(out, a, b, p, q, r, s != 0)
    case Step.dense: return dense(out, a, b, 0, p, q, r, Unary.none, 0)
    case Step.packPanels: return packPanels(out, a, p, q)
    case Step.add: return add(out, a, b, p, q, r, s, t, u)
    case Step.sub: return sub(out, a, b, p, q, r, s, t, u)
    case Step.mul: return mul(out, a, b, p, q, r, s, t, u)
    case Step.div: return div(out, a, b, p, q, r, s, t, u)
    case Step.divNoNan: return divNoNan(out, a, b, p, q, r, s, t, u)
    case Step.maximum: return maximum(out, a, b, p, q, r, s, t, u)
    case Step.minimum: return minimum(out, a, b, p, q, r, s, t, u)
    case Step.squaredDifference: return squaredDifference(out, a, b, p, q, r, s, t, u)
  }
  map(what - Step.unary, out, a, p, f32.load(call + (5 << 2)))
}

function map(op: Unary, out: usize, x: usize, n: i32, alpha: f32): void {
  switch (op) {
    case Unary.relu: return relu(out, x, n)
    case Unary.sigmoid: return sigmoid(out, x, n)
    case Unary.tanh: return tanh(out, x, n)
    case Unary.relu6: return relu6(out, x, n)
    case Unary.elu: return elu(out, x, n, alpha)
    case Unary.selu: return selu(out, x, n)
    case Unary.leakyRelu: return leakyRelu(out, x, n, alpha)
    case Unary.softplus: return softplus(out, x, n)
    case Unary.exp: return exp(out, x, n)
    case Unary.log: return log(out, x, n)
    case Unary.log1p: return log1p(out, x, n)
    case Unary.sqrt: return sqrt(out, x, n)
    case Unary.rsqrt: return rsqrt(out, x, n)
    case Unary.square: return square(out, x, n)
    case Unary.neg: return neg(out, x, n)
    case Unary.abs: return abs(out, x, n)
    case Unary.erf: return erf(out, x, n)
    case Unary.reciprocal: return reciprocal(out, x, n)
    case Unary.floor: return floor(out, x, n)
    case Unary.ceil: return ceil(out, x, n)
    case Unary.rint: return rint(out, x, n)
  }
}

/** Most of what is moved is a few numbers: a call of memory.copy would take longer than this loop. */
function move(out: usize, x: usize, bytes: usize): void {
  if (bytes > 256) return memory.copy(out, x, bytes)
  const end = x + bytes
  for (; x + 16 <= end; x += 16, out += 16) v128.store(out, v128.load(x))
  for (; x + 4 <= end; x += 4, out += 4) i32.store(out, i32.load(x))
  for (; x < end; x++, out++) i32.store8(out, i32.load8_u(x))
}
