import { expect, test } from 'vitest'
import type { Port } from '../../../src/graph/index.ts'
import { parseJson } from '../../../src/json/parse.ts'
import { columnsOf } from '../../../src/serve/rows.ts'

test('a feature called __proto__ is a feature like any other', () => {
  const ports: Port[] = [
    { name: '__proto__', dtype: 'float32', shape: [null] },
    { name: 'age', dtype: 'float32', shape: [null] },
  ]
  const rows = [parseJson('{"__proto__": 1.5, "age": 2}'), parseJson('{"__proto__": 3, "age": 4}')] as Parameters<
    typeof columnsOf
  >[0]
  const columns = columnsOf(rows, ports)
  expect(Object.keys(columns)).toEqual(['__proto__', 'age'])
  expect(Object.getOwnPropertyDescriptor(columns, '__proto__')?.value).toHaveLength(2)
})
