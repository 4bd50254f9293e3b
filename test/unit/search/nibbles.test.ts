import { describe, expect, test } from 'vitest'
import { ARENA_START, instantiate } from '../../../src/engine/kernels.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { Nibbles, nibbleBytes } from '../../../src/search/nibbles.ts'
import { centerOf, roundItems, type ScanArrays } from '../../../src/search/rounding.ts'
import { random } from '../seeded.ts'

// What a coarse look leaves out cannot be among the nearest: no product of it reaches what was asked.

const modules = await Promise.all([compileKernels(), compileKernels({ deterministic: true })])
const METRICS = ['dot', 'cosine', 'euclidean'] as const
const CHUNK = 64

const filled = (length: number, make: (i: number) => number) => Float32Array.from({ length }, (_, i) => make(i))

/** Memory of items, and a coarse look at what `fill` leaves there. */
function looked(
  module: WebAssembly.Module,
  rows: number,
  width: number,
  far: boolean,
  fill: (held: Pick<ScanArrays, 'items' | 'scales' | 'slacks' | 'halves'>, stride: number) => void,
) {
  const stride = Math.ceil(width / 16) * 16
  const memory = new WebAssembly.Memory({ initial: 64 })
  let end = ARENA_START
  const room = (bytes: number) => {
    const at = Math.ceil(end / 64) * 64
    end = at + bytes
    return at
  }
  const padded = rows + 32
  const [items, scales, slacks, halves] = [stride * padded, 4 * padded, 4 * padded, 4 * padded].map(room)
  const floats = (at: number, length: number) => new Float32Array(memory.buffer, at, length)
  fill(
    {
      items: new Int8Array(memory.buffer, items, rows * stride),
      scales: floats(scales, rows),
      slacks: floats(slacks, rows),
      halves: floats(halves, far ? rows : 0),
    },
    stride,
  )
  const plane = room(nibbleBytes(rows, stride))
  const [query, out, within, scratch] = [stride, 4 * CHUNK, CHUNK, 2 * stride + CHUNK].map(room)
  const of = { rows, width, stride, items, scales, slacks, halves: far ? halves : 0 }
  const nibbles = new Nibbles(instantiate(module, memory), memory, of, plane, scratch, CHUNK)
  return (sought: Float64Array, length: number, least: number, words: readonly number[] | null): number[] | null => {
    const found: number[] = []
    const asked = nibbles.ask(query, sought, length)
    for (let row = 0; row < rows; row += CHUNK) {
      if (words !== null) new Uint32Array(memory.buffer, within, 2).set(words)
      const mask = words === null ? 0 : within
      const some = nibbles.reaching(asked, row, Math.min(CHUNK, rows - row), least, out, mask, scratch)
      if (some === null) return null
      found.push(...some)
    }
    return found
  }
}

/** The same of items as a scan rounds them. */
function rounded(module: WebAssembly.Module, vectors: Float32Array, width: number, metric: (typeof METRICS)[number]) {
  const { mean } = centerOf(vectors, width, metric)
  const of = looked(module, vectors.length / width, width, metric === 'euclidean', (held, stride) =>
    roundItems(held, vectors, mean, metric, stride, 32_766),
  )
  return { mean, of }
}

/** In doubles: the product with a unit query of each item less the mean, less half its square over the query's length. */
function products(
  vectors: Float32Array,
  mean: Float64Array,
  unit: Float64Array,
  length: number,
  metric: string,
): number[] {
  const width = mean.length
  return Array.from({ length: vectors.length / width }, (_, row) => {
    const item = Array.from(vectors.subarray(row * width, (row + 1) * width))
    const own =
      metric === 'cosine'
        ? 1 /
          Math.sqrt(
            Math.max(
              1e-12,
              item.reduce((sum, x) => sum + x * x, 0),
            ),
          )
        : 1
    const rest = item.map((x, i) => x * own - mean[i])
    const product = rest.reduce((sum, x, i) => sum + x * unit[i], 0)
    return metric === 'euclidean' ? product - rest.reduce((sum, x) => sum + x * x, 0) / (2 * length) : product
  })
}

