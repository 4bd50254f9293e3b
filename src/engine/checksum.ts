import { type Checksum, type TakeStripes, Xxh32 } from '../checksum/xxh32.ts'
import { ARENA_START, instantiate } from './kernels.ts'
import { PAGE } from './linear.ts'

/** Of the four sums. */
const SUMS_BYTES = 16

/** Bytes that are copied to the kernel at once: V8 changes to the optimized kernel between calls only. */
const CHUNK = 1 << 16

/**
 * XXH32 by the kernel, at full speed from the first byte on.
 * @param module the compiled kernels
 */
export function xxh32By(module: WebAssembly.Module): Checksum {
  const room = ARENA_START + SUMS_BYTES
  const memory = new WebAssembly.Memory({ initial: Math.ceil((room + CHUNK) / PAGE) })
  const kernels = instantiate(module, memory)
  const held = new Uint8Array(memory.buffer)
  const kept = new Uint32Array(memory.buffer, ARENA_START, 4)
  const takeStripes: TakeStripes = (bytes, sums) => {
    kept.set(sums)
    for (let start = 0; start < bytes.length; start += CHUNK) {
      const chunk = bytes.subarray(start, start + CHUNK)
      held.set(chunk, room)
      kernels.xxh32(room, chunk.length, ARENA_START)
    }
    sums.set(kept)
  }
  return () => new Xxh32(takeStripes)
}
