import { describe, expect, test } from 'vitest'
import { Attrs, handle } from '../../../src/graph/index.ts'
import { ops as math } from '../../../src/ops/complexmath.ts'
import { ops as parts } from '../../../src/ops/complexparts.ts'
import { realForward, transform } from '../../../src/ops/fourier.ts'
import { ops as spectra } from '../../../src/ops/spectra.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'
import { goldenOps } from './goldens.ts'

describe('Fourier transforms', () => goldenOps('spectra', spectra))
describe('ops on complex numbers', () => goldenOps('complex', { ...math, ...parts }))

test('rows and elements of a complex variable that changes are gathered from what it holds', () => {
  const value = { dtype: 'complex64', shape: [3, 2], data: Float32Array.from({ length: 12 }, (_, i) => i) } as const
  const variable = handle({ kind: 'variable', name: 'v', dtype: 'complex64', value })
  const gathered = (op: string, indices: Tensor, attrs: Attrs) => {
    const node = { name: 'case', op, attrs, inputs: [], controls: [] }
    const result = parts[op].evaluate({ inputs: [variable, indices], attrs, node, files: new Map(), run: () => [] })
    return Array.isArray(result) ? result[0] : result
  }
  const attrs = new Attrs({ dtype: 'complex64' })
  expect(gathered('complex>ResourceGather', tensor('int32', [2], Int32Array.of(2, 0)), attrs)).toEqual({
    dtype: 'complex64',
    shape: [2, 2],
    data: Float32Array.of(8, 9, 10, 11, 0, 1, 2, 3),
  })
  expect(gathered('complex>ResourceGatherNd', tensor('int32', [1, 2], Int32Array.of(1, 1)), attrs)).toEqual({
    dtype: 'complex64',
    shape: [1],
    data: Float32Array.of(6, 7),
  })
})

test('a transform of any length is the sum that defines it, forward and back', () => {
  for (const n of [1, 2, 3, 8, 20, 31, 37, 41, 64, 74, 91, 127, 128, 243, 254]) {
    const x = Float64Array.from({ length: 2 * n }, (_, i) => Math.sin(i * i + 1))
    const [got, back, wanted] = [new Float64Array(2 * n), new Float64Array(2 * n), new Float64Array(2 * n)]
    for (let j = 0; j < n; j++)
      for (let k = 0; k < n; k++) {
        const angle = (-2 * Math.PI * ((j * k) % n)) / n
        wanted[2 * j] += x[2 * k] * Math.cos(angle) - x[2 * k + 1] * Math.sin(angle)
        wanted[2 * j + 1] += x[2 * k] * Math.sin(angle) + x[2 * k + 1] * Math.cos(angle)
      }
    transform(x, 0, 1, n, false, got, 0, 1)
    transform(got, 0, 1, n, true, back, 0, 1)
    for (let i = 0; i < 2 * n; i++) {
      expect(got[i], `${n}: ${i}`).toBeCloseTo(wanted[i], 10)
      expect(back[i], `${n}: ${i} back`).toBeCloseTo(x[i], 10)
    }
  }
})

test('the first and the middle number of a transform of real numbers have no imaginary part, which an angle would show', () => {
  for (const n of [2, 8, 10, 74]) {
    const out = new Float64Array(n + 2)
    realForward(
      Float64Array.from({ length: n }, (_, i) => Math.sin(i * i + 1)),
      0,
      n,
      out,
      0,
    )
    expect([out[1], out[n + 1]], `${n}`).toEqual([0, 0])
  }
})

test('complex numbers that are not finite are refused, where what TensorFlow makes of them is not known', () => {
  const run = (op: string, data: number[], length?: number) => {
    const x = { dtype: 'complex64', shape: [data.length / 2], data: Float32Array.from(data) } as const
    const lengths = length === undefined ? [] : [{ dtype: 'int32', shape: [1], data: Int32Array.of(length) } as const]
    const node = { name: 'n', op, attrs: Attrs.none, inputs: [], controls: [] }
    const call = { inputs: [x, ...lengths], attrs: Attrs.none, node, files: new Map(), run: () => [] }
    return spectra[op].evaluate(call)
  }
  expect(() => run('FFT', [1, 0, Infinity, 0])).toThrow(/a NaN or an infinity is among complex numbers/)
  expect(() => run('IRFFT', [1, 0, Number.NaN, 0], 2)).toThrow(/put numbers in their place before/)
})

test('real numbers that are not finite are refused in lengths of other steps', () => {
  for (const n of [7, 1024]) {
    const x = new Float64Array(n).fill(1)
    x[3] = Infinity
    expect(() => realForward(x, 0, n, new Float64Array(n + 2), 0)).toThrow(`among ${n} numbers`)
  }
})
