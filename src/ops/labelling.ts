import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type Tensor, type TensorOf, tensor } from '../tensor/index.ts'
import { integersOf } from './integers.ts'
import { int32, int64 } from './tokens.ts'

// The best sequence of labels under what may follow what, after tensorflow_text's core/kernels/constrained_sequence.cc.

/** No label can stand here. */
const ERROR = -1
const LOWEST = -3.4028234663852886e38

type Matrix = (row: number, column: number) => number

/** What a step from one state to another costs and whether it may be taken; both may be left out. */
interface Transitions {
  readonly weight: Matrix | null
  readonly allowed: Matrix | null
  /** A score with what is joined to it, in float32: a sum of logarithms, or a product. */
  readonly join: (score: number, other: number) => number
  /** Whether the sequence begins and ends in a state of its own, whose number is the count of the others. */
  readonly ends: boolean
  readonly log: boolean
}

function constraint(t: Tensor, size: number, name: string): Matrix | null {
  if (t.data.length === 0) return null
  if (t.shape.length !== 2 || t.shape[0] !== size || t.shape[1] !== size)
    throw new InvalidArgumentError(`${name} must have the shape [${size}, ${size}], got [${t.shape}]`)
  const data = t.data as ArrayLike<number>
  return (row, column) => data[row * size + column]
}

/** In products, what all scores are divided by, that they do not vanish. */
function normalize(scores: Float64Array): void {
  const most = scores.reduce((top, score) => Math.max(top, score), LOWEST)
  if (most > 0) for (let i = 0; i < scores.length; i++) scores[i] /= most
}

/** The path of the highest score; the later state of two that are equal. */
function viterbi(score: Matrix, steps: number, states: number, how: Transitions): number[] {
  const { weight, allowed, join, ends, log } = how
  const back: Int32Array[] = []
  let before = new Float64Array(states)
  for (let step = 0; step < steps; step++) {
    const now = new Float64Array(states).fill(LOWEST)
    const from = new Int32Array(states).fill(ERROR)
    for (let state = 0; state < states; state++) {
      if (step === 0) {
        if (ends && allowed !== null && !allowed(states, state)) continue
        from[state] = states
        now[state] = ends && weight !== null ? join(score(0, state), weight(states, state)) : score(0, state)
        continue
      }
      for (let last = 0; last < states; last++) {
        if (back[step - 1][last] === ERROR || (allowed !== null && !allowed(last, state))) continue
        const alone = join(score(step, state), before[last])
        const whole = weight === null ? alone : join(alone, weight(last, state))
        if (whole >= now[state]) {
          now[state] = whole
          from[state] = last
        }
      }
    }
    if (!log) normalize(now)
    back.push(from)
    before = now
  }
  let [state, best] = [ERROR, LOWEST]
  for (let last = 0; steps > 0 && last < states; last++) {
    if (back[steps - 1][last] === ERROR || (ends && allowed !== null && !allowed(last, states))) continue
    const alone = Math.fround(before[last])
    const whole = ends && weight !== null ? join(alone, weight(last, states)) : alone
    if (whole >= best) [state, best] = [last, whole]
  }
  const path = new Array<number>(steps).fill(ERROR)
  for (let step = steps - 1; step >= 0 && state !== ERROR; step--) {
    path[step] = state
    state = back[step][state]
  }
  return path
}

/** At each step the highest score that the last one allows; the later state of two that are equal. */
function greedy(score: Matrix, steps: number, states: number, how: Transitions): number[] {
  const { weight, allowed, join, ends } = how
  const path: number[] = []
  for (let step = 0; step < steps; step++) {
    const last = step === 0 ? states : path[step - 1]
    const closes = ends && step === steps - 1
    let [best, most] = [ERROR, LOWEST]
    for (let state = 0; last !== ERROR && state < states; state++) {
      let whole = score(step, state)
      if (ends || step > 0) {
        if (allowed !== null && (!allowed(last, state) || (closes && !allowed(state, states)))) continue
        if (weight !== null) {
          whole = join(whole, weight(last, state))
          if (closes) whole = join(whole, weight(state, states))
        }
      }
      if (whole >= most) [best, most] = [state, whole]
    }
    path.push(best)
  }
  return path
}

const constrained: Op = {
  outputs: ['states', 'states_splits'],
  evaluate(call: Call) {
    const [scores, lengths, permitted, weights] = call.inputs as [TensorOf<'float32'>, Tensor, Tensor, Tensor]
    const { attrs } = call
    if (scores.shape.length !== 2 && scores.shape.length !== 3)
      throw new InvalidArgumentError(`The score tensor must be of rank 2 or 3, got the shape [${scores.shape}]`)
    const [batch, most, states] = scores.shape.length === 3 ? scores.shape : [1, ...scores.shape]
    const counts = integersOf(lengths, 'sequence_lengths')
    if (counts.length !== batch)
      throw new InvalidArgumentError(
        `There should be one length an element of the batch of ${batch}, got ${counts.length}`,
      )
    if (counts.some((count) => count > most || count < 0))
      throw new InvalidArgumentError(`scores of ${most} steps are too few for the lengths [${counts}]`)
    const [ends, log] = [attrs.boolean('use_start_and_end_states'), attrs.boolean('use_log_space')]
    const size = ends ? states + 1 : states
    if (!log && (weights.data as Float32Array).some((weight) => weight < 0))
      throw new InvalidArgumentError('The transition weights tensor must not contain negative values.')
    const how: Transitions = {
      allowed: constraint(permitted, size, 'allowed_transitions'),
      weight: constraint(weights, size, 'transition_weights'),
      join: log ? (score, other) => Math.fround(score + other) : (score, other) => Math.fround(score * other),
      ends,
      log,
    }
    const solve = attrs.boolean('use_viterbi') ? viterbi : greedy
    const [labels, offsets]: number[][] = [[], [0]]
    counts.forEach((steps, i) => {
      labels.push(...solve((step, state) => scores.data[(i * most + step) * states + state], steps, states, how))
      offsets.push(labels.length)
    })
    const splits = attrs.dtype('Tsplits', 'int64') === 'int64' ? int64(offsets) : int32(offsets)
    return [tensor('int32', [labels.length], Int32Array.from(labels)), splits]
  },
}

export const ops: Readonly<Record<string, Op>> = {
  ConstrainedSequence: constrained,
}
