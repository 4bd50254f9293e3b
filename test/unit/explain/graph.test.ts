import { expect, test } from 'vitest'
import { type Explanation, explain } from '../../../src/explain/explain.ts'
import { type Attr, handle, type Signature } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { StaticTable } from '../../../src/ops/tables/static.ts'
import { Strings, scalar, type Tensor, tensor } from '../../../src/tensor/index.ts'
import { float, floats, held, input, op, signature } from '../graph/build.ts'

const texts = (...values: string[]) => tensor('string', [values.length], Strings.from(values))

const scalarText = (value: string): Tensor => tensor('string', [], Strings.from([value]))

/** What is told of the signature's only input. */
async function told(one: Signature, feature: Uint8Array | string | number, dtype: Tensor['dtype'] = 'string') {
  const inputs = one.inputs.map((port) => ({ ...port, dtype, shape: [null] }))
  const towers = { query: null, candidate: null, similarity: null, joint: null, notes: [] }
  const definition = { source: 'by hand', signatures: [{ ...one, inputs }], towers }
  const question = { signature: one.name, features: { [inputs[0].name]: [feature] } }
  const { parts }: Explanation = explain(definition, question, await loadAllOps())
  return parts[0].inputs[0].stages
}

// features { feature { key: "age" value { float_list { value: 42 } } } }
const list = [0x0a, 4, 0, 0, 0x28, 0x42]
const entry = [0x0a, 3, ...new TextEncoder().encode('age'), 0x12, 8, 0x12, 6, ...list]
const example = Uint8Array.of(0x0a, entry.length + 2, 0x0a, entry.length, ...entry)

test.each<[string, number, readonly Tensor[], Record<string, Attr>]>([
  [
    'ParseExampleV2',
    0,
    [texts(), texts(), texts('age'), texts()],
    { num_sparse: 0, ragged_value_types: [], ragged_split_types: [] },
  ],
  ['ParseExample', 0, [texts(), scalarText('age')], { Nsparse: 0, Ndense: 1 }],
  ['ParseExample', 3, [texts(), scalarText('tag'), scalarText('age')], { Nsparse: 1, Ndense: 1 }],
])(
  'a feature is told from inside the tf.Example that it comes in, by %s, output %i',
  async (parser, at, keys, more) => {
    const examples = input('examples')
    const sparse = keys.length === 3 ? ['string'] : []
    const attrs = { sparse_types: sparse, Tdense: ['float32'], dense_shapes: [{ shape: [] }], ...more }
    const { node } = op(parser, [examples, ...keys.map(held), floats([0])], attrs)
    const minus = op('Sub', [{ node, index: at }, float(35)])
    expect(await told(signature('s', [examples], { out: minus }), example)).toEqual([
      { kind: 'values', words: 'feature "age"', values: [42], after: [] },
      { kind: 'values', words: 'minus 35', values: [7], after: [0] },
    ])
  },
)

test('where nothing is left to look up, the default is told and that it counts for nothing', async () => {
  const word = input('word')
  const spare = held(tensor('int64', [0, 2], new BigInt64Array(0)))
  // The id is there and dropped, as safe_embedding_lookup_sparse drops what is out of vocabulary.
  const cut = op(
    'Slice',
    [
      op('StringToHashBucketFast', [word], { num_buckets: 3 }),
      held(tensor('int32', [1], Int32Array.of(0))),
      held(tensor('int32', [1], Int32Array.of(0))),
    ],
    {},
  )
  const filled = op('SparseFillEmptyRows', [
    spare,
    cut,
    held(tensor('int64', [2], BigInt64Array.of(1n, 1n))),
    held(scalar('int64', 1)),
  ])
  const looked = op('GatherV2', [floats([2, 2], 1, 2, 3, 4), { node: filled.node, index: 1 }, held(scalar('int32', 0))])
  const zeros = op('SelectV2', [held(tensor('bool', [1, 1], Uint8Array.of(1))), op('ZerosLike', [looked]), looked])
  const stages = await told(signature('s', [word], { out: zeros }), 'x')
  expect(stages.map((stage) => ('words' in stage ? stage.words : stage.kind))).toEqual([
    'hash',
    'cut',
    'the default, where nothing is left',
    'rows',
    'replaced (missing, masked or out of range)',
  ])
  expect(stages.at(-1)).toMatchObject({ kind: 'vector', norm: 0 })
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

test('of an embedding the norm is told, however few numbers it has', async () => {
  const x = input('x')
  const wide = op('MatMul', [op('ExpandDims', [x, held(scalar('int32', 1))]), floats([1, 2], 3, 4)])
  const { graph, inputs } = signature('s', [x], { embedding: wide })
  const ports = inputs.map((port) => ({ ...port, dtype: 'float32' as const, shape: [null] }))
  const output = { name: 'embedding', dtype: 'float32' as const, shape: [null, 2] }
  const query = { signature: 's', graph, inputs: ports, output }
  const towers = { query, candidate: null, similarity: null, joint: null, notes: [] }
  const { parts } = explain({ source: 'by hand', signatures: [], towers }, { query: { x: [2] } }, await loadAllOps())
  expect(parts[0].outputs).toEqual([{ name: 'embedding', shape: [1, 2], vector: { size: 2, norm: 10, first: [6, 8] } }])
})
