import { describe, expect, it } from 'vitest'
import { instantiate, relaxedSupported } from '../../../src/engine/kernels.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { importingShared } from '../../../src/engine/sharedimport.ts'
import { compileSharedKernels } from '../../../src/engine/variants.ts'
import { wasm as baseline } from '../../../src/engine/wasm/baseline.ts'
import { wasm as relaxed } from '../../../src/engine/wasm/relaxed.ts'
import { bytesOfHex } from '../../../src/platform/hex.ts'

const PAGE = 65536

describe('a run', () => {
  it('that lacks room is begun anew until it has it', () => {
    const memory = new Memory(PAGE)
    let begun = 0
    const [first, second] = memory.run(() => {
      begun++
      return [memory.room(PAGE), memory.room(10 * PAGE)]
    })
    expect([first?.length, second?.length]).toEqual([PAGE, 10 * PAGE])
    expect(begun).toBeGreaterThan(1)
    begun = 0
    memory.run(() => {
      begun++
      expect(memory.room(11 * PAGE)).not.toBe(null)
    })
    expect(begun).toBe(1)
  })

  it('that has changed something goes on without, and the next has room', () => {
    const memory = new Memory(PAGE)
    let begun = 0
    const work = () => {
      begun++
      memory.settle()
      return memory.room(PAGE)
    }
    expect(memory.run(work)).toBe(null)
    expect(begun).toBe(1)
    expect(memory.run(work)).not.toBe(null)
  })

  it('for which there is not enough address space goes on without', () => {
    const memory = new Memory(PAGE, { beside: new WebAssembly.Memory({ initial: 1, maximum: 8, shared: true }) })
    let begun = 0
    expect(
      memory.run(() => {
        begun++
        return memory.room(4 * PAGE)
      }),
    ).toBe(null)
    expect(begun).toBe(2)
  })

  it('passes on what its work throws, and the next one begins at the start', () => {
    const memory = new Memory(PAGE)
    const first = memory.run(() => memory.room(1)?.byteOffset)
    expect(() =>
      memory.run(() => {
        memory.room(1)
        throw new TypeError('of the work')
      }),
    ).toThrow('of the work')
    expect(memory.run(() => memory.room(1)?.byteOffset)).toBe(first)
  })
})

describe('memory that threads share', () => {
  it('has the weights once and an arena for each, wherever they grow to', () => {
    const weights = Uint8Array.from({ length: 1000 }, (_, i) => i)
    const first = new Memory(PAGE, { weights: weights.length, shared: true })
    first.weights(0, weights.length).set(weights)
    const all = [first, new Memory(PAGE, { beside: first.wasm }), new Memory(2 * PAGE, { beside: first.wasm })]
    for (const length of [100, PAGE, 3 * PAGE, 2 * PAGE]) {
      const rooms = all.map((memory) => memory.run(() => memory.room(length) as Float32Array))
      for (const [i, room] of rooms.entries()) room.fill(i + length)
      for (const [i, room] of rooms.entries()) expect(room.every((value) => value === i + length)).toBe(true)
    }
    for (const memory of all) {
      const view = memory.weights(10, 20)
      expect([...view]).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
      // Where they lie already: no copy of a weight is made for a kernel.
      expect(memory.keptAt(view)).toBe(view.byteOffset)
      expect(memory.address(view)).toBe(view.byteOffset)
    }
  })

  it.each(['baseline', 'relaxed'] as const)('is what the %s kernels run in, and give the same', async (build) => {
    if (build === 'relaxed' && !relaxedSupported()) {
      expect(() => new WebAssembly.Module(importingShared(bytesOfHex(relaxed)))).toThrow(WebAssembly.CompileError)
      return
    }
    const bytes = bytesOfHex(build === 'baseline' ? baseline : relaxed)
    const answers = [false, true].map((shared) => {
      const memory = new Memory(PAGE, { shared })
      const module = new WebAssembly.Module(shared ? importingShared(bytes) : bytes)
      const kernels = instantiate(module, memory.wasm)
      const x = Float32Array.from({ length: 37 }, (_, i) => Math.sin(i))
      const [at, out] = [memory.address(x) as number, memory.room(37) as Float32Array]
      kernels.tanh(out.byteOffset, at, 37)
      return [...out]
    })
    expect(answers[1]).toEqual(answers[0])
  })

  it('is not run in by kernels that are compiled for one thread', async () => {
    const { wasm } = new Memory(PAGE)
    const module = await compileSharedKernels()
    expect(() => instantiate(module, wasm)).toThrow(WebAssembly.LinkError)
    expect(() => importingShared(bytesOfHex(baseline).subarray(0, 8))).toThrow('imports no memory')
    expect(() => importingShared(importingShared(bytesOfHex(baseline)))).toThrow('imports no memory')
  })
})
