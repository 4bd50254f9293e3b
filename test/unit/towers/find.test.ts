import { describe, expect, test } from 'vitest'
import type { Port, Towers, Value } from '../../../src/graph/index.ts'
import { findTowers, pairTowers } from '../../../src/towers/index.ts'
import { float, floats, input, ints, op, signature } from '../graph/build.ts'

type Outputs = Readonly<Record<string, readonly [input: number, width: number | null]>>

/** A signature in which each output is a tower of one input. */
const towersOver = (inputs: readonly string[], outputs: Outputs) => {
  const features = inputs.map(input)
  const ends = Object.entries(outputs).map(([name, [from, width]]) => {
    const shape: Port['shape'] = [null, width]
    return [name, [op('Relu', [features[from]]), shape] as const] as const
  })
  return signature('serving_default', features, Object.fromEntries(ends))
}
const outputsOf = ({ query, candidate }: Towers) => [query?.output.name ?? null, candidate?.output.name ?? null]
const UNTOLD = 'the names do not say which is which, the first is taken for the query'

describe('two outputs of one signature are towers', () => {
  test.each<[string, readonly string[], Outputs, readonly string[]]>([
    ['by the names of both', ['a', 'b'], { candidate: [0, 8], query: [1, 8] }, ['query', 'candidate']],
    [
      'by the name of one, the candidate',
      ['a', 'b'],
      { item_embedding: [0, 8], other: [1, 8] },
      ['other', 'item_embedding'],
    ],
    [
      'by the name of one, the query',
      ['a', 'b'],
      { first: [0, 8], user_embedding: [1, 8] },
      ['user_embedding', 'first'],
    ],
    ['by the inputs', ['movie_title', 'customer'], { out_0: [0, 8], out_1: [1, 8] }, ['out_1', 'out_0']],
    [
      'by the embeddings among other outputs of theirs',
      ['user_id', 'movie_id'],
      { user_embedding: [0, 8], user_hidden: [0, 8], movie_embedding: [1, 8], movie_hidden: [1, 8] },
      ['user_embedding', 'movie_embedding'],
    ],
  ])('%s', (_, inputs, outputs, expected) => {
    const towers = findTowers([towersOver(inputs, outputs)])
    expect(outputsOf(towers)).toEqual(expected)
    expect(towers.similarity).toBe(null)
    expect(towers.notes).toContain('the export does not say how the embeddings are compared')
    expect(towers.notes[0]).not.toContain(UNTOLD)
  })

  test('without a name that tells, where they are the only float outputs and of one width', () => {
    const towers = findTowers([towersOver(['input_1', 'input_2'], { dense_1: [0, 8], dense_2: [1, 8] })])
    expect(outputsOf(towers)).toEqual(['dense_1', 'dense_2'])
    expect(towers.notes[0]).toContain(UNTOLD)
  })

  test.each<[string, readonly string[], Outputs]>([
    ['two of many outputs by chance', ['a', 'b', 'c'], { x: [0, 3], y: [1, 3], z: [2, 4] }],
    ['outputs of different widths', ['user_id', 'movie_id'], { user: [0, 8], movie: [1, 9] }],
    ['outputs of unknown width without names', ['a', 'b'], { x: [0, null], y: [1, null] }],
    ['outputs of one input', ['user_id', 'movie_id'], { user_embedding: [0, 8], movie_embedding: [0, 8] }],
    ['outputs of one side', ['user_id', 'user_query'], { user_1: [0, 8], user_2: [1, 8] }],
  ])('but not %s', (_, inputs, outputs) => {
    expect(outputsOf(findTowers([towersOver(inputs, outputs)]))).toEqual([null, null])
  })

  test('and where several pairs may be, the export is not guessed about', () => {
    const outputs: Outputs = { user: [0, 8], movie_a: [1, 8], movie_b: [1, 8] }
    const several = towersOver(['user_id', 'movie_id'], outputs)
    const towers = findTowers([several])
    expect(outputsOf(towers)).toEqual([null, null])
    expect(towers.notes).toEqual([
      'several outputs of "serving_default" may be towers (user, movie_a, movie_b); name two',
    ])
    const named = findTowers([several], { query: 'serving_default:user', candidate: 'serving_default:movie_b' })
    expect(outputsOf(named)).toEqual(['user', 'movie_b'])
    expect(named.notes).toContain('towers named by the user')
    expect(() => findTowers([several], { query: 'serving_default:nobody' })).toThrow(
      'the query tower "serving_default:nobody" is not a signature or SIGNATURE:OUTPUT of the model; it has serving_default:user, serving_default:movie_a, serving_default:movie_b',
    )
  })
})

