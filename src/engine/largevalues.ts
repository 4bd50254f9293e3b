import type { Held, Lifetimes, Step } from '../graph/index.ts'
import type { Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'

/** Bytes from which on a value is large: of smaller ones there is never much, and they are not looked at. */
const LARGE = 1 << 16

/** Room of one large value, from one address to another. */
interface Block {
  readonly start: number
  readonly end: number
  /** How many values of the run that made it lie in it. */
  users: number
  /** How many runs the one that made it is inside of. */
  depth: number
}

interface Gap {
  readonly start: number
  readonly end: number
}

/**
 * The room of a run's large values, used again when nobody reads them any more, so that a run takes what lives at once. Addresses
 * go on where the memory ends: what lies there is computed outside, and counted as if it were not, so that after a run the most
 * that it takes is known whether it fit or not.
 */
export class LargeValues implements Lifetimes {
  isUsed = false
  /** Bytes from which on a value is one of these. */
  readonly least: number
  private readonly memory: Memory
  /** Those that are taken and may be given back. */
  private blocks: Block[] = []
  private gaps: Gap[] = []
  /** Blocks of the step that is running. */
  private made: Block[] = []
  private depth = 0
  /** What steps made before a run inside them, at that depth, began. */
  private around: { readonly depth: number; readonly made: Block[] }[] = []
  /** Where values would lie that had no room. */
  private outside = new Map<unknown, Block>()

  constructor(memory: Memory, least = LARGE) {
    this.memory = memory
    this.least = least
  }

  /** Another run begins. */
  begin(): void {
    this.depth = 0
    if (!this.isUsed) return
    this.isUsed = false
    this.blocks = []
    this.gaps = []
    this.made = []
    this.around = []
    this.outside = new Map()
  }

  /** Room for so many bytes, in a gap or from `top` on, where all other room ends. */
  take(bytes: number, top: Pointer): Pointer {
    const start = this.gap(bytes) ?? top
    const block = { start, end: start + bytes, users: 0, depth: this.depth }
    this.isUsed = true
    this.blocks.push(block)
    this.made.push(block)
    return start
  }

  /** The first bytes of the smallest gap that holds so many. */
  private gap(bytes: number): Pointer | null {
    let best: Gap | null = null
    for (const gap of this.gaps) {
      const size = gap.end - gap.start
      if (size >= bytes && (best === null || size < best.end - best.start)) best = gap
    }
    if (best === null) return null
    const { start, end } = best
    this.gaps.splice(this.gaps.indexOf(best), 1)
    if (end > start + bytes) this.gaps.push({ start: start + bytes, end })
    return start
  }

  private giveBack(block: Block): void {
    this.blocks.splice(this.blocks.indexOf(block), 1)
    let { start, end } = block
    this.gaps = this.gaps.filter((gap) => {
      if (gap.end === start) start = gap.start
      else if (gap.start === end) end = gap.end
      else return true
      return false
    })
    if (end === this.memory.top) this.memory.top = start
    else this.gaps.push({ start, end })
  }

  private blockOf(t: Held): Block | undefined {
    const data = t?.data
    if (!ArrayBuffer.isView(data)) return undefined
    if (!this.memory.holds(data)) return this.outside.get(data)
    return this.blocks.find(({ start, end }) => data.byteOffset >= start && data.byteOffset < end)
  }

  settle({ inputs, output, count, last }: Step, values: readonly Held[]): void {
    if (this.blocks.length === 0) return
    let keeps = false
    for (let i = 0; i < inputs.length; i++) keeps ||= isOpaque(values[inputs[i]])
    for (let i = 0; i < count; i++) keeps ||= isOpaque(values[output + i])
    const { made } = this
    if (keeps) this.forget(new Set([...inputs.map((slot) => this.blockOf(values[slot])), ...made]))
    else if (made.length > 0) {
      const lost = made.find(({ end }) => this.memory.isPast(end))
      // Computed outside, for want of the room that was asked for first.
      if (lost !== undefined && this.blockOf(values[output]) === undefined) this.outside.set(values[output]?.data, lost)
    }
    for (let i = 0; i < count; i++) {
      const block = this.blockOf(values[output + i])
      if (block?.depth === this.depth) block.users++
    }
    if (made.length > 0) {
      this.made = []
      if (!keeps) for (const block of made) if (block.users === 0) this.giveBack(block)
    }
    for (let i = 0; i < last.length; i++) {
      const block = this.blockOf(values[last[i]])
      if (block?.depth === this.depth && --block.users === 0) this.giveBack(block)
    }
  }

  /** Lists, tables and arrays of TF 1 keep what they were given, and what was made for them. */
  private forget(kept: ReadonlySet<Block | undefined>): void {
    this.blocks = this.blocks.filter((block) => !kept.has(block))
  }

  enter(): void {
    this.depth++
    if (this.made.length === 0) return
    this.around.push({ depth: this.depth, made: this.made })
    this.made = []
  }

  leave(): void {
    const { depth } = this
    this.depth--
    if (!this.isUsed) return
    // What the run inside leaves, its outputs above all, belongs to the step that it was a part of.
    const left = this.blocks.filter((block) => block.depth === depth)
    for (const block of left) {
      block.depth--
      block.users = 0
    }
    const made = this.around.at(-1)?.depth === depth ? this.around.pop()?.made : []
    this.made = [...(made ?? []), ...left]
  }
}

const isOpaque = (t: Held): boolean => t?.dtype === 'variant' || t?.dtype === 'resource'

/** Has the memory use the room of large values again. */
export function bind(_place: Place, memory: Memory): void {
  memory.large = new LargeValues(memory)
}
