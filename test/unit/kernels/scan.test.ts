import { describe, expect, it } from 'vitest'
import { random } from '../seeded.ts'
import { Host, randoms, VARIANTS } from './instance.ts'

/** Whole numbers from −most to most. */
function integers(length: number, seed: number, most: number): number[] {
  const next = random(seed)
  return Array.from({ length }, () => Math.round(next() * most))
}

/** One rounding to float32 each, in the order that the kernel's doc gives. */
function lowest(dot: number, scale: number, unit: number, slack: number, half: number, per: number): number {
  const { fround } = Math
  return fround(fround(fround(fround(fround(dot) * scale) * unit) - slack) - fround(half * per))
}

describe.each(VARIANTS)('scanBytes, %s', (variant) => {
  const host = new Host(variant, 16)

  function scanned(query: number[], items: number[], n: number, halved: boolean) {
    host.reset()
    const count = items.length / n
    const q = host.putBytes(new Int8Array(Int16Array.from(query).buffer))
    const p = host.putBytes(Int8Array.from(items))
    const [scales, slacks, halves] = [randoms(count, 1), randoms(count, 2), randoms(count, 3)]
    const [unit, per] = [Math.fround(0.37), Math.fround(1.9)]
    const at = [host.put(scales), host.put(slacks), halved ? host.put(halves) : 0]
    const out = host.room(count)
    const got = host.run(out, count, ({ scanBytes }) => scanBytes(out, q, p, at[0], at[1], at[2], count, n, unit, per))
    const want = Array.from({ length: count }, (_, i) => {
      const dot = query.reduce((sum, value, j) => sum + value * items[i * n + j], 0)
      return lowest(dot, scales[i], unit, slacks[i], halved ? halves[i] : 0, per)
    })
    return { got: Array.from(got), want }
  }

  it('gives each product less its slack and half, rounded once an operation, at every width and count', () => {
    for (const n of [16, 32, 48, 64, 80, 128, 256])
      for (const count of [0, 4, 8, 12, 36])
        for (const halved of [false, true]) {
          const { got, want } = scanned(integers(n, n, 32_766), integers(count * n, count, 127), n, halved)
          expect(got, `${count} items of ${n}`).toEqual(want)
        }
  })

  it('holds the largest sums', () => {
    const { got, want } = scanned(new Array(496).fill(32_766), new Array(4 * 496).fill(127), 496, false)
    expect(got).toEqual(want)
  })
})

describe.each(VARIANTS)('scanListed, %s', (variant) => {
  const host = new Host(variant, 16)

  it('gives of the items that are listed, in any order, what scanBytes gives of all', () => {
    const items = 40
    for (const n of [16, 32, 64, 80])
      for (const halved of [false, true])
        for (const rows of [[], [39, 0, 7, 7], Array.from({ length: 24 }, (_, i) => (i * 17) % items)]) {
          host.reset()
          const query = integers(n, n, 32_766)
          const bytes = integers(items * n, rows.length, 127)
          const [q, p] = [
            host.putBytes(new Int8Array(Int16Array.from(query).buffer)),
            host.putBytes(Int8Array.from(bytes)),
          ]
          const [scales, slacks, halves] = [randoms(items, 1), randoms(items, 2), randoms(items, 3)]
          const [a, b, c] = [host.put(scales), host.put(slacks), halved ? host.put(halves) : 0]
          const [unit, per] = [Math.fround(0.37), Math.fround(1.9)]
          const list = host.putInts(rows)
          const [out, reach] = [host.room(rows.length), host.room(rows.length)]
          host.runInto(
            [
              [out, rows.length],
              [reach, rows.length],
            ],
            ({ scanListed }) => scanListed(out, reach, q, p, list, a, b, c, rows.length, n, unit, per),
          )
          const want = rows.map((row) => {
            const dot = query.reduce((sum, value, j) => sum + value * bytes[row * n + j], 0)
            return lowest(dot, scales[row], unit, slacks[row], halved ? halves[row] : 0, per)
          })
          expect([...host.floats(out, rows.length)]).toEqual(want)
          expect([...host.floats(reach, rows.length)]).toEqual(rows.map((row) => slacks[row]))
        }
  })
})

describe.each(VARIANTS)('maskScores, %s', (variant) => {
  const host = new Host(variant, 16)

  it('leaves the scores whose bit is set and puts -Infinity in the place of the others', () => {
    for (const count of [0, 4, 8, 12, 28, 32, 36, 64, 100]) {
      host.reset()
      const scores = randoms(count, count)
      const bits = integers(Math.ceil(count / 32), count + 5, 2 ** 31 - 1)
      const [at, words] = [host.put(scores), host.putInts(bits)]
      host.runInto([[at, count]], ({ maskScores }) => maskScores(at, words, count))
      const want = [...scores].map((score, i) => ((bits[i >> 5] >> (i & 31)) & 1 ? score : Number.NEGATIVE_INFINITY))
      expect([...host.floats(at, count)]).toEqual(want)
    }
  })
})

describe.each(VARIANTS)('withinReach, %s', (variant) => {
  const host = new Host(variant, 16)

  it('lists the items whose bound reaches what is asked, ascending, in the place of the bounds', () => {
    for (const count of [0, 4, 8, 40, 400]) {
      for (const least of [-3, 0.2, 0.9, 5]) {
        host.reset()
        const [lower, slacks] = [randoms(count, count + 1), randoms(count, 9).map(Math.abs)]
        const [at, s] = [host.put(lower), host.put(slacks)]
        const { fround } = Math
        const want = [...lower.keys()].filter((i) => fround(lower[i] + fround(2 * slacks[i])) >= fround(least))
        const found = host.runInto([[at, count]], ({ withinReach }) => withinReach(at, at, s, count, least))
        expect([...host.ints(at, found)]).toEqual(want)
      }
    }
  })

  it('leaves the bounds where the list goes elsewhere', () => {
    host.reset()
    const [at, s, out] = [host.put([1, 2, 0.5, 0]), host.put([0.5, 0, 0.5, 0.5]), host.room(4)]
    const found = host.runInto([[out, 4]], ({ withinReach }) => withinReach(out, at, s, 4, 1.5))
    expect([...host.ints(out, found)]).toEqual([0, 1, 2])
  })

  it('takes one that reaches exactly', () => {
    host.reset()
    const [at, s] = [host.put([1, 2, 0.5, 0]), host.put([0.5, 0, 0.5, 0.75])]
    const found = host.runInto([[at, 4]], ({ withinReach }) => withinReach(at, at, s, 4, 1.5))
    expect([...host.ints(at, found)]).toEqual([0, 1, 2, 3])
  })
})
