import { describe, expect, test } from 'vitest'
import { Host, VARIANTS } from './instance.ts'

/** The largest of nothing: float32's lowest, as Eigen begins with it. */
const LOWEST = -3.4028234663852886e38

interface Along {
  readonly size: number
  readonly start: number
  readonly stride: number
  readonly dilation: number
  readonly length: number
}

/** What window i covers along one dimension, place by place; null where there is nothing. */
const covered = (i: number, { size, start, stride, dilation, length }: Along): (number | null)[] =>
  Array.from({ length: size }, (_, t) => {
    const at = start + i * stride + t * dilation
    return at >= 0 && at < length ? at : null
  })

/** The pixels that window i of a row covers, place by place; null outside the image. */
const pixels = (i: number, down: Along, across: Along): (number | null)[] =>
  covered(0, down).flatMap((y) =>
    covered(i, across).map((x) => (y === null || x === null ? null : y * across.length + x)),
  )

/** What says to a kernel which windows they are. */
const windows = (down: Along, across: Along) =>
  [
    down.length,
    across.length,
    down.size,
    across.size,
    down.start,
    across.start,
    across.stride,
    down.dilation,
    across.dilation,
  ] as const

const ACROSS: readonly Along[] = [1, 2, 3].flatMap((size) =>
  [-2, 0, 1, 4].flatMap((start) =>
    [1, 2].flatMap((stride) => [1, 2].map((dilation) => ({ size, start, stride, dilation, length: 5 }))),
  ),
)
const DOWN: readonly Along[] = [
  { size: 1, start: 0, stride: 1, dilation: 1, length: 1 },
  { size: 3, start: -1, stride: 1, dilation: 1, length: 3 },
  { size: 2, start: 2, stride: 1, dilation: 2, length: 4 },
  { size: 2, start: -3, stride: 1, dilation: 2, length: 2 },
  { size: 3, start: -3, stride: 1, dilation: 1, length: 2 },
]
const COUNT = 4
const values = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i * 12.9898 + seed) * 3))

describe.each(VARIANTS)('windows of the %s module', (variant) => {
  const host = new Host(variant)

  const eachWindows = (channels: readonly number[], run: (n: number, down: Along, across: Along) => void) => {
    for (const n of channels) for (const down of DOWN) for (const across of ACROSS) run(n, down, across)
  }

  test('slide over every number of channels, with every start, stride and dilation', () => {
    eachWindows([1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 22, 36], (n, down, across) => {
      const [x, w] = [values(down.length * across.length * n, n), values(down.size * across.size * n, 7)]
      for (const how of [0, 1, 2] as const) {
        host.reset()
        const [at, weights, out] = [host.put(x, 1), host.put(w, 3), host.room(COUNT * n, 2)]
        host.run(out, COUNT * n, (k) => k.slideWindows(out, at, weights, COUNT, n, ...windows(down, across), how))
        const got = host.floats(out, COUNT * n)
        for (let i = 0; i < COUNT; i++) {
          const places = pixels(i, down, across)
          for (let c = 0; c < n; c++) {
            const seen = places.flatMap((pixel) => (pixel === null ? [] : [x[pixel * n + c]]))
            const wanted =
              how === 0
                ? Math.max(LOWEST, ...seen)
                : how === 1
                  ? seen.reduce((a, b) => a + b, 0) / seen.length
                  : places.reduce(
                      (sum: number, pixel, t) => sum + (pixel === null ? 0 : x[pixel * n + c] * w[t * n + c]),
                      0,
                    )
            const close = Object.is(got[i * n + c], wanted) || Math.abs(got[i * n + c] - wanted) <= 1e-5
            if (!close)
              expect.fail(`n ${n} ${JSON.stringify({ down, across })} how ${how}: ${got[i * n + c]}, not ${wanted}`)
          }
        }
      }
    })
  })

  test('are laid side by side, zeros where there is nothing', () => {
    eachWindows([1, 2, 3, 5, 6, 7, 13, 14, 16], (n, down, across) => {
      const x = values(down.length * across.length * n, n)
      const length = COUNT * down.size * across.size * n
      host.reset()
      const [at, out] = [host.put(x, 1), host.room(length, 3)]
      host.run(out, length, (k) => k.layWindows(out, at, COUNT, n, ...windows(down, across)))
      const wanted = Array.from({ length: COUNT }, (_, i) => pixels(i, down, across))
        .flat()
        .flatMap((pixel) => Array.from({ length: n }, (_, c) => (pixel === null ? 0 : x[pixel * n + c])))
      expect([...host.floats(out, length)]).toEqual(wanted)
    })
  })

  test('pass over NaN where the largest is wanted', () => {
    host.reset()
    const x = host.put([Number.NaN, 1, Number.NaN, -1, Number.NaN, Number.NaN])
    const out = host.room(3)
    host.run(out, 3, (k) => k.slideWindows(out, x, 0, 3, 1, 1, 6, 1, 2, 0, 0, 2, 1, 1, 0))
    expect([...host.floats(out, 3)]).toEqual([1, -1, LOWEST])
  })
})
