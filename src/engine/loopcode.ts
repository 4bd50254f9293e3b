import type { Node, Value } from '../graph/index.ts'
import { TensorList } from '../ops/tensorlist.ts'
import { sizeOf, type Tensor } from '../tensor/index.ts'
import {
  type Code,
  isSame,
  type LoopInputs,
  type LoopProgram,
  type Place,
  type Result,
  type Source,
} from './looprun.ts'
import { operand } from './table.ts'

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

type Shape = readonly number[]

/** What a value of the body is while the code is written. */
export type Held =
  | { readonly kind: 'floats' | 'mask'; readonly at: Place; readonly shape: Shape }
  /** One after another, one a step. */
  | { readonly kind: 'steps'; readonly of: 'floats' | 'mask'; readonly at: Place; readonly shape: Shape }
  | { readonly kind: 'counter'; readonly parameter: number }
  | { readonly kind: 'list'; readonly constant: number; readonly list: TensorList }
  | { readonly kind: 'open'; readonly parameter: number }
  | { readonly kind: 'written'; readonly parameter: number; readonly result: Result }
  /** A number or an attribute of an op, or the next number of a counter. */
  | { readonly kind: 'other' }

export type Floats = Held & { kind: 'floats' }

/** The kernels' numbers in assembly/steps.ts. */
export const STEP = { move: 0, copyRows: 1, choose: 2, matmul: 3, binary: 4, unary: 12 } as const

/** Floats that a product of all steps at once may take: what stays in the second cache. */
const MOST_AT_ONCE = 1 << 16

/** Calls being written. */
class Writer {
  private readonly words: number[] = []
  private readonly addresses: number[] = []

  call(what: number, places: readonly (Place | null)[], ...rest: number[]): void {
    const [out, a, b] = places
    const at = this.words.length
    this.words.push(what, 0, 0, 0, ...rest, ...new Array<number>(6 - rest.length).fill(0))
    this.address(at + 1, out)
    this.address(at + 2, a)
    this.address(at + 3, b)
  }

  address(word: number, place: Place | null): void {
    if (place === null) return
    this.words[word] = place.offset
    this.addresses.push(word, place.base)
  }

  get end(): number {
    return this.words.length
  }

  code(): Code {
    return {
      words: Int32Array.from(this.words),
      addresses: Int32Array.from(this.addresses),
      count: this.words.length / 10,
    }
  }
}

/** What the ops write their calls with. */
export class Frame {
  readonly steps: number
  readonly sources: Source[] = []
  readonly zeros: [number, number][] = []
  readonly once = new Writer()
  readonly each = new Writer()
  private bytes = 0
  private readonly read = new Map<Held, Held>()

  constructor(steps: number) {
    this.steps = steps
  }

  get floats(): number {
    return this.bytes / 4
  }

  /** Room for so many bytes; each value has its own, so none overlaps what it is made of. */
  room(bytes: number): Place {
    const offset = this.bytes
    this.bytes += Math.ceil(bytes / 64) * 64
    return { base: 0, offset }
  }

  source(source: Source): Place {
    this.sources.push(source)
    return { base: this.sources.length, offset: 0 }
  }

  /** This step's of what there is one a step of, once however many read it; others as they are. */
  now(held: Held): Held {
    if (held.kind !== 'steps') return held
    let known = this.read.get(held)
    if (known === undefined) {
      const bytes = sizeOf(held.shape) * (held.of === 'floats' ? 4 : 1)
      const at = this.room(bytes)
      this.each.call(STEP.move, [at, held.at, null], bytes, 0, bytes)
      known = { kind: held.of, at, shape: held.shape }
      this.read.set(held, known)
    }
    return known
  }

  /** This step's floats; null where the value is none. */
  floatsOf(held: Held | undefined): Floats | null {
    const now = held === undefined ? null : this.now(held)
    return now?.kind === 'floats' ? (now as Floats) : null
  }

  unary(what: number, x: Floats, alpha: number): Floats {
    const size = sizeOf(x.shape)
    const at = this.room(4 * size)
    this.each.call(STEP.unary + what, [at, x.at, null], size, bits(alpha))
    return { kind: 'floats', at, shape: x.shape }
  }

