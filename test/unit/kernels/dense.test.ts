import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ACTIVATIONS, LOADS } from '../../../src/engine/kernels.ts'
import { packPanels } from '../../../src/tensor/panels.ts'
import { expectClose, Host, randoms } from './instance.ts'
import { REFERENCE } from './reference.ts'

type Case = { rows: number; k: number; n: number; activation?: keyof typeof ACTIVATIONS; bias?: boolean; skew?: number }

/** dense in double precision, and how far float32 sums of these terms may be from it. */
function expected(x: Float32Array, w: Float32Array, bias: Float32Array | null, rows: number, k: number, n: number) {
  const sums = new Float64Array(rows * n)
  const bounds = new Float64Array(rows * n)
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < n; j++) {
      let sum = bias ? bias[j] : 0
      let size = Math.abs(sum)
      for (let i = 0; i < k; i++) {
        const term = x[r * k + i] * w[i * n + j]
        sum += term
        size += Math.abs(term)
      }
      sums[r * n + j] = sum
      bounds[r * n + j] = 2e-7 * (1 + Math.sqrt(k)) * size + 1e-30
    }
  }
  return { sums, bounds }
}

function check(host: Host, { rows, k, n, activation = 'none', bias = true, skew = 0 }: Case, alpha = 0.2): void {
  host.reset()
  const x = randoms(rows * k, rows * 1009 + k)
  const w = randoms(k * n, k * 31 + n)
  const b = bias ? randoms(n, 7) : null
  const { sums, bounds } = expected(x, w, b, rows, k, n)
  const px = host.put(x, skew)
  const pw = host.put(packPanels(w, k, n), skew)
  const pb = b ? host.put(b, skew) : 0
  const out = host.room(rows * n, skew)
  const got = host.run(out, rows * n, ({ dense }) => dense(out, px, pw, pb, rows, k, n, ACTIVATIONS[activation], alpha))
  const f = REFERENCE[activation]
  const want = sums.map((sum) => f(sum, alpha))
  // No activation is steeper than 1.8; its own error is relative to its value and to 1.
  const tolerance = bounds.map((bound, i) => 1.8 * bound + 4e-7 * Math.max(Math.abs(want[i]), Math.abs(sums[i]), 0.5))
  expectClose(got, want, activation === 'none' || activation === 'relu' ? bounds : tolerance, `${rows}×${k}×${n}`)
}

const hosts = {
  baseline: new Host('baseline', 16),
  'relaxed, for an engine that loads in place': new Host('relaxed', 16, LOADS.inPlace),
  'relaxed, for one that loads first': new Host('relaxed', 16, LOADS.first),
  'relaxed, for one that checks loads': new Host('relaxed', 16, LOADS.checked),
}

describe('dense, relaxed', () => {
  it('gives the same bits by the tiles of any engine', () => {
    for (const [rows, k, n] of [
      [1, 128, 256],
      [1, 7, 81],
      [2, 300, 48],
      [64, 257, 50],
    ]) {
      const answers = Object.values(LOADS).map((loads) => {
        const host = new Host('relaxed', 16, loads)
        const x = host.put(randoms(rows * k, 3))
        const w = host.put(packPanels(randoms(k * n, 4), k, n))
        const b = host.put(randoms(n, 5))
        const out = host.room(rows * n)
        return host.run(out, rows * n, ({ dense }) => dense(out, x, w, b, rows, k, n, ACTIVATIONS.gelu, 0))
      })
      for (const answer of answers.slice(1)) expect(answer, `${rows}×${k}×${n}`).toEqual(answers[0])
    }
  })
})

