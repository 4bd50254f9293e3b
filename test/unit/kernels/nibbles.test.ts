import { describe, expect, it } from 'vitest'
import { Host, VARIANTS } from './instance.ts'
import { codesOf, integers, itemsOf, scanNibblesCases } from './scanNibbles.ts'

/** Where v of pair `pair` of row `row` lies, in bytes. */
const placeOf = (n: number, row: number, pair: number) =>
  (row >> 2) * (2 * n + 16) + 16 + 16 * (pair >> 2) + 4 * (row & 3) + (pair & 3)

describe.each(VARIANTS)('layNibbles, %s', (variant) => {
  const host = new Host(variant, 16)

  it('lays half of each byte, what rows are begun with, and how much is lost and kept of those that count', () => {
    for (const n of [16, 32, 48, 64, 80, 768])
      for (const width of [n - 15, n - 14, n - 1, n])
        for (const count of [4, 8, 20]) {
          host.reset()
          const items = itemsOf(count, n).map((byte, i) => (i % n < width ? byte : 0))
          const at = host.putBytes(Int8Array.from(items))
          const words = (count / 4) * ((2 * n + 16) / 4)
          const [plane, most] = [host.room(words), host.room(2)]
          host.runInto(
            [
              [plane, words],
              [most, 2],
            ],
            ({ layNibbles }) => layNibbles(plane, most, at, count, n, width),
          )
          const bytes = new Int8Array(host.memory.buffer, plane, 4 * words)
          let [lost, kept] = [0, 0]
          for (let row = 0; row < count; row++) {
            const own = items.slice(row * n, (row + 1) * n)
            const codes = codesOf(own)
            expect(codes.map((_, pair) => bytes[placeOf(n, row, pair)])).toEqual(codes.map(({ v }) => v))
            const begun = host.ints(plane + (row >> 2) * (2 * n + 16) + 4 * (row & 3), 1)[0]
            expect(begun).toBe(codes.reduce((sum, { v }) => sum - 64 * v, 0))
            const said = codes.flatMap(({ v, l }) => [v, 16 * l - 120]).slice(0, width)
            lost = Math.max(
              lost,
              said.reduce((sum, value, i) => sum + (own[i] - value) ** 2, 0),
            )
            kept = Math.max(
              kept,
              said.reduce((sum, value) => sum + value ** 2, 0),
            )
          }
          expect([...host.ints(most, 2)], `${count} items of ${width}`).toEqual([lost, kept])
        }
  })
})

describe('scanNibbles, baseline', () => scanNibblesCases('baseline', 1))

describe('scanNibbles, relaxed, in pairs', () => scanNibblesCases('relaxed', 1))

describe.each(VARIANTS)('listBits, %s', (variant) => {
  const host = new Host(variant, 16)

  it('lists the bits that are set, of those that count, up to the last', () => {
    for (const count of [0, 1, 31, 32, 33, 64, 100, 320])
      for (const masked of [false, true]) {
        host.reset()
        const words = Math.ceil(count / 32)
        const [bits, others] = [count + 5, count + 9].map((seed) => integers(words, seed, 2 ** 31 - 1))
        const [at, within, out] = [host.putInts(bits), masked ? host.putInts(others) : 0, host.room(count)]
        const has = (list: number[], i: number) => (list[i >> 5] >> (i & 31)) & 1
        const want = Array.from({ length: count }, (_, i) => i).filter(
          (i) => has(bits, i) && (!masked || has(others, i)),
        )
        const found = host.runInto([[out, count]], ({ listBits }) => listBits(out, at, within, count, 8_192))
        expect([...host.ints(out, found)]).toEqual(want.map((i) => 8_192 + i))
      }
  })
})
