import { ARENA_START, type Pointer } from './kernels.ts'
import type { LargeValues } from './largevalues.ts'
import { aligned, MOST_BYTES, PAGE } from './linear.ts'

/** What kernels read: weights and values. */
export type Elements = Float32Array | Int8Array | Int32Array | Uint8Array | Uint32Array

/**
 * The kernels' linear memory: first what stays (weights), then an arena for the values of one run. Growing the memory
 * would take away the views of values in flight, so within a run it never grows: what does not fit is computed outside,
 * and the next run finds a larger arena.
 */
export class Memory {
  readonly wasm: WebAssembly.Memory
  /** Bytes that the arena has to begin with. */
  private readonly spare: number
  private bottom = aligned(ARENA_START)
  /** The end of all room that the current run has taken and not given back, and the furthest that it was, there or not. */
  top = this.bottom
  private most = this.bottom
  /** What uses room again within a run; without it a run keeps all until it ends. */
  large: LargeValues | null = null
  private readonly kept = new WeakMap<ArrayBufferView, number>()
  /** The memory's buffer, which is another one each time it has grown: asking for it costs more than a small kernel. */
  private buffer: ArrayBuffer
  private floats: Float32Array

  /** @param spare bytes for the values of a run, to begin with; pages are real memory only once they are written */
  constructor(spare: number) {
    this.spare = spare
    this.wasm = new WebAssembly.Memory({ initial: Math.ceil(spare / PAGE) })
    this.buffer = this.wasm.buffer
    this.floats = new Float32Array(this.buffer)
  }

  /** Starts a run: values of the run before are gone. */
  begin(): void {
    if (this.most > this.buffer.byteLength) this.grow(this.most)
    this.top = this.bottom
    this.most = this.bottom
    this.large?.begin()
  }

  /** Room for `length` floats in this run, or null where the arena is full. */
  room(length: number): Float32Array | null {
    const bytes = aligned(length * 4)
    const { top } = this
    const start = this.large === null || bytes < this.large.least ? top : this.large.take(bytes, top)
    if (start === top) {
      this.top = top + bytes
      if (this.top > this.most) this.most = this.top
    }
    // Not a subarray, which takes V8 four times as long.
    return start + bytes > this.buffer.byteLength ? null : new Float32Array(this.buffer, start, length)
  }

  /** Where `values` lie for a kernel: where they are already, where they are kept, or a copy in the arena; null where it is full. */
  address(values: Elements): number | null {
    if (this.holds(values)) return values.byteOffset
    const kept = this.kept.get(values)
    if (kept !== undefined) return kept
    const copy = this.room(Math.ceil(values.byteLength / 4))
    if (copy === null) return null
    this.copy(values, copy.byteOffset)
    return copy.byteOffset
  }

  /** Where `values` stay for good, or null where they do not. */
  keptAt(values: Elements): number | null {
    return this.kept.get(values) ?? null
  }

  /** True where `values` are a view of this memory, valid for one run. */
  holds(values: ArrayBufferView): boolean {
    // A small array that lies in the engine's own heap starts at 0, as nothing here does; asked for its buffer, it gets one.
    return values.byteOffset > 0 && values.buffer === this.buffer
  }

  /** Copies `arrays` to stay, before the first run, as far as the address space goes. */
  keep(arrays: readonly Elements[]): void {
    const held: Elements[] = []
    let end = this.bottom
    for (const values of arrays) {
      if (this.kept.has(values) || end + aligned(values.byteLength) > MOST_BYTES) continue
      this.kept.set(values, end)
      held.push(values)
      end += aligned(values.byteLength)
    }
    // Once for all: each growth makes a new buffer.
    this.stay(end - this.bottom)
    for (const values of held) this.copy(values, this.kept.get(values) as number)
  }

  /** Room that stays, before the first run; null where the address space ends. */
  stay(bytes: number): Pointer | null {
    const [at, end] = [this.bottom, this.bottom + aligned(bytes)]
    if (end > MOST_BYTES) return null
    if (end + this.spare > this.buffer.byteLength) this.grow(end + this.spare)
    this.bottom = end
    this.top = end
    this.most = end
    return at
  }

  private copy(values: Elements, at: number): void {
    if (values instanceof Float32Array) this.floats.set(values, at / 4)
    else new Int8Array(this.buffer).set(new Int8Array(values.buffer, values.byteOffset, values.byteLength), at)
  }

  private grow(bytes: number): void {
    const missing = Math.min(bytes, MOST_BYTES) - this.buffer.byteLength
    if (missing <= 0) return
    // A quarter more than is needed, so that slowly rising batches do not grow the memory each time.
    const pages = Math.ceil(Math.min(missing * 1.25, MOST_BYTES - this.buffer.byteLength) / PAGE)
    this.wasm.grow(pages)
    this.buffer = this.wasm.buffer
    this.floats = new Float32Array(this.buffer)
  }
}
