import type { Node, Value } from '../graph/index.ts'
import { arrayIn } from '../ops/tensorarrays.ts'
import { TensorList } from '../ops/tensorlist.ts'
import { sameShape, sizeOf, type Tensor } from '../tensor/index.ts'
import { type Floats, Frame, type Held, STEP } from './loopframe.ts'
import type { LoopInputs, LoopProgram, Place, Result } from './looprun.ts'

// The body of a loop as calls of kernels, for shapes that are known.

/** What a loop does in a step. */
export interface Body {
  readonly parameters: readonly Node[]
  readonly outputs: readonly Value[]
  /** Of each parameter whether it stays, and whether it is one more in each step. */
  readonly fixed: readonly boolean[]
  readonly counters: readonly boolean[]
  /** What depends on the step, in order. */
  readonly nodes: readonly Node[]
  /** What those read that does not. */
  readonly constants: readonly Value[]
}

/** Writes what a node is of its inputs: its outputs; null where it cannot. */
export type Write = (frame: Frame, inputs: readonly Held[], node: Node) => readonly Held[] | null

/**
 * The program of a loop for so many steps on tensors of these shapes; null where some op or layout has no kernel.
 * @param ops what writes the calls of each op
 */
export function compile(
  body: Body,
  steps: number,
  { inputs, constants }: LoopInputs,
  ops: ReadonlyMap<string, Write>,
): LoopProgram | null {
  const frame = new Frame(steps)
  const values = new Map<Node, readonly Held[]>()
  const held = ({ node, index }: Value): Held | undefined => {
    const i = body.constants.findIndex((constant) => constant.node === node && constant.index === index)
    return i < 0 ? values.get(node)?.[index] : fixed[i]
  }
  const fixed = constants.map((t, i) => constantHeld(t, i, frame))
  // The states come first: where each lies does not change from step to step.
  const states = body.parameters.map((parameter, i) => {
    if (body.fixed[i]) return null
    const state = varying(body, i, inputs[i], frame)
    values.set(parameter, [state])
    return state
  })
  for (const node of body.nodes) {
    const read = node.inputs.map(held)
    if (read.some((value) => value === undefined)) return null
    const made = isNextOf(body, node) ? [OTHER] : ops.get(node.op)?.(frame, read as Held[], node)
    if (made === null || made === undefined) return null
    values.set(node, made)
  }
  const results: Result[] = []
  const moves: [Place, Place, number][] = []
  for (const [i, output] of body.outputs.entries()) {
    const state = states[i]
    if (state === null) results.push({ kind: 'same' })
    else if (body.counters[i] && state.kind === 'counter') results.push({ kind: 'counter' })
    else {
      const value = held(output)
      if (state.kind === 'open' && value?.kind === 'written' && value.parameter === i) results.push(value.result)
      // TensorFlow hands it on as it came.
      else if (value?.kind === 'flow') results.push({ kind: 'same' })
      else {
        const next = frame.floatsOf(value)
        if (state.kind !== 'floats' || next === null || !sameShape(next.shape, state.shape)) return null
        results.push({ kind: 'state', offset: state.at.offset / 4, shape: state.shape })
        moves.push([state.at, next.at, 4 * sizeOf(state.shape)])
      }
    }
  }
  // What another state was is read before any is what it will be.
  const isState = (place: Place) =>
    place.base === 0 && states.some((s) => s?.kind === 'floats' && within(place, s as Floats))
  const from = moves.map(([, next, bytes]) => {
    if (!isState(next)) return next
    const copy = frame.room(bytes)
    frame.each.call(STEP.move, [copy, next, null], bytes)
    return copy
  })
  for (const [i, [state, , bytes]] of moves.entries()) frame.each.call(STEP.move, [state, from[i], null], bytes)
  const { sources, zeros, stored } = frame
  const [once, each] = [frame.once.code(), frame.each.code()]
  return { steps, frame: frame.floats, sources, zeros, once, each, stored, results }
}

const OTHER: Held = { kind: 'other' }

const within = ({ offset }: Place, { at, shape }: Floats): boolean =>
  offset >= at.offset && offset < at.offset + 4 * Math.max(1, sizeOf(shape))

/** Whether `node` is what a counter will be in the next step. */
const isNextOf = ({ outputs, counters }: Body, node: Node): boolean =>
  outputs.some((output, i) => counters[i] && output.node === node)

function constantHeld(t: Tensor, constant: number, frame: Frame): Held {
  if (t.dtype === 'float32')
    return {
      kind: 'floats',
      at: frame.source({ kind: 'tensor', constant }),
      shape: t.shape,
    }
  const array = arrayIn(t)
  if (array !== null) return { kind: 'array', constant, array }
  if (t.dtype === 'int32') return { kind: 'integers', constant, shape: t.shape }
  if (t.dtype !== 'variant') return OTHER
  const [list] = t.data
  return list instanceof TensorList ? { kind: 'list', constant, list } : OTHER
}

/** A parameter that changes: a counter, a list to be written, or a state. */
function varying({ counters }: Body, parameter: number, t: Tensor, frame: Frame): Held {
  if (counters[parameter]) return t.dtype === 'int32' && t.shape.length === 0 ? { kind: 'counter', parameter } : OTHER
  if (t.dtype === 'float32' && t.data.length > 0)
    return { kind: 'floats', at: frame.room(4 * sizeOf(t.shape)), shape: t.shape }
  return t.dtype === 'variant' && t.data[0] instanceof TensorList ? { kind: 'open', parameter } : OTHER
}
