import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ACTIVATIONS, int8Scratch } from '../../../src/engine/kernels.ts'
import { Attrs } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/int8.ts'
import { type TensorOf, tensor } from '../../../src/tensor/index.ts'
import { packedInt8Shape, packInt8, toInt8, unpackInt8 } from '../../../src/tensor/panelsint8.ts'
import { expectClose, Host, randoms, type Variant } from './instance.ts'

const NAMES: Readonly<Record<string, keyof typeof ACTIVATIONS>> = { Relu: 'relu', Sigmoid: 'sigmoid', Elu: 'elu' }

interface Layer {
  readonly k: number
  readonly n: number
  readonly packed: Int8Array
  readonly factors: Float32Array
  readonly scales: Float32Array
  readonly totals: Int32Array
  readonly bias: Float32Array | null
}

function layer(weights: Float32Array, k: number, n: number, bias: Float32Array | null): Layer {
  const bytes = toInt8(weights, k, n)
  const totals = Int32Array.from({ length: n }, (_, j) => {
    let sum = 0
    for (let i = 0; i < k; i++) sum += bytes.weights[i * n + j]
    return sum
  })
  return { k, n, packed: packInt8(bytes.weights, k, n), factors: bytes.factors, scales: bytes.scales, totals, bias }
}

/** What ops/int8.ts says, which is exact but for the activation. */
function meaning(x: Float32Array, { k, n, packed, factors, scales, totals, bias }: Layer, activation: string | null) {
  const inputs = [
    tensor('float32', [x.length / k, k], x),
    tensor('int8', packedInt8Shape(k, n), packed),
    tensor('float32', [k], factors),
    tensor('float32', [n], scales),
    tensor('int32', [n], totals),
    ...(bias === null ? [] : [tensor('float32', [n], bias)]),
  ]
  const attrs = new Attrs({ k, n, ...(activation === null ? {} : { activation, alpha: 1 }) })
  const node = { name: 'layer', op: 'twotower>DenseInt8', attrs, inputs: [], controls: [] }
  const out = ops[node.op].evaluate({ inputs, attrs, node, files: new Map(), run: () => [] })
  return (out as TensorOf<'float32'>).data
}

function run(host: Host, paired: number, x: Float32Array, made: Layer, activation: string | null, skew = 0) {
  const { k, n, packed, factors, scales, totals, bias } = made
  const rows = x.length / k
  host.reset()
  const [px, pw, pf, ps] = [host.put(x, skew), host.putBytes(packed), host.put(factors, skew), host.put(scales, skew)]
  const [pt, pb] = [host.putInts(totals), bias === null ? 0 : host.put(bias, skew)]
  const scratch = host.room(int8Scratch(rows, k, n) / 4)
  const out = host.room(rows * n, skew)
  const code = ACTIVATIONS[activation === null ? 'none' : NAMES[activation]]
  host.runInto(
    [
      [out, rows * n],
      [scratch, int8Scratch(rows, k, n) / 4],
    ],
    ({ denseInt8 }) => denseInt8(out, px, pw, pf, ps, pt, pb, rows, k, n, code, 1, scratch, paired),
  )
  return host.floats(out, rows * n).slice()
}

