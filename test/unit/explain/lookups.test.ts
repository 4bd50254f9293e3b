import { expect, test } from 'vitest'
import { lookup } from '../../../src/explain/lookups.ts'
import { handle } from '../../../src/graph/index.ts'
import { StaticTable } from '../../../src/ops/tables/static.ts'
import { Strings, scalar, type Tensor, tensor } from '../../../src/tensor/index.ts'

const texts = (...values: (string | Uint8Array)[]) => tensor('string', [values.length], Strings.from(values))

function told(table: StaticTable, keys: Tensor, fallback: Tensor) {
  const found = lookup({ inputs: [handle(table), keys, fallback], outputs: [table.find(keys, fallback)] })
  return found?.kind === 'lookup' ? found.entries : null
}

test('a key whose id is the default too is in the vocabulary', () => {
  const table = new StaticTable('words', 'string', 'int64')
  table.insert(texts('a', 'b'), tensor('int64', [2], BigInt64Array.of(0n, 7n)))
  expect(told(table, texts('a', 'b', 'c'), scalar('int64', 0))).toEqual([
    { key: 'a', id: 0n, found: true },
    { key: 'b', id: 7n, found: true },
    { key: 'c', id: 0n, found: false },
  ])
})

test('values that are bytes and no text are told from the default', () => {
  const table = new StaticTable('bytes', 'int64', 'string')
  table.insert(tensor('int64', [1], BigInt64Array.of(1n)), texts(Uint8Array.of(255)))
  const fallback = tensor('string', [], Strings.from(['[UNK]']))
  expect(told(table, tensor('int64', [2], BigInt64Array.of(1n, 2n)), fallback)).toEqual([
    { key: 1n, id: { b64: '/w==' }, found: true },
    { key: 2n, id: '[UNK]', found: false },
  ])
})
