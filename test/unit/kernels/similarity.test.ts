import { describe, expect, it } from 'vitest'
import { expectClose, Host, randoms, VARIANTS } from './instance.ts'

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0)

const EPSILON = 1e-12
const PAIRS = {
  rowDot: dot,
  rowCosine: (a: ArrayLike<number>, b: ArrayLike<number>) =>
    dot(a, b) / Math.sqrt(Math.max(dot(a, a), EPSILON)) / Math.sqrt(Math.max(dot(b, b), EPSILON)),
  rowSquaredDistance: (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0),
}
const NAMES = Object.keys(PAIRS) as (keyof typeof PAIRS)[]

describe.each(VARIANTS)('similarity, %s', (variant) => {
  const host = new Host(variant, 16)

  const run = (
    name: keyof typeof PAIRS,
    a: ArrayLike<number>,
    b: ArrayLike<number>,
    rows: number,
    n: number,
    skew = 0,
  ) => {
    host.reset()
    const pa = host.put(a, skew)
    const pb = host.put(b, (skew + 1) % 4)
    const out = host.room(rows, skew)
    return host.run(out, rows, ({ [name]: kernel }) => kernel(out, pa, pb, rows, n, EPSILON))
  }

  it.each(NAMES)('%s equals double precision for every row length and alignment', (name) => {
    for (const rows of [0, 1, 2, 5]) {
      for (const n of [...Array.from({ length: 41 }, (_, i) => i), 256, 515]) {
        const a = randoms(rows * n, n)
        const b = randoms(rows * n, n + 77)
        const want = Array.from({ length: rows }, (_, r) =>
          PAIRS[name](a.subarray(r * n, (r + 1) * n), b.subarray(r * n, (r + 1) * n)),
        )
        expectClose(run(name, a, b, rows, n, n % 4), want, 5e-7 * (3 + n / 4), `${name} ${rows} × ${n}`)
      }
    }
  })

  it('rowCosine of a row of zeros is 0', () => {
    expect([...run('rowCosine', [0, 0, 0, 1, 2, 3], [1, 2, 3, 1, 2, 3], 2, 3)]).toEqual([0, expect.closeTo(1, 6)])
  })

  it.each(NAMES)('%s is NaN where either row has it, and only there', (name) => {
    for (let n = 1; n <= 9; n++) {
      for (let at = 0; at < n; at++) {
        const a = new Float32Array(3 * n).fill(1)
        const b = new Float32Array(3 * n).fill(2)
        a[at] = Number.NaN
        b[2 * n + at] = Number.NaN
        expect(Array.from(run(name, a, b, 3, n), Number.isNaN)).toEqual([true, false, true])
      }
    }
  })

  it('read no byte past the end', () => {
    for (let n = 1; n <= 5; n++) {
      for (let rows = 1; rows <= 6; rows++) {
        host.reset()
        const near = host.put(randoms(rows * n, 1))
        const last = host.putLast(randoms(rows * n, 2))
        const out = host.room(rows)
        for (const name of NAMES) {
          expect(() => host.kernels[name](out, near, last, rows, n, EPSILON)).not.toThrow()
          expect(() => host.kernels[name](out, last, near, rows, n, EPSILON)).not.toThrow()
        }
      }
    }
  })
})