/** The tests of a build, in one of its ways of multiplying bytes. */
export function denseInt8Cases(variant: Variant, paired: 0 | 1, loads?: number): void {
  const host = new Host(variant, 16, loads)
  const check = (rows: number, k: number, n: number, activation: string | null = null, bias = true, skew = 0) => {
    const made = layer(randoms(k * n, k * 31 + n), k, n, bias ? randoms(n, 7) : null)
    const x = randoms(rows * k, rows * 1009 + k)
    const want = meaning(x, made, activation)
    const about = `${rows}×${k}×${n}`
    const got = run(host, paired, x, made, activation, skew)
    if (activation === null || activation === 'Relu') expect(got, about).toEqual(want)
    else expectClose(got, want, 1e-6, about)
  }

  it('equals its meaning to the last bit at every k', () => {
    for (const rows of [1, 2, 3, 6]) for (let k = 1; k <= 70; k++) check(rows, k, 17 + (k % 23))
  })

  it('equals its meaning to the last bit at every n', () => {
    for (const rows of [1, 2, 3, 7]) for (let n = 1; n <= 70; n++) check(rows, 5 + (n % 19), n)
  })

  it('equals its meaning to the last bit at every number of rows, past the chunk too', () => {
    for (let rows = 0; rows <= 70; rows++) check(rows, 13, 21)
    for (const rows of [119, 120, 121, 193]) check(rows, 7, 19, 'Relu')
  })

  it('is right for the layers of large towers', () => {
    check(3, 1024, 512, 'Relu')
    check(1, 512, 256)
  })

  it('equals its meaning to the last bit around every multiple of what a tile takes', () => {
    for (const rows of [6, 13])
      for (const k of [127, 128, 129, 136, 255, 256, 300])
        for (const n of [15, 16, 35, 130, 145]) check(rows, k, n, 'Relu')
  })

  it('takes activations, no bias and any alignment of four bytes', () => {
    for (const activation of ['Relu', 'Sigmoid', 'Elu']) for (const rows of [1, 4, 65]) check(rows, 24, 23, activation)
    for (const rows of [1, 4]) check(rows, 9, 21, null, false)
    for (const skew of [1, 2, 3]) check(3, 9, 37, 'Relu', true, skew)
  })

  it('keeps its sums exact where every product is as large as it can be', () => {
    for (const sign of [1, -1]) {
      const [k, n] = [4096, 18]
      const made = layer(new Float32Array(k * n).fill(sign), k, n, null)
      for (const rows of [1, 2, 6]) {
        const x = new Float32Array(rows * k).fill(3)
        const want = meaning(x, made, null)
        expect(run(host, paired, x, made, null)).toEqual(want)
        expectClose(want, new Float32Array(rows * n).fill(sign * 3 * k), 0.01)
      }
    }
  })

  it('makes a row with NaN or an infinity, or whose range is one, NaN, and no other', () => {
    const [k, n] = [11, 18]
    const made = layer(randoms(k * n, 5), k, n, randoms(n, 6))
    for (const bad of [[Number.NaN], [Infinity], [-Infinity], [Infinity, -Infinity], [3e38, -3e38]]) {
      for (let at = 0; at < k - 1; at++) {
        const x = randoms(4 * k, at)
        x.set(bad, 2 * k + at)
        const got = run(host, paired, x, made, 'Relu')
        expect(got).toEqual(meaning(x, made, 'Relu'))
        expect([...got.subarray(2 * n, 3 * n)]).toEqual(new Array(n).fill(Number.NaN))
        for (const r of [0, 1, 3]) expect(got.subarray(r * n, r * n + n).every(Number.isFinite)).toBe(true)
      }
    }
    // NaN has a sign, which a number of JavaScript does not show.
    for (const bits of [0x7fc00000, 0xffc00000, 0xffffffff]) {
      for (const at of [0, 5, k - 1]) {
        const x = randoms(2 * k, at)
        new Uint32Array(x.buffer)[at] = bits
        const got = run(host, paired, x, made, null)
        expect([...got.subarray(0, n)]).toEqual(new Array(n).fill(Number.NaN))
        expect(got.subarray(n).every(Number.isFinite)).toBe(true)
      }
    }
  })

  it('takes rows of zeros, of one sign, of denormals and of huge values', () => {
    const [k, n] = [19, 17]
    const made = layer(randoms(k * n, 5), k, n, randoms(n, 6))
    for (const scale of [0, 1, -1, 2 ** -149, 1e-31, 1e-29, 1e30]) {
      const x = randoms(3 * k, 9).map((value) => Math.abs(value) * scale)
      const got = run(host, paired, x, made, null)
      expect(got).toEqual(meaning(x, made, null))
      expect(got.every(Number.isFinite)).toBe(true)
    }
  })

  it('adds what rounding took from a row with an element far larger than the others', () => {
    for (const [k, n] of [
      [90, 17],
      [101, 33],
      [136, 16],
    ]) {
      const made = layer(randoms(k * n, 5), k, n, randoms(n, 6))
      const x = randoms(5 * k, 9)
      for (const r of [0, 3, 4]) x[r * k + 2 * r] = r === 3 ? -60 : 60
      for (const activation of [null, 'Relu'])
        expect(run(host, paired, x, made, activation)).toEqual(meaning(x, made, activation))
      // Of so large a range a step of seven bits is half as large as the elements that it would round away.
      const bytes = unpackInt8(made.packed, k, n)
      const got = run(host, paired, x.slice(0, k), { ...made, bias: null }, null)
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let i = 0; i < k; i++) sum += x[i] * bytes[i * n + j] * made.factors[i] * made.scales[j]
        expect(Math.abs(got[j] - sum)).toBeLessThan(0.02)
      }
    }
  })

  it('counts for nothing what comes to 0 beside a far larger element', () => {
    const [k, n] = [90, 17]
    const made = layer(randoms(k * n, 5), k, n, null)
    // Denormals: were they counted, the errors of the two others would be added.
    const x = new Float32Array(k).fill(2 ** -144)
    x.set([60_000, 15_437], 3)
    expect(run(host, paired, x, made, null)).toEqual(meaning(x, made, null))
  })

  it('gives a row the same bits alone and in any batch', () => {
    const [k, n, rows] = [37, 50, 71]
    const made = layer(randoms(k * n, 4), k, n, randoms(n, 5))
    const x = randoms(rows * k, 3)
    const batch = run(host, paired, x, made, 'Sigmoid')
    for (let r = 0; r < rows; r++)
      expect(run(host, paired, x.slice(r * k, r * k + k), made, 'Sigmoid')).toEqual(batch.subarray(r * n, r * n + n))
  })

  it('reads no byte past the end of x, W, scales, totals or bias', () => {
    const [k, n] = [11, 18]
    const made = layer(randoms(k * n, 5), k, n, randoms(n, 6))
    const words = new Int32Array(made.packed.buffer)
    for (const rows of [1, 2, 3]) {
      for (const last of ['x', 'w', 'f', 's', 't', 'b']) {
        host.reset()
        const place = (name: string, values: Float32Array) => (name === last ? host.putLast(values) : host.put(values))
        const [x, s, b] = [place('x', randoms(rows * k, 1)), place('s', made.scales), place('b', randoms(n, 3))]
        const w = place('w', new Float32Array(words.buffer))
        const f = place('f', made.factors)
        const t = place('t', new Float32Array(made.totals.buffer))
        const [scratch, out] = [host.room(int8Scratch(rows, k, n) / 4), host.room(rows * n)]
        const { denseInt8 } = host.kernels
        expect(() => denseInt8(out, x, w, f, s, t, b, rows, k, n, 0, 0, scratch, paired)).not.toThrow()
      }
    }
  })

  it('equals its meaning to the last bit for any shape and any finite numbers', () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 })
    const size = fc.integer({ min: 1, max: 40 })
    const cases = fc.tuple(fc.integer({ min: 1, max: 5 }), size, size).chain(([rows, k, n]) =>
      fc.record({
        k: fc.constant(k),
        n: fc.constant(n),
        x: fc.float32Array({ minLength: rows * k, maxLength: rows * k, noNaN: true, noDefaultInfinity: true }),
        w: fc.array(value, { minLength: k * n, maxLength: k * n }),
      }),
    )
    fc.assert(
      fc.property(cases, ({ k, n, x, w }) => {
        const made = layer(Float32Array.from(w), k, n, null)
        expect(run(host, paired, x, made, 'Relu')).toEqual(meaning(x, made, 'Relu'))
      }),
      { numRuns: 60 },
    )
  })

  it('stays near what floats say', () => {
    const [rows, k, n] = [8, 256, 64]
    const weights = randoms(k * n, 1)
    const x = randoms(rows * k, 2)
    const got = run(host, paired, x, layer(weights, k, n, null), null)
    for (let r = 0; r < rows; r++) {
      let [dot, a, b] = [0, 0, 0]
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let i = 0; i < k; i++) sum += x[r * k + i] * weights[i * n + j]
        dot += sum * got[r * n + j]
        a += sum * sum
        b += got[r * n + j] ** 2
      }
      expect(dot / Math.sqrt(a * b)).toBeGreaterThan(0.9998)
    }
  })
}