  /** `kernel` of both, broadcast as the kernels can; null for other broadcasts. */
  binary(kernel: number, left: Held, right: Held): Held | null {
    const allSteps = left.kind === 'steps' && left.of === 'floats' && isConstant(right) ? left : null
    const [x, y] = [allSteps ?? this.floatsOf(left), this.floatsOf(right)]
    if (x === null || y === null) return null
    const shape = x.shape.length >= y.shape.length && sizeOf(x.shape) >= sizeOf(y.shape) ? x.shape : y.shape
    const size = sizeOf(shape)
    const n = shape[shape.length - 1] ?? 1
    const [a, b] = [operand(x.shape, shape, size / n, n), operand(y.shape, shape, size / n, n)]
    if (size === 0 || a === null || b === null) return null
    const isAtOnce =
      allSteps !== null && b.row === 0 && a.step === 1 && a.row === n && size * this.steps <= MOST_AT_ONCE
    const from = isAtOnce ? x : this.floatsOf(left)
    if (from === null) return null
    const rows = isAtOnce ? (this.steps * size) / n : size / n
    const at = this.room(4 * rows * n)
    const writer = isAtOnce ? this.once : this.each
    writer.call(STEP.binary + kernel, [at, from.at, y.at], rows, n, a.row, a.step, b.row, b.step)
    return isAtOnce ? { kind: 'steps', of: 'floats', at, shape } : { kind: 'floats', at, shape }
  }

  /** The product of two matrices, of all steps at once where the left ones are read and the right one stays. */
  product(left: Held, right: Held, transposed: boolean): Held | null {
    const y = this.floatsOf(right)
    const isRead = left.kind === 'steps' && left.of === 'floats' && isConstant(right)
    if (y?.shape.length !== 2 || (!isRead && this.floatsOf(left) === null)) return null
    const [m, k] = (left as Floats).shape
    const [inner, n] = transposed ? [y.shape[1], y.shape[0]] : y.shape
    if ((left as Floats).shape.length !== 2 || inner !== k || m * k * n === 0) return null
    const isAtOnce = isRead && this.steps * m * n <= MOST_AT_ONCE
    const x = isAtOnce ? left : (this.floatsOf(left) as Floats)
    const rows = isAtOnce ? this.steps * m : m
    const at = this.room(4 * rows * n)
    const writer = isAtOnce ? this.once : this.each
    writer.call(STEP.matmul, [at, x.at, y.at], rows, k, n, transposed ? 1 : 0)
    return isAtOnce ? { kind: 'steps', of: 'floats', at, shape: [m, n] } : { kind: 'floats', at, shape: [m, n] }
  }

  /** The part of x from `from` to `to` along an axis. */
  part(x: Floats, axis: number, from: number, to: number): Floats {
    const outer = sizeOf(x.shape.slice(0, axis))
    const inner = sizeOf(x.shape.slice(axis + 1))
    const shape = x.shape.with(axis, to - from)
    const start = { base: x.at.base, offset: x.at.offset + 4 * from * inner }
    if (outer === 1) return { kind: 'floats', at: start, shape }
    const n = (to - from) * inner
    const at = this.room(4 * outer * n)
    this.each.call(STEP.copyRows, [at, start, null], outer, n, n, x.shape[axis] * inner)
    return { kind: 'floats', at, shape }
  }

  /** All along an axis; they agree in every other. */
  joined(parts: readonly Floats[], axis: number): Floats {
    const [{ shape: first }] = parts
    const [outer, inner] = [sizeOf(first.slice(0, axis)), sizeOf(first.slice(axis + 1))]
    const whole = parts.reduce((sum, { shape }) => sum + shape[axis], 0)
    const at = this.room(4 * outer * whole * inner)
    let offset = at.offset
    for (const part of parts) {
      const n = part.shape[axis] * inner
      this.each.call(STEP.copyRows, [{ base: 0, offset }, part.at, null], outer, n, whole * inner, n)
      offset += 4 * n
    }
    return { kind: 'floats', at, shape: first.with(axis, whole) }
  }

  /** x where the mask is set, else y; null where the mask is broadcast otherwise than the kernel can. */
  choose(mask: Held, x: Floats, y: Floats): Floats | null {
    const { shape } = x
    const n = shape[shape.length - 1] ?? 1
    const rows = sizeOf(shape) / n
    if (mask.kind !== 'mask' || !isSame(shape, y.shape)) return null
    const layout = operand(mask.shape, shape, rows, n)
    if (layout === null) return null
    const at = this.room(4 * rows * n)
    const call = this.each.end
    this.each.call(STEP.choose, [at, mask.at, x.at], 0, rows, n, layout.row, layout.step)
    this.each.address(call + 4, y.at)
    return { kind: 'floats', at, shape }
  }
}

/** Whether a value lies in an array that no step changes. */
const isConstant = (held: Held): boolean => held.kind === 'floats' && held.at.base > 0

const bits = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]

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
      else {
        const next = frame.floatsOf(value)
        if (state.kind !== 'floats' || next === null || !isSame(next.shape, state.shape)) return null
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
  const { sources, zeros } = frame
  return { steps, frame: frame.floats, sources, zeros, once: frame.once.code(), each: frame.each.code(), results }
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
      at: frame.source({ constant, dtype: t.dtype, from: null, shape: t.shape }),
      shape: t.shape,
    }
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
