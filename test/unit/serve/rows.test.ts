import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Port } from '../../../src/graph/index.ts'
import { parseJson } from '../../../src/json/parse.ts'
import { load } from '../../../src/load.ts'
import { readPredict } from '../../../src/serve/predict.ts'
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

test('an object or null where an input has values is refused by the name of the input, of a complex one too', async () => {
  const model = await load(fileURLToPath(new URL('../../fixtures/models/complex_scores', import.meta.url)))
  const asked = (body: string) => () => readPredict(parseJson(body), model)
  const wrong = 'input "numbers": an object is not a value of a tensor'
  expect(asked('{"signature_name": "conjugate", "inputs": {"numbers": {"re": 1}}}')).toThrow(wrong)
  expect(asked('{"signature_name": "conjugate", "inputs": [[{"re": 1, "im": 0}]]}')).toThrow(wrong)
  expect(asked('{"signature_name": "conjugate", "instances": [{"numbers": [{"re": 1}, 2]}]}')).toThrow(wrong)
  expect(asked('{"inputs": {"head": null, "relation": [1], "tail": [1]}}')).toThrow('input "head": null is not')
})