test.each([
  [
    'of one input',
    towersOver(['pair'], { score: [0, 1] }),
    '"serving_default" takes no two inputs that could be a query and a candidate, and no name says that it is one tower',
  ],
  [
    'whose outputs speak for no side',
    towersOver(['a', 'b'], { x: [0, 3], y: [1, 4] }),
    'no output of "serving_default" is plainly the embedding of one side, or a score of two inputs: name the towers, if there are any',
  ],
])('an export %s has no towers, and the notes say why', (_, export_, why) => {
  // Two of one name, as a function has one for each kind of its arguments, are named once.
  const towers = findTowers([export_, export_])
  expect([towers.query, towers.candidate, towers.joint, towers.notes]).toEqual([null, null, null, [why]])
})

describe('an export of one tower', () => {
  const tower = (name: string) => towersOver([name], { output_0: [0, 8] })
  test.each([
    ['user_model', 'input_1', ['output_0', null]],
    ['candidate_tower', 'input_1', [null, 'output_0']],
    ['export', 'customer_id', ['output_0', null]],
    ['export', 'product_title', [null, 'output_0']],
    ['export', 'input_1', [null, null]],
  ])('called %s, of %s', (source, name, expected) => {
    expect(outputsOf(findTowers([tower(name)], {}, source))).toEqual(expected)
  })

  test('whose signature Keras names twice is one tower, of the default signature', () => {
    const [serve, byDefault] = [{ ...tower('user_id'), name: 'serve' }, tower('user_id')]
    const { query, candidate } = findTowers([serve, byDefault])
    expect([query?.signature, candidate]).toEqual(['serving_default', null])
  })

  test('whose name and ids contradict each other is not guessed about', () => {
    expect(outputsOf(findTowers([tower('movie_id')], {}, 'user_model'))).toEqual([null, null])
  })
})

describe('sides of a join', () => {
  const joined = (left: string, right: string) => {
    const [a, b] = [input(left), input(right)]
    return findTowers([signature('serving_default', [a, b], { score: op('Sum', [op('Mul', [a, b]), ints(1)]) })])
  }
  test.each([
    ['user_id', 'movie_id', 'user_id'],
    ['movie_id', 'user_id', 'user_id'],
    ['passage', 'input_1', 'input_1'],
    ['input_1', 'customer', 'customer'],
    ['x', 'y', 'x'],
  ])('%s and %s: the query is %s', (left, right, expected) => {
    const { query, notes } = joined(left, right)
    expect(query?.inputs[0].name).toBe(expected)
    expect(notes[0].includes(UNTOLD)).toBe(expected === 'x')
  })
})

test('a chosen similarity names its metric: none is taken for granted', () => {
  const pair = towersOver(['user_id', 'movie_id'], { user: [0, 8], movie: [1, 8] })
  const similarity = { metric: 'cosine', scale: 20 } as const
  expect(findTowers([pair], { similarity }).similarity).toEqual({ ...similarity, bias: 0, sigmoid: false })
  for (const wrong of [{ scale: 2 }, 'manhattan']) {
    const choices = JSON.parse(JSON.stringify({ similarity: wrong }))
    expect(() => findTowers([pair], choices)).toThrow('a similarity is dot, cosine or euclidean')
  }
})

describe('a score beside signatures of the towers', () => {
  const TABLE = [1, 2, 3, 4, 5, 6]
  /** What each use of the table is: another node, as each signature of an export has its own. */
  const looked = (ids: Value, first = 1) => op('GatherV2', [floats([3, 2], first, ...TABLE.slice(1)), ids, ints(0)])
  const unit = (x: Value) =>
    op('Mul', [
      x,
      op('Rsqrt', [op('Maximum', [op('Sum', [op('Square', [x]), ints(1)], { keep_dims: true }), float(1e-12)])]),
    ])
  const dot = (q: Value, c: Value) => op('Sum', [op('Mul', [q, c]), ints(1)])

  /** Signatures for the embeddings, the item's of its raw id, and one for the score of what `query` and `candidate` make of them. */
  function scoredBy(query: (x: Value) => Value, candidate: (x: Value) => Value, end = (x: Value) => x): Towers {
    const [user, item] = [input('user_id'), input('item_id')]
    const [asked, offered] = [input('user_id'), input('item_id')]
    return findTowers([
      signature('query', [asked], { embedding: [end(looked(asked)), [null, 2]] }),
      signature('candidate', [offered], { embedding: [end(looked(op('Cast', [offered]))), [null, 2]] }),
      signature('score', [user, item], { score: dot(query(looked(user)), candidate(looked(item))) }),
    ])
  }
  const same = (x: Value) => x

  test('says how they are compared where it compares those embeddings', () => {
    expect(scoredBy(same, same).similarity?.metric).toBe('dot')
    expect(scoredBy(same, (x) => op('Reshape', [x, ints(-1, 2)])).similarity?.metric).toBe('dot')
    const shaped = (x: Value) => op('Reshape', [x, op('GatherV2', [op('Shape', [x]), ints(0, 1), ints(0)])])
    expect(scoredBy(same, shaped).similarity?.metric).toBe('dot')
  })

  test('says it of cosines whichever length they have there', () => {
    expect(scoredBy(unit, unit).similarity?.metric).toBe('cosine')
    expect(scoredBy(unit, unit, unit).similarity?.metric).toBe('cosine')
  })

  test.each<[string, (x: Value) => Value, (x: Value) => Value]>([
    ['a projection of them', (x) => op('MatMul', [x, floats([2, 2], 1, 2, 3, 4)]), same],
    ['one of them at unit length', unit, same],
    ['what another activation makes of them', same, (x) => op('Relu', [x])],
    ['a multiple of them', (x) => op('Mul', [x, float(2)]), same],
    ['rows of another table', (x) => looked(x.node.inputs[1], 7), same],
  ])('scores by itself where it compares %s', (_, query, candidate) => {
    const { query: tower, similarity, joint, notes } = scoredBy(query, candidate)
    expect(tower?.signature).toBe('query')
    expect(similarity).toBe(null)
    expect(joint).toEqual({ signature: 'score', output: 'score' })
    expect(notes.join()).toContain('output "score" of "score" compares other embeddings than the towers')
  })
})

