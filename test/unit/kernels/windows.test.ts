import { describe, expect, test } from 'vitest'
import { Host, VARIANTS } from './instance.ts'

/** The largest of nothing: float32's lowest, as Eigen begins with it. */
const LOWEST = -3.4028234663852886e38

/** What a window covers, step by step; null where there is no step. */
const covered = (i: number, { size, start, stride, dilation, length }: Record<string, number>): (number | null)[] =>
  Array.from({ length: size }, (_, t) => {
    const step = start + i * stride + t * dilation
    return step >= 0 && step < length ? step : null
  })

const VARIATIONS = [1, 2, 3].flatMap((size) =>
  [-2, 0, 1].flatMap((start) =>
    [1, 2].flatMap((stride) => [1, 2].map((dilation) => ({ size, start, stride, dilation, length: 5 }))),
  ),
)
const values = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i * 12.9898 + seed) * 3))

describe.each(VARIANTS)('windows of the %s module', (variant) => {
  const host = new Host(variant)

  test('slide over every number of channels, with every start, stride and dilation', () => {
    for (let n = 1; n <= 13; n++)
      for (const windows of VARIATIONS)
        for (const how of [0, 1, 2] as const) {
          const { size, start, stride, dilation, length } = windows
          const count = 4
          const [x, w] = [values(length * n, n), values(size * n, 7)]
          host.reset()
          const [at, weights, out] = [host.put(x, 1), host.put(w, 3), host.room(count * n, 2)]
          host.run(out, count * n, (k) =>
            k.slideWindows(out, at, weights, count, n, length, size, start, stride, dilation, how),
          )
          const got = host.floats(out, count * n)
          for (let i = 0; i < count; i++) {
            const steps = covered(i, windows)
            for (let c = 0; c < n; c++) {
              const seen = steps.flatMap((step) => (step === null ? [] : [x[step * n + c]]))
              const wanted =
                how === 0
                  ? Math.max(LOWEST, ...seen)
                  : how === 1
                    ? seen.reduce((a, b) => a + b, 0) / seen.length
                    : steps.reduce(
                        (sum: number, step, t) => sum + (step === null ? 0 : x[step * n + c] * w[t * n + c]),
                        0,
                      )
              const close = Object.is(got[i * n + c], wanted) || Math.abs(got[i * n + c] - wanted) <= 1e-5
              if (!close) expect.fail(`n ${n} ${JSON.stringify(windows)} how ${how}: ${got[i * n + c]}, not ${wanted}`)
            }
          }
        }
  })

  test('are laid side by side, zeros where there is no step', () => {
    for (let n = 1; n <= 6; n++)
      for (const windows of VARIATIONS) {
        const { size, start, stride, dilation, length } = windows
        const count = 4
        const x = values(length * n, n)
        host.reset()
        const [at, out] = [host.put(x, 1), host.room(count * size * n, 3)]
        host.run(out, count * size * n, (k) => k.layWindows(out, at, count, n, length, size, start, stride, dilation))
        const wanted = Array.from({ length: count }, (_, i) => covered(i, windows))
          .flat()
          .flatMap((step) => Array.from({ length: n }, (_, c) => (step === null ? 0 : x[step * n + c])))
        expect([...host.floats(out, count * size * n)]).toEqual(wanted)
      }
  })

  test('pass over NaN where the largest is wanted', () => {
    host.reset()
    const x = host.put([Number.NaN, 1, Number.NaN, -1, Number.NaN, Number.NaN])
    const out = host.room(3)
    host.run(out, 3, (k) => k.slideWindows(out, x, 0, 3, 1, 6, 2, 0, 2, 1, 0))
    expect([...host.floats(out, 3)]).toEqual([1, -1, LOWEST])
  })
})