describe.each(Object.entries(hosts))('dense, %s', (_, host) => {
  it('packs weights as packPanels does, from any address of four bytes', () => {
    for (const k of [1, 2, 5])
      for (let n = 1; n <= 50; n++) {
        host.reset()
        const weights = randoms(k * n, n)
        const wanted = packPanels(weights, k, n)
        const [w, out] = [host.put(weights, n % 4), host.room(wanted.length, k % 3)]
        host.run(out, wanted.length, (kernels) => kernels.packPanels(out, w, k, n))
        expect(host.floats(out, wanted.length)).toEqual(wanted)
      }
  })

  it('equals double precision for rows 0 to 15 and every k and n up to 40', () => {
    for (let rows = 0; rows <= 15; rows++) {
      for (let k = rows % 3; k <= 40; k += 3) for (let n = (rows + k) % 4; n <= 40; n += 4) check(host, { rows, k, n })
    }
  })

  it('has every column tail past each panel, with one row and with several', () => {
    for (const rows of [1, 2, 3, 6, 7]) for (let n = 1; n <= 69; n++) check(host, { rows, k: 5, n })
  })

  it('has every k past each unrolled step', () => {
    for (const rows of [1, 2, 5, 6]) for (let k = 0; k <= 40; k++) check(host, { rows, k, n: 51 })
  })

  it('has every number of rows of a panel past a part of it', () => {
    for (const rows of [1, 2, 3, 6, 13])
      for (const k of [255, 256, 257, 511, 512, 513, 1030]) check(host, { rows, k, n: 33 })
  })

  it('has every number of rows of a panel, and of panels, past what a tile takes', () => {
    for (const rows of [6, 13])
      for (const k of [31, 32, 33, 64, 95]) for (const n of [15, 16, 130, 145, 272]) check(host, { rows, k, n })
  })

  it('crosses the chunks of rows', () => {
    for (const rows of [59, 60, 61, 62, 65, 66, 67, 119, 120, 121, 193])
      check(host, { rows, k: 7, n: 19, activation: 'sigmoid' })
  })

  it('is right for the towers of the demo, large k and one column', () => {
    check(host, { rows: 1, k: 512, n: 256 })
    check(host, { rows: 33, k: 256, n: 128, activation: 'relu' })
    check(host, { rows: 3, k: 1024, n: 1, activation: 'sigmoid' })
    check(host, { rows: 17, k: 1, n: 100 })
  })

  it('needs no bias and any alignment of four bytes', () => {
    for (const rows of [1, 4]) {
      check(host, { rows, k: 9, n: 21, bias: false })
      for (const skew of [1, 2, 3, 5]) check(host, { rows, k: 9, n: 37, skew })
    }
  })

  it.each(Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[])('applies %s after the bias', (activation) => {
    for (const rows of [1, 2, 3, 70]) for (const n of [1, 16, 23, 33]) check(host, { rows, k: 24, n, activation })
    check(host, { rows: 3, k: 24, n: 23, activation }, 1.5)
  })

  it('gives a row the same bits alone and in any batch', () => {
    for (const [k, n] of [
      [37, 50],
      [128, 64],
      [3, 5],
    ]) {
      const rows = 71
      host.reset()
      const x = host.put(randoms(rows * k, 3))
      const w = host.put(packPanels(randoms(k * n, 4), k, n))
      const b = host.put(randoms(n, 5))
      const out = host.room(rows * n)
      const batch = host.run(out, rows * n, ({ dense }) => dense(out, x, w, b, rows, k, n, ACTIVATIONS.gelu, 0))
      for (let r = 0; r < rows; r++) {
        const one = host.run(out, n, ({ dense }) => dense(out, x + r * k * 4, w, b, 1, k, n, ACTIVATIONS.gelu, 0))
        expect(one).toEqual(batch.subarray(r * n, (r + 1) * n))
      }
    }
  })

  it('reads no byte past the end of x, W or bias', () => {
    for (const rows of [1, 2, 3, 6]) {
      for (const last of ['x', 'w', 'b']) {
        host.reset()
        const [k, n] = [3, 18]
        const place = (name: string, values: Float32Array) => (name === last ? host.putLast(values) : host.put(values))
        const x = place('x', randoms(rows * k, 1))
        const w = place('w', packPanels(randoms(k * n, 2), k, n))
        const b = place('b', randoms(n, 3))
        const out = host.room(rows * n)
        expect(() => host.kernels.dense(out, x, w, b, rows, k, n, 0, 0)).not.toThrow()
      }
    }
  })

  it('keeps NaN and infinities in their own row and column', () => {
    const [k, n] = [6, 20]
    for (const rows of [1, 4]) {
      host.reset()
      const values = new Float32Array(rows * k).fill(1)
      values[2] = Number.NaN
      if (rows > 1) values[k + 1] = Number.POSITIVE_INFINITY
      const x = host.put(values)
      const w = host.put(packPanels(new Float32Array(k * n).fill(0.5), k, n))
      const out = host.room(rows * n)
      for (const activation of [ACTIVATIONS.none, ACTIVATIONS.relu]) {
        const got = host.run(out, rows * n, ({ dense }) => dense(out, x, w, 0, rows, k, n, activation, 0))
        expect([...got.subarray(0, n)]).toEqual(new Array(n).fill(Number.NaN))
        if (rows > 1) expect([...got.subarray(n, 2 * n)]).toEqual(new Array(n).fill(Number.POSITIVE_INFINITY))
        if (rows > 1) expect([...got.subarray(2 * n, 3 * n)]).toEqual(new Array(n).fill(3))
      }
    }
  })

  it('equals double precision for any shape and any finite numbers', () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 })
    const shape = fc.record({
      rows: fc.integer({ min: 1, max: 15 }),
      k: fc.integer({ min: 1, max: 40 }),
      n: fc.integer({ min: 1, max: 40 }),
    })
    const cases = shape.chain(({ rows, k, n }) =>
      fc.record({
        rows: fc.constant(rows),
        k: fc.constant(k),
        n: fc.constant(n),
        x: fc.array(value, { minLength: rows * k, maxLength: rows * k }),
        w: fc.array(value, { minLength: k * n, maxLength: k * n }),
        b: fc.array(value, { minLength: n, maxLength: n }),
      }),
    )
    fc.assert(
      fc.property(cases, ({ rows, k, n, x, w, b }) => {
        host.reset()
        const weights = Float32Array.from(w)
        const want = expected(Float32Array.from(x), weights, Float32Array.from(b), rows, k, n)
        const px = host.put(x)
        const pw = host.put(packPanels(weights, k, n))
        const pb = host.put(b)
        const out = host.room(rows * n)
        const got = host.run(out, rows * n, ({ dense }) => dense(out, px, pw, pb, rows, k, n, 0, 0))
        expectClose(got, want.sums, want.bounds)
      }),
      { numRuns: 60 },
    )
  })
})
