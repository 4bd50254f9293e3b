import { expect, test } from 'vitest'
import { discerns } from '../../../src/engine/denormals.ts'
import { Attrs, type Graph } from '../../../src/graph/index.ts'
import { tensor, withoutDenormals } from '../../../src/tensor/index.ts'

test('denormals are zeros of their sign, in an array of their own', () => {
  const mine = Float32Array.of(1e-45, -1e-39, 2 ** -126, 1, Number.NaN)
  expect(withoutDenormals(tensor('float32', [5], mine)).data).toEqual(Float32Array.of(0, -0, 2 ** -126, 1, Number.NaN))
  expect(mine[0]).toBeGreaterThan(0)
  const doubles = tensor('float64', [3], Float64Array.of(5e-324, -1e-308, 2 ** -1022))
  expect(withoutDenormals(doubles).data).toEqual(Float64Array.of(0, -0, 2 ** -1022))
})

test('a tensor without denormals is the same tensor', () => {
  const floats = tensor('float32', [3], Float32Array.of(0, -0, 1))
  expect(withoutDenormals(floats)).toBe(floats)
  const whole = tensor('int32', [1], Int32Array.of(1))
  expect(withoutDenormals(whole)).toBe(whole)
})

test('only a graph that tells denormals from zero needs them gone', () => {
  const graphOf = (op: string): Graph => ({
    parameters: [],
    nodes: [{ name: op, op, attrs: new Attrs({}), inputs: [], controls: [] }],
    outputs: [],
  })
  expect(discerns(graphOf('Bucketize'))).toBe(true)
  expect(discerns(graphOf('MatMul'))).toBe(false)
})
