import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../../src/engine/kernels.ts'
import { expectClose, Host, randoms, VARIANTS } from './instance.ts'
import { REFERENCE } from './reference.ts'

type Name = Exclude<keyof typeof REFERENCE, 'none'>
const NAMES = Object.keys(REFERENCE).filter((name): name is Name => name !== 'none')
const ALPHA = 0.3

const call = (kernels: Kernels, name: Name, out: number, x: number, n: number): void =>
  name === 'elu' || name === 'leakyRelu' ? kernels[name](out, x, n, ALPHA) : kernels[name](out, x, n)

/** Every magnitude that a float has, both signs, and a fine grid where the functions bend. */
const SWEEP = Float32Array.from([
  ...Array.from({ length: 12000 }, (_, i) => 10 ** (-45.1 + (i * 83.6) / 12000)).flatMap((x) => [x, -x]),
  ...Array.from({ length: 60000 }, (_, i) => -120 + i / 250 + 1e-3 * Math.sin(i)),
  ...Array.from({ length: 20000 }, (_, i) => i / 8000 - 1.25),
])

const LEAST = 2 ** -149
/** The largest error that each function may have at x where it should be y. */
const within =
  (error: number) =>
  (_: number, y: number): number =>
    error * Math.abs(y) + LEAST
const relative = within(1.8e-7)
const TOLERANCE: Partial<Record<Name, (x: number, y: number) => number>> = {
  exp: within(8e-8),
  log: within(8e-8),
  elu: within(1.3e-7),
  erfc: within(4.5e-7),
  // 1 + erf cancels, as TensorFlow's does.
  gelu: (x) => 3e-7 * Math.abs(x) + LEAST,
  // The rounding of the argument of e grows with it; a denormal's rounding is multiplied by x.
  geluTanh: (x, y) => 3e-7 * Math.abs(y) * (1 + Math.min(Math.abs(x) ** 3, 200)) + LEAST * (1 + Math.abs(x)),
  swish: (x, y) => 3e-7 * Math.abs(y) + LEAST * (1 + Math.abs(x)),
}

