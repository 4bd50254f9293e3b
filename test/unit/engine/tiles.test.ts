import { describe, expect, it } from 'vitest'
import { fixedTiles } from '../../../src/engine/fixedtiles.ts'
import { instantiate, LOADS } from '../../../src/engine/kernels.ts'
import { PAGE, TILE_ROWS } from '../../../src/engine/linear.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { tilesLater } from '../../../src/engine/tiles.ts'
import { packPanels } from '../../../src/tensor/panels.ts'
import { bytesOf, randoms } from '../kernels/instance.ts'

const [ROWS, K, N] = [12, 70, 48]
const module = new WebAssembly.Module(bytesOf('relaxed'))
const x = randoms(ROWS * K, 1)
const w = packPanels(randoms(K * N, 2), K, N)

/** A dense layer on a memory: x, W and the result from `at` on. */
function denseOn(memory: WebAssembly.Memory, kernels: ReturnType<typeof instantiate>, at: number): Float32Array {
  const [px, pw] = [at, at + 4 * x.length]
  const out = pw + 4 * w.length
  new Float32Array(memory.buffer, px).set(x)
  new Float32Array(memory.buffer, pw).set(w)
  kernels.dense(out, px, pw, 0, ROWS, K, N, 0, 0)
  return new Float32Array(memory.buffer, out, ROWS * N).slice()
}

const memory = new WebAssembly.Memory({ initial: 4 })
const wanted = denseOn(memory, instantiate(module, memory), PAGE)

describe('fixedTiles', () => {
  /** Bytes of six rows of 32 floats. */
  const OWN = 6 * 32 * 4
  const MEMORIES = {
    'of its own': new WebAssembly.Memory({ initial: 8192 }),
    'that threads share': new WebAssembly.Memory({ initial: 8192, maximum: 65535, shared: true }),
  }
  it.each(Object.entries(MEMORIES))(
    'sums on a memory %s, wherever its rows lie, and writes nowhere else',
    (_, memory) => {
      for (const rows of [1024, 8000 * PAGE + 64, 8192 * PAGE - OWN]) {
        const tiles = fixedTiles(memory, rows)
        const [out, px, pw] = [4 * PAGE, 5 * PAGE, 6 * PAGE]
        new Float32Array(memory.buffer, px).set(x)
        new Float32Array(memory.buffer, pw).set(w)
        const around = new Uint8Array(memory.buffer, rows - 64, Math.min(OWN + 128, 8192 * PAGE - rows + 64)).fill(7)
        expect(tiles(0, out, px, pw, 2, K, N)).toBe(64)
        const [sum] = new Float32Array(memory.buffer, out, 1)
        let first = 0
        for (let i = 0; i < 64; i++) first += x[i] * w[i * 16]
        expect(sum).toBeCloseTo(first, 4)
        expect([...around.subarray(0, 64), ...around.subarray(64 + OWN)].every((byte) => byte === 7)).toBe(true)
      }
    },
  )

  it('goes on after its memory has grown', () => {
    const grown = new WebAssembly.Memory({ initial: 4 })
    const kernels = instantiate(module, grown, 1024, fixedTiles(grown, 1024), LOADS.checked)
    grown.grow(4)
    expect(denseOn(grown, kernels, 5 * PAGE)).toEqual(wanted)
  })

  it('leaves to the kernels what is less than a panel or than its steps', () => {
    const tiles = fixedTiles(memory, 1024)
    expect(tiles(0, PAGE, PAGE, PAGE, 2, 31, 48)).toBe(0)
    expect(tiles(0, PAGE, PAGE, PAGE, 2, 64, 15)).toBe(0)
  })
})

describe('tilesLater', () => {
  it('has none when it is first asked, and then some, of the same sums', async () => {
    const memory = new Memory(4 * PAGE)
    const asked: number[] = []
    const tiles = tilesLater(memory)
    const watched: typeof tiles = (...of) => {
      asked.push(tiles(...of))
      return asked[asked.length - 1]
    }
    const kernels = instantiate(module, memory.wasm, memory.rows, watched, LOADS.checked)
    const at = memory.rows + TILE_ROWS
    expect(denseOn(memory.wasm, kernels, at)).toEqual(wanted)
    expect(asked).toEqual([0])
    await expect.poll(() => denseOn(memory.wasm, kernels, at) && asked[asked.length - 1]).toBe(64)
    expect(denseOn(memory.wasm, kernels, at)).toEqual(wanted)
  })
})
