import { type Checksum, type TakeStripes, Xxh32 } from '../checksum/xxh32.ts'
import { instantiate } from './kernels.ts'
import { Memory } from './memory.ts'

/** Bytes that the kernel takes at once: V8 changes to the optimized kernel between calls only. */
const CHUNK = 1 << 16

/**
 * XXH32 by the kernel, at full speed from the first byte on.
 * @param module the compiled kernels
 * @param memory what lies there is read in place, all else is copied to its arena; until the last sum nothing may run in it
 */
export function xxh32By(module: WebAssembly.Module, memory: Memory = new Memory(2 * CHUNK)): Checksum {
  const kernels = instantiate(module, memory.wasm)
  memory.begin()
  const [room, kept] = [memory.room(CHUNK / 4) as Float32Array, memory.room(4) as Float32Array]
  const held = new Uint8Array(room.buffer, room.byteOffset, CHUNK)
  const state = new Uint32Array(kept.buffer, kept.byteOffset, 4)
  const takeStripes: TakeStripes = (bytes, sums) => {
    const isThere = memory.holds(bytes)
    state.set(sums)
    for (let start = 0; start < bytes.length; start += CHUNK) {
      const length = Math.min(CHUNK, bytes.length - start)
      if (!isThere) held.set(bytes.subarray(start, start + length))
      kernels.xxh32(isThere ? bytes.byteOffset + start : held.byteOffset, length, state.byteOffset)
    }
    sums.set(state)
  }
  return () => new Xxh32(takeStripes)
}