test('several scores of one signature are no score, unless one is named so', () => {
  const [a, b] = [input('user_id'), input('movie_id')]
  const score = () => op('Sum', [op('ConcatV2', [a, b, ints(1)]), ints(1)])
  const tasks = findTowers([signature('serving_default', [a, b], { first: score(), second: score() })])
  expect(tasks.joint).toBe(null)
  const named = findTowers([signature('serving_default', [a, b], { other: score(), predicted_rating: score() })])
  expect(named.joint).toEqual({ signature: 'serving_default', output: 'predicted_rating' })
})

test('an index tells the width of the query and how many candidates it holds, in either layout', () => {
  const query = input('user_vector')
  for (const [shape, transpose_b] of [
    [[3, 2], false],
    [[2, 3], true],
  ] as const) {
    const scores = op('MatMul', [query, floats(shape, 1, 2, 3, 4, 5, 6)], { transpose_b })
    const index = signature('serving_default', [query], { output_1: [op('TopKV2', [scores, ints(2)]), [null, 2]] })
    const towers = findTowers([index])
    expect(towers.query?.output.shape).toEqual([null, 3])
    expect(towers.candidate).toBe(null)
    expect(towers.similarity).toEqual({ metric: 'dot', scale: 1, bias: 0, sigmoid: false })
    expect(towers.notes[0]).toContain('ranks 2 candidates that it holds')
  }
})

test('the scores of an index are no score of its inputs, where it takes several and gives the first row alone', () => {
  const [age, user, k] = [input('age'), input('user_id'), input('k')]
  const scores = op('MatMul', [op('AddV2', [age, user]), floats([3, 2], 1, 2, 3, 4, 5, 6)])
  const first = op('StridedSlice', [op('TopKV2', [scores, k]), ints(0), ints(1), ints(1)], { shrink_axis_mask: 1 })
  const { query, similarity, joint } = findTowers([signature('call', [age, user, k], { output_1: first })])
  expect(query?.inputs.map((port) => port.name)).toEqual(['age', 'user_id'])
  expect([similarity?.metric, joint]).toEqual(['dot', null])
  const tower = { ...towersOver(['user_id'], { embedding: [0, 3] }), name: 'query' }
  expect(findTowers([tower, signature('call', [age, user, k], { output_1: first })]).joint).toBe(null)
})

test('two exports do not say how they are compared, and their towers are by their own names', () => {
  const [query, candidate] = [towersOver(['a'], { x: [0, 8] }), towersOver(['b'], { y: [0, 8] })]
  const towers = pairTowers([query], [candidate])
  expect(outputsOf(towers)).toEqual(['x', 'y'])
  expect([towers.similarity, towers.notes.at(-1)]).toEqual([
    null,
    'two exports do not say how their embeddings are compared',
  ])
  expect(pairTowers([query], [candidate], { similarity: 'cosine' }).similarity?.metric).toBe('cosine')
  expect(() => pairTowers([towersOver(['a'], { x: [0, 8], z: [0, 4] })], [candidate])).toThrow(
    'no output of the query export is plainly its embedding (outputs: serving_default:x, serving_default:z); name it as SIGNATURE:OUTPUT',
  )
})

test('the trace of a function for training is a tower only where there is no other', () => {
  const trace = (name: string) => {
    const x = input('title')
    return signature(name, [x], { output_0: [op('Relu', [x]), [null, 8]] })
  }
  const [training, plain] = [trace('query_model.__call__(training=true)'), trace('query_model.__call__')]
  expect(findTowers([training, plain]).query?.signature).toBe(plain.name)
  expect(findTowers([training]).query?.signature).toBe(training.name)
})
