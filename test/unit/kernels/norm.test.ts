import { describe, expect, it } from 'vitest'
import { expectClose, Host, randoms, VARIANTS } from './instance.ts'

describe.each(VARIANTS)('norms, %s', (variant) => {
  const host = new Host(variant, 4)

  it('l2Normalize equals x · rsqrt(max(Σ x², epsilon)), in place too', () => {
    for (let rows = 0; rows <= 4; rows++) {
      for (let n = 0; n <= 37; n++) {
        for (const epsilon of [1e-12, 3]) {
          host.reset()
          const values = randoms(rows * n, rows * 50 + n)
          const want = Array.from(values, (value, i) => {
            const row = values.subarray(Math.floor(i / n) * n, Math.floor(i / n) * n + n)
            return (
              value /
              Math.sqrt(
                Math.max(
                  row.reduce((sum, x) => sum + x * x, 0),
                  epsilon,
                ),
              )
            )
          })
          const x = host.put(values, n % 4)
          const out = host.room(rows * n, rows % 4)
          const got = host.run(out, rows * n, ({ l2Normalize }) => l2Normalize(out, x, rows, n, epsilon))
          expectClose(got, want, 5e-7, `${rows} × ${n}`)
          expect(host.run(x, rows * n, ({ l2Normalize }) => l2Normalize(x, x, rows, n, epsilon))).toEqual(got)
        }
      }
    }
  })

  it('l2Normalize leaves zeros and makes a row with NaN all NaN', () => {
    host.reset()
    const x = host.put([0, -0, 0, 0, 0, 1, 2, 3, 4, Number.NaN])
    const out = host.room(10)
    const got = host.run(out, 10, ({ l2Normalize }) => l2Normalize(out, x, 2, 5, 1e-12))
    expect([...got]).toEqual([0, -0, 0, 0, 0, ...new Array(5).fill(Number.NaN)])
  })

  it('layerNorm equals Keras with and without gamma and beta, in place too', () => {
    const epsilon = 1e-3
    for (let rows = 0; rows <= 3; rows++) {
      for (let n = 1; n <= 37; n++) {
        for (const [withGamma, withBeta] of [
          [false, false],
          [true, false],
          [false, true],
          [true, true],
        ]) {
          host.reset()
          const values = randoms(rows * n, rows * 50 + n, 3)
          const [gamma, beta] = [randoms(n, 5), randoms(n, 6)]
          const want = new Float64Array(rows * n)
          for (let r = 0; r < rows; r++) {
            const row = Array.from(values.subarray(r * n, r * n + n))
            const mean = row.reduce((sum, x) => sum + x, 0) / n
            const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n
            for (let c = 0; c < n; c++) {
              const scaled = ((row[c] - mean) / Math.sqrt(variance + epsilon)) * (withGamma ? gamma[c] : 1)
              want[r * n + c] = scaled + (withBeta ? beta[c] : 0)
            }
          }
          const x = host.put(values, n % 4)
          const g = withGamma ? host.put(gamma, 1) : 0
          const b = withBeta ? host.put(beta, 2) : 0
          const out = host.room(rows * n, rows % 4)
          const got = host.run(out, rows * n, ({ layerNorm }) => layerNorm(out, x, g, b, rows, n, epsilon))
          // One element is its own mean: its deviation, 0, is divided by √epsilon.
          expectClose(got, want, 4e-6, `${rows} × ${n}`)
          expect(host.run(x, rows * n, ({ layerNorm }) => layerNorm(x, x, g, b, rows, n, epsilon))).toEqual(got)
        }
      }
    }
  })

  it('layerNorm does not cancel where the mean is large', () => {
    host.reset()
    const x = host.put([10000, 10001, 10002, 10003, 10004])
    const out = host.room(5)
    const got = host.run(out, 5, ({ layerNorm }) => layerNorm(out, x, 0, 0, 1, 5, 0))
    expectClose(
      got,
      [-2, -1, 0, 1, 2].map((d) => d / Math.SQRT2),
      1e-6,
    )
  })

  it('read no byte past the end', () => {
    for (let n = 1; n <= 5; n++) {
      host.reset()
      const near = host.put(randoms(n, 1))
      const last = host.putLast(randoms(n, n))
      const out = host.room(n)
      expect(() => host.kernels.l2Normalize(out, last, 1, n, 1e-12)).not.toThrow()
      expect(() => host.kernels.layerNorm(out, last, near, near, 1, n, 1e-3)).not.toThrow()
      expect(() => host.kernels.layerNorm(out, near, last, 0, 1, n, 1e-3)).not.toThrow()
      expect(() => host.kernels.layerNorm(out, near, near, last, 1, n, 1e-3)).not.toThrow()
    }
  })
})
