import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { expect } from 'vitest'
import { fixedTiles } from '../../../src/engine/fixedtiles.ts'
import { ARENA_START, instantiate, type Kernels, LOADS, relaxedSupported } from '../../../src/engine/kernels.ts'
import { TILE_ROWS } from '../../../src/engine/linear.ts'
import { random } from '../seeded.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
execFileSync(process.execPath, ['scripts/kernels.mjs'], { cwd: root, stdio: 'pipe' })

export const bytesOf = (variant: Variant): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(readFileSync(`${root}dist/kernels/${variant}.wasm`))

// Node 20 has relaxed SIMD behind a flag that may be set late.
if (!relaxedSupported()) setFlagsFromString('--experimental-wasm-relaxed-simd')

export type Variant = 'baseline' | 'relaxed'
export const VARIANTS: readonly Variant[] = ['baseline', 'relaxed']

/** What no kernel writes: a NaN with a payload. */
const GUARD = 0x7fc0dead

/** The first address of arrays: before it lie a tile's rows. */
const FIRST = ARENA_START + TILE_ROWS

/** A kernel's memory, in which arrays lie between guard words, and which notices every word written elsewhere. */
export class Host {
  readonly kernels: Kernels
  readonly memory: WebAssembly.Memory
  private top = FIRST

  /** @param loads what `instantiate` is told of the engine; its own answer where it is left out */
  constructor(variant: Variant, pages = 64, loads?: number) {
    this.memory = new WebAssembly.Memory({ initial: pages })
    const tiles = loads === LOADS.checked ? fixedTiles(this.memory, ARENA_START) : undefined
    this.kernels = instantiate(new WebAssembly.Module(bytesOf(variant)), this.memory, ARENA_START, tiles, loads)
    new Uint32Array(this.memory.buffer, ARENA_START).fill(GUARD)
  }

  /** Forgets all arrays. */
  reset(): this {
    this.watched().fill(GUARD, ARENA_START / 4)
    this.top = FIRST
    return this
  }

  /** All words to some way past the last array. */
  private watched(): Int32Array {
    return new Int32Array(this.memory.buffer, 0, Math.min(this.memory.buffer.byteLength, this.top + 256) / 4)
  }

  /** Room for `length` words, at an address of `skew` words past a multiple of 64 bytes. */
  room(length: number, skew = 0): number {
    const at = Math.ceil((this.top + 4) / 64) * 64 + skew * 4
    this.top = at + length * 4 + 4
    expect(this.top).toBeLessThanOrEqual(this.memory.buffer.byteLength)
    return at
  }

  put(values: ArrayLike<number>, skew = 0): number {
    const at = this.room(values.length, skew)
    this.floats(at, values.length).set(values)
    return at
  }

  putInts(values: ArrayLike<number>): number {
    const at = this.room(values.length)
    this.ints(at, values.length).set(values)
    return at
  }

  /** As many bytes as fill words. */
  putBytes(values: Int8Array): number {
    return this.putInts(new Int32Array(values.slice().buffer))
  }

  /** As the very last words of memory, so that one read past them traps. */
  putLast(values: ArrayLike<number>): number {
    const at = this.memory.buffer.byteLength - values.length * 4
    this.floats(at, values.length).set(values)
    return at
  }

  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length)
  }

  ints(at: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, length)
  }

  /** Runs a kernel and returns the `length` floats at `out`, having seen that no other word changed. */
  run(out: number, length: number, kernel: (kernels: Kernels) => void): Float32Array {
    this.runInto([[out, length]], kernel)
    return this.floats(out, length).slice()
  }

  /** The same for several outputs, each an address and a length; returns what the kernel returns. */
  runInto<R>(outputs: readonly (readonly [number, number])[], kernel: (kernels: Kernels) => R): R {
    const words = this.watched()
    const before = words.slice()
    const result = kernel(this.kernels)
    const after = words.slice()
    for (const [at, length] of [[ARENA_START, TILE_ROWS / 4], ...outputs])
      after.set(before.subarray(at / 4, at / 4 + length), at / 4)
    const changed = after.findIndex((word, i) => word !== before[i])
    expect(changed, 'the first word that was written outside the output').toBe(-1)
    return result
  }
}

export function randoms(length: number, seed: number, scale = 1): Float32Array {
  const next = random(seed)
  return Float32Array.from({ length }, () => next() * scale)
}

/** Every element within `tolerance` (one for all or one each) of what it should be; NaN and infinities exactly. */
export function expectClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number | ArrayLike<number>,
  about = '',
): void {
  expect(got.length, about).toBe(want.length)
  for (let i = 0; i < want.length; i++) {
    const bound = typeof tolerance === 'number' ? tolerance : tolerance[i]
    const same = Number.isFinite(want[i]) ? Math.abs(got[i] - want[i]) <= bound : Object.is(got[i], want[i])
    if (!same) expect.fail(`${about} [${i}]: got ${got[i]}, wanted ${want[i]} ± ${bound}`)
  }
}
