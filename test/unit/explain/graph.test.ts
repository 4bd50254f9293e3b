import { expect, test } from 'vitest'
import { type Explanation, explain } from '../../../src/explain/explain.ts'
import { type Attr, handle, type Signature } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/index.ts'
import { StaticTable } from '../../../src/ops/tables/static.ts'
import { Strings, scalar, type Tensor, tensor } from '../../../src/tensor/index.ts'
import { float, floats, held, input, op, signature } from '../graph/build.ts'

const texts = (...values: string[]) => tensor('string', [values.length], Strings.from(values))

/** What is told of the signature's only input. */
async function told(one: Signature, feature: Uint8Array | string | number, dtype: Tensor['dtype'] = 'string') {
  const inputs = one.inputs.map((port) => ({ ...port, dtype, shape: [null] }))
  const towers = { query: null, candidate: null, similarity: null, joint: null, notes: [] }
  const definition = { source: 'by hand', signatures: [{ ...one, inputs }], towers }
  const question = { signature: one.name, features: { [inputs[0].name]: [feature] } }
  const { parts }: Explanation = explain(definition, question, await loadAllOps())
  return parts[0].inputs[0].stages
}

test('a feature is told from inside the tf.Example that it comes in', async () => {
  const examples = input('examples')
  const attrs: Record<string, Attr> = {
    num_sparse: 0,
    sparse_types: [],
    Tdense: ['float32'],
    dense_shapes: [{ shape: [] }],
    ragged_value_types: [],
    ragged_split_types: [],
  }
  const keys = [texts(), texts(), texts('age'), texts()].map(held)
  const parsed = op('ParseExampleV2', [examples, ...keys, floats([0])], attrs)
  const minus = op('Sub', [parsed, float(35)])
  // features { feature { key: "age" value { float_list { value: 42 } } } }
  const list = [0x0a, 4, 0, 0, 0x28, 0x42]
  const entry = [0x0a, 3, ...new TextEncoder().encode('age'), 0x12, 8, 0x12, 6, ...list]
  const example = Uint8Array.of(0x0a, entry.length + 2, 0x0a, entry.length, ...entry)
  expect(await told(signature('s', [examples], { out: minus }), example)).toEqual([
    { kind: 'values', words: 'feature "age"', values: [42], after: [] },
    { kind: 'values', words: 'minus 35', values: [7], after: [0] },
  ])
})

test('of a choice only the side is told that was taken, and the miss that made it', async () => {
  const words = new StaticTable('words', 'string', 'int64')
  words.insert(texts('a'), tensor('int64', [1], BigInt64Array.of(5n)))
  const word = input('word')
  const missing = held(scalar('int64', -1))
  const found = op('LookupTableFindV2', [held(handle(words)), word, missing])
  const hashed = op('StringToHashBucketFast', [word], { num_buckets: 3 })
  const id = op('SelectV2', [op('Equal', [found, missing]), hashed, found])
  const one = signature('s', [word], { out: id })
  expect((await told(one, 'a')).map(({ kind, after }) => [kind, after])).toEqual([['lookup', []]])
  expect((await told(one, 'b')).map(({ kind, after }) => [kind, after])).toEqual([
    ['lookup', []],
    ['hash', []],
    ['values', [0, 1]],
  ])
})

test('steps that change nothing, flags, sizes and what a layer makes of a value are not told', async () => {
  const x = input('x')
  const scaled = op('Mul', [op('Maximum', [x, float(0)]), float(2)])
  const counted = op('Mul', [scaled, op('Cast', [op('Greater', [x, float(0)])], { SrcT: 'bool', DstT: 'float32' })])
  const layer = op('MatMul', [op('ExpandDims', [counted, held(scalar('int32', 1))]), floats([1, 2], 3, 4)])
  const stages = await told(signature('s', [x], { out: op('Exp', [layer]) }), 6, 'float32')
  expect(stages).toEqual([{ kind: 'values', words: 'times 2', values: [12], after: [] }])
})

test('what leads to no output is not told', async () => {
  const x = input('x')
  const plus = op('AddV2', [x, float(1)])
  const rows = op('Fill', [op('Shape', [op('Square', [x])]), float(7)])
  const stages = await told(signature('s', [x], { plus, rows }), 6, 'float32')
  expect(stages.map((stage) => stage.kind === 'values' && stage.words)).toEqual(['plus 1'])
})
