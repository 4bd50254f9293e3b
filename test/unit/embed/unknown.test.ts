import { expect, test } from 'vitest'
import { together, UnknownWords } from '../../../src/embed/unknown.ts'
import { Attrs, type Call, handle } from '../../../src/graph/index.ts'
import { StaticTable } from '../../../src/ops/tables/static.ts'
import { ops } from '../../../src/ops/wordids.ts'
import { Strings, tensor } from '../../../src/tensor/index.ts'

test('lookups are counted together by feature', () => {
  const a = { title: { unknown: 1, all: 4 }, genre: { unknown: 0, all: 2 } }
  expect(together(a, { genre: { unknown: 2, all: 2 }, mpaa: { unknown: 1, all: 1 } })).toEqual({
    title: { unknown: 1, all: 4 },
    genre: { unknown: 2, all: 4 },
    mpaa: { unknown: 1, all: 1 },
  })
  expect(together(a, {})).toEqual(a)
})

test('of texts that one op takes to ids, words are counted and not their padding', () => {
  const table = new StaticTable('words', 'string', 'int64')
  table.insert(tensor('string', [2], Strings.from(['the', 'cat'])), tensor('int64', [2], BigInt64Array.of(2n, 3n)))
  const one = (value: bigint) => tensor('int64', [], BigInt64Array.of(value))
  const texts = tensor('string', [4], Strings.from(['the dog', 'cat', '', 'a b c d']))
  // Padded by the id that unknown words have, too.
  for (const padding of [0n, 1n]) {
    const attrs = new Attrs({ lower: true, removed: new Uint8Array(), width: 3 })
    const inputs = [handle(table), texts, one(1n), one(padding)]
    const node = { name: 'ids', op: 'twotower>WordIds', attrs, inputs: [], controls: [] }
    const words = new UnknownWords()
    const op = words.counting(new Map(Object.entries(ops))).get('twotower>WordIds')
    op?.evaluate({ inputs, attrs, node, files: new Map(), run: () => [] } satisfies Call)
    expect(words.take()).toEqual({ words: { unknown: 4, all: 6 } })
  }
})
