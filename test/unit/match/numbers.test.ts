import { expect, test } from 'vitest'
import type { Port } from '../../../src/graph/index.ts'
import { numbersPlan } from '../../../src/match/numbers.ts'

test('a number is scaled by the least and the most of more recordings than a call may have arguments', () => {
  const port: Port = { name: 'age', dtype: 'float32', shape: [null, 1] }
  const values = Array.from({ length: 200_000 }, (_, i) => 7 + ((i * 31) % 90))
  const { dimensions, declare } = numbersPlan(port, ['age'], values)
  const way = dimensions[1].ways.indexOf('from 0 to 1 between the least and the most recorded')
  expect(declare([0, way], [])).toEqual({ age: { steps: [{ step: 'min_max', min: 7, max: 96 }] } })
})
