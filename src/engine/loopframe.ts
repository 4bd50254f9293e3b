import type { TensorArray } from '../ops/tensorarrays.ts'
import type { TensorList } from '../ops/tensorlist.ts'
import { sameShape, sizeOf } from '../tensor/index.ts'
import { packedLength } from '../tensor/panels.ts'
import { operand } from './binary.ts'
import { aligned } from './linear.ts'
import type { Code, Place, Result, Source, Stored } from './looprun.ts'

// The calls of a loop's steps while they are written, and where each value lies.

type Shape = readonly number[]

/** What a value of the body is while the code is written. */
export type Held =
  | { readonly kind: 'floats' | 'mask'; readonly at: Place; readonly shape: Shape }
  /** One after another, one a step. */
  | { readonly kind: 'steps'; readonly of: 'floats' | 'mask'; readonly at: Place; readonly shape: Shape }
  | { readonly kind: 'counter'; readonly parameter: number }
  /** Integers that stay. */
  | { readonly kind: 'integers'; readonly constant: number; readonly shape: Shape }
  | { readonly kind: 'list'; readonly constant: number; readonly list: TensorList }
  | { readonly kind: 'array'; readonly constant: number; readonly array: TensorArray }
  | { readonly kind: 'open'; readonly parameter: number }
  | { readonly kind: 'written'; readonly parameter: number; readonly result: Result }
  /** The shape of a value, and ones in it. */
  | { readonly kind: 'dims' | 'ones'; readonly shape: Shape }
  /** What orders the ops on a TF1 array. */
  | { readonly kind: 'flow' }
  /** A number or an attribute of an op, or the next number of a counter. */
  | { readonly kind: 'other' }

export type Floats = Held & { kind: 'floats' }

/** The kernels' numbers in assembly/steps.ts. */
export const STEP = {
  move: 0,
  copyRows: 1,
  choose: 2,
  matmul: 3,
  dense: 4,
  packPanels: 5,
  binary: 6,
  unary: 14,
} as const

/** Floats that a product of all steps at once may take: what stays in the second cache. */
const MOST_AT_ONCE = 1 << 16

/**
 * Rows, of all steps, from which on a matrix that stays is laid in panels first. That takes as long as four rows; a row by
 * panels then takes 0.5 to 0.9 of the time.
 */
const PACKED = 32

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
  readonly stored: Stored[] = []
  readonly once = new Writer()
  readonly each = new Writer()
  private bytes = 0
  private readonly read = new Map<Held, Held>()
  private readonly panels = new Map<string, Place>()

  constructor(steps: number) {
    this.steps = steps
  }

  get floats(): number {
    return this.bytes / 4
  }

  /** Room for so many bytes; each value has its own, so none overlaps what it is made of. */
  room(bytes: number): Place {
    const offset = this.bytes
    this.bytes += aligned(bytes)
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
    const isPacked = isConstant(right) && !transposed && this.steps * m >= PACKED
    if (isPacked) writer.call(STEP.dense, [at, x.at, this.panelsOf(y, k, n)], rows, k, n)
    else writer.call(STEP.matmul, [at, x.at, y.at], rows, k, n, transposed ? 1 : 0)
    return isAtOnce ? { kind: 'steps', of: 'floats', at, shape: [m, n] } : { kind: 'floats', at, shape: [m, n] }
  }

  /** A matrix that stays as `dense` reads it, laid before the first step. */
  private panelsOf({ at: { base, offset } }: Floats, k: number, n: number): Place {
    // Of a part that begins where the whole does the panels are others.
    const name = `${base} ${offset} ${k} ${n}`
    let panels = this.panels.get(name)
    if (panels === undefined) {
      panels = this.room(4 * packedLength(k, n))
      this.panels.set(name, panels)
      this.once.call(STEP.packPanels, [panels, { base, offset }, null], k, n)
    }
    return panels
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
    if (mask.kind !== 'mask' || !sameShape(shape, y.shape)) return null
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
