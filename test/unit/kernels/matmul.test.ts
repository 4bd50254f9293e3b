import { describe, expect, it } from 'vitest'
import { LOADS } from '../../../src/engine/kernels.ts'
import { expectClose, Host, randoms, VARIANTS } from './instance.ts'

type Case = { m: number; k: number; n: number; transposeB: 0 | 1; skew?: number }

function check(host: Host, { m, k, n, transposeB, skew = 0 }: Case): Float32Array {
  host.reset()
  const a = randoms(m * k, m + 17 * k)
  const b = randoms(k * n, n + 31 * k)
  const want = new Float64Array(m * n)
  const bounds = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let l = 0; l < k; l++) {
        const term = a[i * k + l] * (transposeB ? b[j * k + l] : b[l * n + j])
        want[i * n + j] += term
        bounds[i * n + j] += Math.abs(term)
      }
      bounds[i * n + j] *= 2e-7 * (1 + Math.sqrt(k))
    }
  }
  const pa = host.put(a, skew)
  const pb = host.put(b, skew)
  const out = host.room(m * n, skew)
  const got = host.run(out, m * n, ({ matmul }) => matmul(out, pa, pb, m, k, n, transposeB))
  expectClose(got, want, bounds, `${m}×${k}×${n}${transposeB ? ' transposed' : ''}`)
  return got
}

describe.each(VARIANTS)('matmul, %s', (variant) => {
  const host = new Host(variant, 16)

  it.each(Object.entries(LOADS))(
    'gives the bits that dense gives of the second laid in panels, loads %s',
    (_, loads) => {
      const own = new Host(variant, 16, loads)
      for (const m of [1, 2, 5, 6, 13, 61])
        for (const k of [1, 16, 37, 300])
          for (const n of [1, 4, 6, 16, 23, 48]) {
            own.reset()
            const [a, b] = [own.put(randoms(m * k, m)), own.put(randoms(k * n, n))]
            const panels = own.room(Math.ceil(n / 16) * 16 * k)
            const [out, other] = [own.room(m * n), own.room(m * n)]
            own.kernels.packPanels(panels, b, k, n)
            own.kernels.matmul(out, a, b, m, k, n, 0)
            own.kernels.dense(other, a, panels, 0, m, k, n, 0, 0)
            expect(own.floats(other, m * n), `${m} × ${k} × ${n}`).toEqual(own.floats(out, m * n))
          }
    },
  )

  describe.each([0, 1] as const)('transposeB %i', (transposeB) => {
    it('equals double precision for m 0 to 5 and every k and n up to 40', () => {
      for (let m = 0; m <= 5; m++) {
        for (let k = m % 2; k <= 40; k += 2)
          for (let n = (m + k) % 3; n <= 40; n += 3) check(host, { m, k, n, transposeB })
      }
    })

    it('has every tail of k and n, at any alignment', () => {
      for (let k = 1; k <= 9; k++)
        for (let n = 1; n <= 21; n++) check(host, { m: 2, k, n, transposeB, skew: (k + n) % 4 })
      check(host, { m: 3, k: 257, n: 131, transposeB })
    })

    it('reads no byte past the end of either input', () => {
      for (const last of ['a', 'b']) {
        for (let k = 1; k <= 5; k++) {
          for (let n = 1; n <= 5; n++) {
            host.reset()
            const a = last === 'a' ? host.putLast(randoms(2 * k, 1)) : host.put(randoms(2 * k, 1))
            const b = last === 'b' ? host.putLast(randoms(k * n, 2)) : host.put(randoms(k * n, 2))
            const out = host.room(2 * n)
            expect(() => host.kernels.matmul(out, a, b, 2, k, n, transposeB)).not.toThrow()
          }
        }
      }
    })

    it('keeps NaN in its own row and column', () => {
      const [m, k, n] = [3, 7, 21]
      for (let l = 0; l < k; l++) {
        host.reset()
        const a = new Float32Array(m * k).fill(1)
        a[k + l] = Number.NaN
        const pa = host.put(a)
        const pb = host.put(new Float32Array(k * n).fill(2))
        const out = host.room(m * n)
        const got = host.run(out, m * n, ({ matmul }) => matmul(out, pa, pb, m, k, n, transposeB))
        got.forEach((value, i) => void expect(value).toBe(Math.floor(i / n) === 1 ? Number.NaN : 2 * k))
      }
    })
  })

  it.each([0, 1] as const)('gives a row the same bits alone and among others, transposeB %i', (transposeB) => {
    const [m, k, n] = [5, 13, 22]
    host.reset()
    const a = host.put(randoms(m * k, 1))
    const b = host.put(randoms(k * n, 2))
    const out = host.room(m * n)
    const all = host.run(out, m * n, ({ matmul }) => matmul(out, a, b, m, k, n, transposeB))
    for (let i = 0; i < m; i++) {
      const one = host.run(out, n, ({ matmul }) => matmul(out, a + i * k * 4, b, 1, k, n, transposeB))
      expect(one).toEqual(all.subarray(i * n, (i + 1) * n))
    }
  })

  it('gives an item the same bits wherever it stands', () => {
    const [k, n] = [13, 11]
    host.reset()
    const query = host.put(randoms(k, 1))
    const items = host.put(randoms(k * n, 2))
    const out = host.room(n)
    const all = host.run(out, n, ({ matmul }) => matmul(out, query, items, 1, k, n, 1))
    for (let j = 0; j < n; j++) {
      expect(host.run(out, 1, ({ matmul }) => matmul(out, query, items + j * k * 4, 1, k, 1, 1))[0]).toBe(all[j])
    }
  })
})
