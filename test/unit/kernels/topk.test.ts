import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Host, randoms, VARIANTS } from './instance.ts'

/** The documented order by sorting: higher first, then the lower index; NaN after all numbers. */
function sorted(scores: ArrayLike<number>, k: number): { values: number[]; indices: number[] } {
  const rank = (value: number): number => (Number.isNaN(value) ? 1 : 0)
  const order = Array.from(scores, (value, index) => ({ value, index })).sort((a, b) => {
    if (rank(a.value) !== rank(b.value)) return rank(a.value) - rank(b.value)
    if (a.value > b.value) return -1
    if (a.value < b.value) return 1
    return a.index - b.index
  })
  const best = order.slice(0, k)
  return { values: best.map(({ value }) => value), indices: best.map(({ index }) => index) }
}

describe.each(VARIANTS)('topk, %s', (variant) => {
  const host = new Host(variant, 8)

  function topk(scores: ArrayLike<number>, k: number, skew = 0) {
    host.reset()
    const n = scores.length
    const p = host.put(scores, skew)
    const values = host.room(k, skew)
    const indices = host.room(k, skew)
    const size = host.runInto(
      [
        [values, Math.min(k, n)],
        [indices, Math.min(k, n)],
      ],
      (kernels) => kernels.topk(values, indices, p, n, k),
    )
    expect(size).toBe(Math.min(k, n))
    return { values: [...host.floats(values, size)], indices: [...host.ints(indices, size)] }
  }

  it('equals sorting for every n and k from 0 to 21', () => {
    for (let n = 0; n <= 21; n++) {
      for (let k = 0; k <= 21; k++) {
        const scores = randoms(n, n * 22 + k)
        expect(topk(scores, k, n % 4), `${k} of ${n}`).toEqual(sorted(scores, k))
      }
    }
  })

  it('equals sorting over many blocks, ascending, descending and shuffled', () => {
    for (const n of [1000, 1001, 1002, 1003]) {
      const shuffled = randoms(n, n)
      for (const scores of [shuffled, shuffled.slice().sort(), shuffled.slice().sort().reverse()]) {
        for (const k of [1, 2, 3, 10, 100, 999]) expect(topk(scores, k)).toEqual(sorted(scores, k))
      }
    }
  })

  it('gives the lower index first where scores are equal, and 0 and −0 are', () => {
    expect(topk([1, 2, 2, 1, 2, 2, 1], 3).indices).toEqual([1, 2, 4])
    expect(topk(new Float32Array(50).fill(3), 7).indices).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(topk([-0, 0, -0, 0, -0], 4).indices).toEqual([0, 1, 2, 3])
  })

  it('puts NaN behind −Infinity', () => {
    const scores = [NaN, -Infinity, 1, NaN, Infinity, -1]
    expect(topk(scores, 6).indices).toEqual([4, 2, 5, 1, 0, 3])
    expect(topk(scores, 3).indices).toEqual([4, 2, 5])
    expect(topk([NaN, NaN, NaN, NaN, NaN, NaN, NaN, -Infinity, NaN, 5], 3).indices).toEqual([9, 7, 0])
  })

  it('equals sorting for any scores, ties and NaN among them', () => {
    const score = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.float(),
      fc.constantFrom(NaN, 0, -0, Infinity, -Infinity),
    )
    fc.assert(
      fc.property(fc.array(score, { maxLength: 120 }), fc.integer({ min: 0, max: 130 }), (numbers, k) => {
        const scores = Float32Array.from(numbers)
        expect(topk(scores, k)).toEqual(sorted(scores, k))
      }),
    )
  })

  it('takes scores in chunks of any size and order', () => {
    const chunks = fc.array(fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 20 }), { maxLength: 8 })
    fc.assert(
      fc.property(chunks, fc.integer({ min: 0, max: 30 }), fc.boolean(), (parts, k, backwards) => {
        host.reset()
        const values = host.room(k)
        const indices = host.room(k)
        let base = 0
        const pushes = parts.map((part) => {
          const push = { at: host.put(part), n: part.length, base }
          base += part.length
          return push
        })
        let size = 0
        for (const { at, n, base } of backwards ? pushes.reverse() : pushes) {
          const room = [
            [values, k],
            [indices, k],
          ] as const
          size = host.runInto(room, ({ topkPush }) => topkPush(values, indices, size, k, at, n, base))
        }
        host.kernels.topkSort(values, indices, size)
        const want = sorted(parts.flat(), k)
        expect({ values: [...host.floats(values, size)], indices: [...host.ints(indices, size)] }).toEqual(want)
      }),
    )
  })

  it('reads no byte past the scores', () => {
    for (let n = 1; n <= 9; n++) {
      host.reset()
      const scores = host.putLast(randoms(n, n))
      const [values, indices] = [host.room(2), host.room(2)]
      expect(() => host.kernels.topk(values, indices, scores, n, 2)).not.toThrow()
    }
  })
})
