import { ARENA_START, instantiate, type Kernels, type Pointer } from '../../engine/kernels.ts'
import { aligned, PAGE } from '../../engine/linear.ts'

/** Kernels on a memory of their own, where arrays lie one after the other. */
export class Workspace {
  readonly kernels: Kernels
  private readonly memory = new WebAssembly.Memory({ initial: 1 })
  private end = aligned(ARENA_START)

  constructor(module: WebAssembly.Module) {
    this.kernels = instantiate(module, this.memory)
  }

  /** Room for so many bytes. @throws {RangeError} past the 4 GiB of wasm */
  room(bytes: number): Pointer {
    const at = this.end
    this.end = at + aligned(bytes)
    const missing = this.end - this.memory.buffer.byteLength
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE))
    return at
  }

  put(array: Float32Array | Int8Array | Int32Array | Uint32Array | Uint16Array | Uint8Array): Pointer {
    const at = this.room(array.byteLength)
    this.bytes(at, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    return at
  }

  /** Forgets all arrays from `at` on. */
  cut(at: Pointer): void {
    this.end = at
  }

  floats(at: Pointer, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length)
  }

  ints(at: Pointer, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, length)
  }

  shorts(at: Pointer, length: number): Int16Array {
    return new Int16Array(this.memory.buffer, at, length)
  }

  bytes(at: Pointer, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length)
  }
}