for (const [i, module] of modules.entries())
  describe(`a coarse look, ${['as this runtime has it', 'baseline'][i]}`, () => {
    const next = random(41)
    const kinds: Record<string, (at: number, width: number) => number> = {
      even: () => next(),
      'of many lengths': (at, width) => next() * 2 ** ((Math.floor(at / width) % 61) - 30),
      'with outliers': (at) => (at % 7 === 0 ? 40 : 1) * next(),
      'all but zero': (at) => (at % 5 === 0 ? 0 : next() * 1e-38),
      'alike, and some zero': (at, width) => (Math.floor(at / width) % 9 === 0 ? 0 : 3 + next() * 1e-3),
    }
    for (const metric of METRICS)
      for (const [kind, make] of Object.entries(kinds))
        test(`by ${metric} leaves out none that reaches what is asked: items ${kind}`, () => {
          for (const [width, rows] of [
            [1, 70],
            [6, 131],
            [16, 64],
            [31, 80],
            [64, 150],
          ]) {
            const vectors = filled(rows * width, (at) => make(at, width))
            const coarse = rounded(module, vectors, width, metric)
            for (const sparse of [1, 4]) {
              const raw = Float64Array.from({ length: width }, (_, j) => (j % sparse === 0 ? next() : 0))
              const length = Math.hypot(...raw)
              const unit = raw.map((value) => value / length)
              const all = products(vectors, coarse.mean, unit, length, metric)
              for (const least of [...all].sort((a, b) => b - a).filter((_, place) => place % 9 === 0)) {
                // Distances: half squares are rounded to float32, of which the scan that asks takes account.
                const slack =
                  metric === 'euclidean' ? Math.max(...all.map(Math.abs)) * 2 ** -20 : 2 ** -45 * Math.abs(least)
                for (const words of [null, [0x5a5a1234, 0xffff0001]]) {
                  const found = coarse.of(raw, length, least - slack, words)
                  if (found === null) continue
                  const kept = new Set(found)
                  const has = (row: number) => words === null || ((words[(row % CHUNK) >> 5] >>> (row & 31)) & 1) === 1
                  expect(
                    all.flatMap((value, row) => (value >= least && has(row) && !kept.has(row) ? [row] : [])),
                  ).toEqual([])
                  expect(found.every((row) => row < rows && has(row))).toBe(true)
                }
              }
            }
          }
        })

    test('takes account of what the query lost, and of what bytes did', () => {
      const rows = 64
      for (const width of [2, 5, 16, 40])
        for (const slack of [0, 6]) {
          // Bytes that nibbles hold without loss, so that nothing else is in doubt. What pads an odd width is 0, halved 8.
          const codes: number[][] = Array.from({ length: rows }, () => {
            const pairs = Array.from({ length: Math.ceil(width / 2) }, (_, pair) => {
              const lower = 2 * pair + 1 === width ? 8 : Math.floor(8 + 8 * next())
              return [16 * Math.round(7 * next()) + lower, 16 * lower - 120]
            })
            return pairs.flat().slice(0, width)
          })
          const of = looked(module, rows, width, false, ({ items, scales, slacks }, stride) => {
            for (const [row, code] of codes.entries()) items.set(code, row * stride)
            scales.fill(1)
            slacks.fill(slack)
          })
          for (let times = 0; times < 4; times++) {
            const raw = Float64Array.from({ length: width }, (_, i) => next() / (1 + 3 * i))
            const length = Math.hypot(...raw)
            for (const [row, code] of codes.entries()) {
              const most = code.reduce((sum, byte, i) => sum + (byte * raw[i]) / length, slack)
              expect(of(raw, length, most - 1e-9 * Math.abs(most), null)).toContain(row)
            }
          }
        }
    })

    test('leaves few', () => {
      const [width, rows] = [64, 6_400]
      const coarse = rounded(module, filled(rows * width, next), width, 'dot')
      const raw = Float64Array.from({ length: width }, next)
      const found = coarse.of(raw, Math.hypot(...raw), 0.35 * Math.sqrt(width / 3), null)
      expect(found?.length).toBeLessThan(rows / 50)
    })
  })
