import { ARENA_START, type Pointer } from './kernels.ts'
import type { LargeValues } from './largevalues.ts'
import { aligned, MOST_BYTES, PAGE, TILE_ROWS } from './linear.ts'

/** What kernels read: weights and values. */
export type Elements = Float32Array | Int8Array | Int32Array | Uint8Array | Uint32Array

/** Room for the values of small batches; larger batches grow it. */
export const FIRST_ARENA: number = 4 << 20

/** Where a memory lies, and what it begins with. */
export interface MemoryOptions {
  /** Bytes that stay from the beginning on, for what a bundle has for kernels. */
  readonly weights?: number
  /** That threads may share it, each with an arena of its own: kernels must be compiled for it. */
  readonly shared?: boolean
  /** Another thread's memory, whose weights are read and in which a new arena lies. */
  readonly beside?: WebAssembly.Memory
}

const WEIGHTS_START = aligned(ARENA_START)
const pages = (bytes: number): number => Math.ceil(bytes / PAGE)

/** Thrown where a run lacks room and is begun anew. No Error, so that nobody on the way takes it for a model's. */
const LACKS_ROOM = Symbol('lacks room')

/**
 * The kernels' linear memory: first what stays (weights), then an arena for the values of one run. Growing the memory
 * would take away the views of values in flight, so it never grows while there are any: a run that lacks room is begun anew
 * in a larger arena, and where that cannot be, what does not fit is computed outside.
 */
export class Memory {
  readonly wasm: WebAssembly.Memory
  /** How often it has grown, which takes all views of it away. */
  growths = 0
  private readonly isShared: boolean
  /** Whether the current run may be begun anew. */
  private isOpen = false
  /** Bytes that the arena has to begin with. */
  private readonly spare: number
  /** `TILE_ROWS` bytes of these kernels alone, whoever shares the memory. */
  readonly rows: Pointer
  /** Between these lies the arena. */
  private bottom: Pointer
  private end: Pointer
  /** The end of all room that the current run has taken and not given back, and the furthest that it was, there or not. */
  top: Pointer
  private most: Pointer
  /** What uses room again within a run; without it a run keeps all until it ends. */
  large: LargeValues | null = null
  /** Told of each copy that `address` makes: a plan makes it again. */
  copied: ((values: Elements, at: Pointer) => void) | null = null
  private readonly kept = new WeakMap<ArrayBufferView, Pointer>()
  /** The memory's buffer, which is another one each time it has grown: asking for it costs more than a small kernel. */
  private buffer: ArrayBuffer
  private floats: Float32Array

  /** @param spare bytes for the values of a run, to begin with; pages are real memory only once they are written */
  constructor(spare: number, { weights = 0, shared = false, beside }: MemoryOptions = {}) {
    this.spare = spare
    this.isShared = shared || beside !== undefined
    if (beside === undefined) {
      this.rows = WEIGHTS_START + aligned(weights)
      const initial = pages(this.rows + TILE_ROWS + spare)
      this.wasm = new WebAssembly.Memory(shared ? { initial, maximum: MOST_BYTES / PAGE, shared } : { initial })
      this.end = initial * PAGE
    } else {
      this.wasm = beside
      const own = pages(TILE_ROWS + spare)
      this.rows = beside.grow(own) * PAGE
      this.end = this.rows + own * PAGE
    }
    this.bottom = this.rows + TILE_ROWS
    this.top = this.bottom
    this.most = this.bottom
    this.buffer = this.wasm.buffer
    this.floats = new Float32Array(this.buffer)
  }

  /** Bytes `start` up to `end` of the weights that it was made with, to be read or, once, written; good until it grows. */
  weights(start: number, end: number): Uint8Array {
    return new Uint8Array(this.buffer, WEIGHTS_START + start, end - start)
  }

  /**
   * Starts a run: values of the run before are gone.
   * @param from where its values may begin: what lies before is a plan's
   */
  begin(from = 0): void {
    if (this.isShort) this.grow(this.most - this.bottom)
    this.top = Math.max(from, this.bottom)
    this.most = this.top
    this.large?.begin()
  }

  /** Whether the run asked for more room than there is. */
  get isShort(): boolean {
    return this.isPast(this.most)
  }

  /**
   * What `work` gives, whose values have room in the arena as far as memory goes.
   * @param work may be begun anew, until it says that it is settled
   * @param from as `begin` takes it
   */
  run<T>(work: () => T, from = 0): T {
    for (let size = -1; ; ) {
      this.begin(from)
      const before = size
      size = this.end - this.bottom
      this.isOpen = size > before
      try {
        return work()
      } catch (error) {
        if (error !== LACKS_ROOM) throw error
      } finally {
        this.isOpen = false
      }
    }
  }

