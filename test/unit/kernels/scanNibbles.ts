import { expect, it } from 'vitest'
import { random } from '../seeded.ts'
import { Host, randoms, type Variant } from './instance.ts'

/** Whole numbers from −most to most. */
export function integers(length: number, seed: number, most: number): number[] {
  const next = random(seed)
  return Array.from({ length }, () => Math.round(next() * most))
}

/** The code of a pair of bytes: l is nearest to d, and v, whose lower half is l, nearest to b. */
function coded(b: number, d: number): { v: number; l: number } {
  const nearest = (codes: number[], value: (code: number) => number, to: number) =>
    codes.reduce((best, code) => (Math.abs(value(code) - to) < Math.abs(value(best) - to) ? code : best))
  const nibbles = Array.from({ length: 16 }, (_, i) => 15 - i)
  const l = nearest(nibbles, (code) => 16 * code - 120, d)
  const v = nearest(
    nibbles.map((upper) => 16 * (upper - 8) + l),
    (code) => code,
    b,
  )
  return { v, l }
}

export const codesOf = (items: number[]) =>
  Array.from({ length: items.length / 2 }, (_, i) => coded(items[2 * i], items[2 * i + 1]))

/** Items whose bytes end at the limits, too. */
export const itemsOf = (count: number, n: number) =>
  integers(count * n, count + n, 160).map((byte) => Math.max(-127, Math.min(127, byte)))

export function scanNibblesCases(variant: Variant, paired: 0 | 1): void {
  const host = new Host(variant, 16)

  function scanned(items: number[], query: number[], n: number, first: number, halved: boolean) {
    host.reset()
    const count = items.length / n
    const at = host.putBytes(Int8Array.from(items))
    const words = (count / 4) * ((2 * n + 16) / 4)
    const [plane, most] = [host.room(words), host.room(2)]
    host.kernels.layNibbles(plane, most, at, count, n, n)
    const q = host.putBytes(Int8Array.from(query))
    const [scales, halves] = [randoms(count, 1), randoms(count, 3, 1e4)]
    const { fround } = Math
    const per = fround(1.9)
    const values = Array.from({ length: count }, (_, row) => {
      const codes = codesOf(items.slice(row * n, (row + 1) * n))
      const sum = codes.reduce((all, { v, l }, i) => all + v * query[2 * i] + 8 * l * query[2 * i + 1], 8 * first)
      const value = fround(fround(sum) * scales[row])
      return halved ? fround(value - fround(halves[row] * per)) : value
    })
    const [s, h] = [host.put(scales), halved ? host.put(halves) : 0]
    const [out, scratch] = [host.room(Math.ceil(count / 32)), host.room(n / 2)]
    return [...new Set([...values, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])].map((least) => {
      host.runInto(
        [
          [out, Math.ceil(count / 32)],
          [scratch, n / 2],
        ],
        ({ scanNibbles }) => scanNibbles(out, q, plane, s, h, count, n, first, least, per, scratch, paired),
      )
      const bytes = new Uint8Array(host.memory.buffer, out, Math.ceil(count / 8))
      return {
        got: values.map((_, i) => (bytes[i >> 3] >> (i & 7)) & 1),
        want: values.map((value) => (value >= least ? 1 : 0)),
      }
    })
  }

  it('says of each row whether its product reaches what is asked, exactly, at every width and count', () => {
    for (const n of [16, 32, 48, 64, 80, 256])
      for (const count of [32, 64, 96])
        for (const halved of [false, true]) {
          const query = integers(n, n + count, 127).map((value, i) => (i % 2 === 0 ? value >> 1 : value))
          for (const { got, want } of scanned(itemsOf(count, n), query, n, count - 700, halved))
            expect(got, `${count} items of ${n}`).toEqual(want)
        }
  })

  it('holds the largest sums', () => {
    const n = 768
    for (const sign of [1, -1]) {
      const items = Array.from({ length: 32 * n }, (_, i) => sign * (i % (2 * n) < n ? 127 : -127))
      const query = Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 63 : 126))
      const middle = -60 * 126 * (n / 2)
      for (const more of [-(2 ** 21), 2 ** 21])
        for (const { got, want } of scanned(items, query, n, (middle + more) / 8, false)) expect(got).toEqual(want)
    }
  })
}