describe.each(VARIANTS)('unary kernels, %s', (variant) => {
  const host = new Host(variant, 64)

  it.each(NAMES)('%s stays within its tolerance of double precision over all magnitudes', (name) => {
    host.reset()
    const x = host.put(SWEEP)
    const out = host.room(SWEEP.length)
    const got = host.run(out, SWEEP.length, (kernels) => call(kernels, name, out, x, SWEEP.length))
    const f = REFERENCE[name]
    const tolerance = TOLERANCE[name] ?? relative
    let worst = 0
    SWEEP.forEach((value, i) => {
      const exact = f(value, Math.fround(ALPHA))
      const want = Math.fround(exact)
      if (!Number.isFinite(want) || !Number.isFinite(got[i])) {
        // Around the largest float one rounding decides between it and infinity.
        const edge = Math.abs(exact) > 3.4028e38 && Math.abs(exact) < 3.4029e38
        if (!edge && !Object.is(got[i], want)) expect.fail(`${name}(${value}): got ${got[i]}, wanted ${want}`)
        return
      }
      const error = Math.abs(got[i] - exact)
      worst = Math.max(worst, error / tolerance(value, exact))
      if (error > tolerance(value, exact)) expect.fail(`${name}(${value}): got ${got[i]}, wanted ${exact}`)
    })
    expect(worst).toBeLessThanOrEqual(1)
  })

  it.each(NAMES)('%s has every tail and alignment, in place too', (name) => {
    const f = REFERENCE[name]
    for (let n = 0; n <= 21; n++) {
      for (const skew of [0, 1, 2, 3]) {
        host.reset()
        const values = randoms(n, n * 7 + skew, 5)
        const want = Array.from(values, (value) => f(value, ALPHA))
        const tolerance = want.map((y) => 1e-6 * Math.max(Math.abs(y), 1))
        const x = host.put(values, skew)
        const out = host.room(n, (skew + 1) % 4)
        const got = host.run(out, n, (kernels) => call(kernels, name, out, x, n))
        expectClose(got, want, tolerance, `${name} of ${n}`)
        expect(host.run(x, n, (kernels) => call(kernels, name, x, x, n))).toEqual(got)
      }
    }
  })

  it.each(NAMES)('%s reads no byte past the end', (name) => {
    for (let n = 1; n <= 5; n++) {
      host.reset()
      const x = host.putLast(randoms(n, n))
      expect(() => call(host.kernels, name, host.room(n), x, n)).not.toThrow()
    }
  })

  it.each(NAMES)('%s of NaN is NaN in every lane and no other lane', (name) => {
    for (let n = 1; n <= 6; n++) {
      for (let at = 0; at < n; at++) {
        host.reset()
        const values = new Float32Array(n).fill(0.5)
        values[at] = Number.NaN
        const x = host.put(values)
        const out = host.room(n)
        const got = host.run(out, n, (kernels) => call(kernels, name, out, x, n))
        expect(Array.from(got, Number.isNaN)).toEqual(Array.from(values, Number.isNaN))
      }
    }
  })

  const { POSITIVE_INFINITY: INF, NaN: NAN } = Number
  it.each<[Name, number[], number[]]>([
    ['exp', [0, -0, INF, -INF, 88.72283, 88.7229, -87.5, -103.97, -103.98, -200, 1e38], [1, 1, INF, 0]],
    ['log', [0, -0, 1, INF, -INF, -1, LEAST, -LEAST], [-INF, -INF, 0, INF, NAN, NAN]],
    ['log1p', [0, -0, -1, INF, -INF, -2, LEAST, 1e38], [0, -0, -INF, INF, NAN, NAN, LEAST]],
    ['sigmoid', [0, -0, INF, -INF, 200, -200, -100, -88.8], [0.5, 0.5, 1, 0, 1, 0]],
    ['tanh', [0, -0, INF, -INF, 20, -20, LEAST, -LEAST], [0, -0, 1, -1, 1, -1, LEAST, -LEAST]],
    ['erf', [0, -0, INF, -INF, 5, -5, LEAST], [0, -0, 1, -1, 1, -1]],
    ['erfc', [0, -0, INF, -INF, 11, -5, LEAST, 1e38], [1, 1, 0, 2, 0, 2, 1, 0]],
    ['relu', [0, -0, INF, -INF, LEAST, -LEAST], [0, -0, INF, 0, LEAST, 0]],
    ['relu6', [0, -0, INF, -INF, 6, 7], [0, -0, 6, 0, 6, 6]],
    ['elu', [0, -0, INF, -INF, -50, -LEAST], [0, -0, INF, -ALPHA, -ALPHA]],
    ['selu', [0, -0, INF, -INF, -50], [0, -0, INF, -1.7580993408473766]],
    ['leakyRelu', [0, -0, INF, -INF], [0, -0, INF, -INF]],
    ['gelu', [0, -0, INF, -INF, 20, -20], [0, -0, INF, NAN, 20, -0]],
    ['geluTanh', [0, -0, INF, -INF, 1e20, -1e20], [0, -0, INF, NAN, 1e20, -0]],
    ['swish', [0, -0, INF, -INF, 200, -200], [0, -0, INF, NAN, 200, -0]],
    ['softplus', [0, -0, INF, -INF, 200, -200], [Math.LN2, Math.LN2, INF, 0, 200, 0]],
    ['softsign', [0, -0, INF, 1e30], [0, -0, NAN, 1]],
    ['sqrt', [0, -0, INF, -1], [0, -0, INF, NAN]],
    ['rsqrt', [0, -0, INF, -1], [INF, -INF, 0, NAN]],
    ['square', [0, -0, INF, -INF, 1e20], [0, 0, INF, INF, INF]],
    ['neg', [0, -0, INF, -INF], [-0, 0, -INF, INF]],
    ['abs', [0, -0, INF, -INF], [0, 0, INF, INF]],
    ['reciprocal', [0, -0, INF, -INF], [INF, -INF, 0, -0]],
    ['floor', [0, -0, INF, -0.5, 2.5, -2.5], [0, -0, INF, -1, 2, -3]],
    ['ceil', [0, -0, INF, -0.5, 2.5, -2.5], [0, -0, INF, -0, 3, -2]],
    ['rint', [0, -0, INF, -0.5, 0.5, 1.5, 2.5, -2.5, 8388609], [0, -0, INF, -0, 0, 2, 2, -2, 8388609]],
  ])('%s is exact at the edges', (name, inputs, exact) => {
    host.reset()
    const x = host.put(inputs)
    const out = host.room(inputs.length)
    const got = host.run(out, inputs.length, (kernels) => call(kernels, name, out, x, inputs.length))
    const f = REFERENCE[name]
    inputs.forEach((input, i) => {
      const where = `${name}(${Object.is(input, -0) ? '-0' : input})`
      if (i < exact.length) {
        const want = Math.fround(exact[i])
        const near = Number.isFinite(want) && want !== 0 && Math.abs(got[i] - want) <= 1.2e-7 * Math.abs(want)
        if (!near) expect(got[i], where).toBe(want)
      } else {
        const want = f(Math.fround(input), ALPHA)
        const near = Math.abs(got[i] - want) <= relative(input, want)
        if (!near) expect(got[i], where).toBe(Math.fround(want))
      }
    })
  })
})