  /** This run has changed what outlives it, and must not be begun anew. */
  settle(): void {
    this.isOpen = false
  }

  /** Whether `at` is past the arena: what ends there has no room. */
  isPast(at: Pointer): boolean {
    return at > this.end
  }

  /** The floats that lie at an address. */
  view(at: Pointer, length: number): Float32Array {
    return new Float32Array(this.buffer, at, length)
  }

  /** Room for `length` floats in this run, or null where the arena is full and cannot grow. */
  room(length: number): Float32Array | null {
    const bytes = aligned(length * 4)
    const { top } = this
    const start = this.large === null || bytes < this.large.least ? top : this.large.take(bytes, top)
    if (start === top) {
      this.top = top + bytes
      if (this.top > this.most) this.most = this.top
    }
    // Not a subarray, which takes V8 four times as long.
    if (!this.isPast(start + bytes)) return new Float32Array(this.buffer, start, length)
    if (!this.isOpen) return null
    // What comes after will want room too.
    this.most = Math.max(this.most, 2 * this.end - this.bottom)
    throw LACKS_ROOM
  }

  /** Where `values` lie for a kernel: where they are already, where they are kept, or a copy in the arena; null where it is full. */
  address(values: Elements): number | null {
    if (this.holds(values)) return values.byteOffset
    const kept = this.kept.get(values)
    if (kept !== undefined) return kept
    const copy = this.room(Math.ceil(values.byteLength / 4))
    if (copy === null) return null
    this.copy(values, copy.byteOffset)
    this.copied?.(values, copy.byteOffset)
    return copy.byteOffset
  }

  /** Where `values` stay for good, or null where they do not. */
  keptAt(values: Elements): number | null {
    const isBelow = this.holds(values) && values.byteOffset < this.bottom
    return isBelow ? values.byteOffset : (this.kept.get(values) ?? null)
  }

  /** True where `values` are a view of this memory, valid for one run. */
  holds(values: ArrayBufferView): boolean {
    // A small array that lies in the engine's own heap starts at 0, as nothing here does; asked for its buffer, it gets one.
    return values.byteOffset > 0 && values.buffer === this.buffer
  }

  /** Copies `arrays` to stay, before the first run, as far as the address space goes. */
  keep(arrays: readonly Elements[]): void {
    const held: Elements[] = []
    let bytes = 0
    for (const values of arrays) {
      if (this.keptAt(values) !== null || this.bottom + bytes + aligned(values.byteLength) > MOST_BYTES) continue
      held.push(values)
      bytes += aligned(values.byteLength)
    }
    // Once for all: each growth makes a new buffer.
    let at = this.stay(bytes)
    if (at === null) return
    for (const values of held) {
      this.kept.set(values, at)
      this.copy(values, at)
      at += aligned(values.byteLength)
    }
  }

  /** Room that stays, before the first run; null where the address space ends. */
  stay(bytes: number): Pointer | null {
    const size = aligned(bytes)
    if (this.bottom + size > MOST_BYTES) return null
    this.grow(size + this.spare)
    if (this.isPast(this.bottom + size)) return null
    const at = this.bottom
    this.bottom += size
    this.top = this.bottom
    this.most = this.bottom
    return at
  }

  /** Writes `values` to an address. */
  copy(values: Elements, at: Pointer): void {
    if (values instanceof Float32Array) this.floats.set(values, at / 4)
    else new Int8Array(this.buffer).set(new Int8Array(values.buffer, values.byteOffset, values.byteLength), at)
  }

  /** Makes the arena one of at least `bytes`, where there is room for it. Nothing in it outlives that. */
  private grow(bytes: number): void {
    const missing = bytes - (this.end - this.bottom)
    if (missing <= 0) return
    // A quarter more than is needed, so that slowly rising batches do not grow the memory each time. Where threads share the
    // memory, another's arena may follow on this one, and a new one is taken.
    const more = pages(Math.min((this.isShared ? bytes : missing) * 1.25, MOST_BYTES - this.end))
    let start: Pointer
    try {
      start = this.wasm.grow(more) * PAGE
    } catch {
      return
    }
    if (start !== this.end) this.bottom = start
    this.end = start + more * PAGE
    this.growths++
    this.buffer = this.wasm.buffer
    this.floats = new Float32Array(this.buffer)
  }
}
