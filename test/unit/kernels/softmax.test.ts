import { describe, expect, it } from 'vitest'
import { expectClose, Host, randoms, VARIANTS } from './instance.ts'

const { POSITIVE_INFINITY: INF, NaN: NAN } = Number

function softmax(x: ArrayLike<number>): number[] {
  const top = Math.max(...Array.from(x))
  const powers = Array.from(x, (value) => Math.exp(value - top))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}

function logSoftmax(x: ArrayLike<number>): number[] {
  const top = Math.max(...Array.from(x))
  const total = Array.from(x).reduce((sum, value) => sum + Math.exp(value - top), 0)
  return Array.from(x, (value) => value - top - Math.log(total))
}

describe.each(VARIANTS)('softmax and logSoftmax, %s', (variant) => {
  const host = new Host(variant, 4)

  const byRow = (x: Float32Array, rows: number, n: number, f: (row: Float32Array) => number[]): number[] =>
    Array.from({ length: rows }, (_, r) => f(x.subarray(r * n, (r + 1) * n))).flat()

  it.each([
    ['softmax', softmax, 5e-7],
    ['logSoftmax', logSoftmax, 3e-6],
  ] as const)('%s equals double precision for every row length, alignment and scale', (name, f, tolerance) => {
    for (let rows = 0; rows <= 3; rows++) {
      for (let n = 0; n <= 23; n++) {
        for (const scale of [1, 30]) {
          host.reset()
          const values = randoms(rows * n, rows + n, scale)
          const want = byRow(values, rows, n, f)
          const bounds = want.map((value) => tolerance * Math.max(Math.abs(value), name === 'softmax' ? 1e-30 : 1))
          // The difference to the maximum is rounded before e is raised to it.
          const widened = name === 'softmax' ? bounds.map((bound) => bound * (1 + scale / 4)) : bounds
          const x = host.put(values, n % 4)
          const out = host.room(rows * n, (n + 1) % 4)
          const got = host.run(out, rows * n, (kernels) => kernels[name](out, x, rows, n))
          expectClose(got, want, widened, `${name} ${rows} × ${n}`)
          expect(host.run(x, rows * n, (kernels) => kernels[name](x, x, rows, n))).toEqual(got)
        }
      }
    }
  })

  it('is not thrown off by large numbers', () => {
    host.reset()
    const x = host.put([1e30, 1e30, -1e30, 1e30, 0])
    const out = host.room(5)
    const third = Math.fround(1 / 3)
    expect([...host.run(out, 5, (kernels) => kernels.softmax(out, x, 1, 5))]).toEqual([third, third, 0, third, 0])
  })

  it('has the bits of eˣ down to where that is 0, and past it', () => {
    // 1 + e⁻²⁰ is 1, so that nothing is divided.
    for (let x = -20; x > -120; x -= 0.25) {
      for (const n of [2, 3, 4, 5, 9]) {
        host.reset()
        const row = new Float32Array(n).fill(x + (x % 0.37))
        row[n - 1] = 0
        const [at, out] = [host.put(row), host.room(n)]
        const wanted = [...host.run(out, n, (kernels) => kernels.exp(out, at, n))]
        expect([...host.run(out, n, (kernels) => kernels.softmax(out, at, 1, n))], `${x}`).toEqual(wanted)
      }
    }
    host.reset()
    const [at, out] = [host.put([0, -104, -1e9, -INF, -3e38]), host.room(5)]
    expect([...host.run(out, 5, (kernels) => kernels.softmax(out, at, 1, 5))]).toEqual([1, 0, 0, 0, 0])
  })

  it.each(['softmax', 'logSoftmax'] as const)(
    '%s of a row with NaN anywhere is NaN, and of the next row is not',
    (name) => {
      for (let n = 1; n <= 13; n++) {
        for (let place = 0; place < n; place++) {
          host.reset()
          const rows = randoms(2 * n, n)
          rows[place] = NAN
          const [at, out] = [host.put(rows), host.room(2 * n)]
          const got = [...host.run(out, 2 * n, (kernels) => kernels[name](out, at, 2, n))]
          expect(got.map(Number.isNaN), `${n}, ${place}`).toEqual(got.map((_, i) => i < n))
        }
      }
    },
  )

  it('is not thrown off by numbers far below zero, however many', () => {
    for (let n = 1; n <= 9; n++) {
      host.reset()
      const x = host.put(new Float32Array(n).fill(-1e30))
      const out = host.room(n)
      for (const [name, want] of [
        ['softmax', 1 / n],
        ['logSoftmax', -Math.log(n)],
      ] as const)
        expectClose(
          host.run(out, n, (kernels) => kernels[name](out, x, 1, n)),
          new Array(n).fill(want),
          3e-7,
        )
    }
  })

  it.each([
    [
      [1, NAN, 2, 3, 4],
      [NAN, NAN, NAN, NAN, NAN],
    ],
    [
      [1, 2, 3, 4, NAN],
      [NAN, NAN, NAN, NAN, NAN],
    ],
    [
      [-INF, -INF],
      [NAN, NAN],
    ],
    [
      [-INF, 5, -INF, -INF, -INF],
      [0, 1, 0, 0, 0],
    ],
    [
      [INF, 1],
      [NAN, NAN],
    ],
  ])('softmax of %j is %j, beside a row that stays right', (row, want) => {
    host.reset()
    const n = row.length
    const x = host.put([...row, ...new Array<number>(n).fill(3)])
    const out = host.room(2 * n)
    const got = host.run(out, 2 * n, (kernels) => kernels.softmax(out, x, 2, n))
    // Infinity − Infinity spoils its own lane, and through the sum the whole row.
    expect([...got.subarray(0, n)]).toEqual(want)
    expectClose(got.subarray(n), new Array(n).fill(1 / n), 1e-7)
  })

  it('reads no byte past the end', () => {
    for (let n = 1; n <= 5; n++) {
      host.reset()
      const x = host.putLast(randoms(n, n))
      const out = host.room(n)
      expect(() => host.kernels.softmax(out, x, 1, n)).not.toThrow()
      expect(() => host.kernels.logSoftmax(out, x, 1, n)).not.toThrow()
    }
  })
})
