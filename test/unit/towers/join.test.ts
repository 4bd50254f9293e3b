import { describe, expect, test } from 'vitest'
import { compare } from '../../../src/engine/similarity.ts'
import { type Graph, inWords, Program, type Value } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { isNumeric, type Tensor, tensor } from '../../../src/tensor/index.ts'
import { findTowers } from '../../../src/towers/index.ts'
import { float, floats, input, ints, op, signature } from '../graph/build.ts'

const ops = await loadAllOps()
const evaluate = (graph: Graph, inputs: readonly Tensor[]) => new Program(graph, ops).run(inputs)[0]

const ROWS = 4
const Q = tensor('float32', [ROWS, 3], Float32Array.of(1, 2, 3, -1, 0.5, 2, 0, 1, 0, 4, -3, 0.25))
const C = tensor('float32', [ROWS, 3], Float32Array.of(0.5, 1, -1, 2, 2, 2, -1, 3, 1, 1, 1, -0.5))
const wide = (t: typeof Q) => tensor('float32', [ROWS, 1, 3], t.data)

const mul = (a: Value, b: Value) => op('Mul', [a, b])
const sum = (x: Value, axis = 1, keep_dims = false) => op('Sum', [x, ints(axis)], { keep_dims })
const dot = (q: Value, c: Value) => sum(mul(q, c))
const normalized = (x: Value, axis = 1) =>
  mul(x, op('Rsqrt', [op('Maximum', [sum(op('Square', [x]), axis, true), float(1e-12)])]))
const normalizedByKeras3 = (x: Value) =>
  mul(x, op('Minimum', [op('Rsqrt', [sum(op('Square', [x]), -1, true)]), float(1e12)]))
const norm = (x: Value, keep = false) => op('Sqrt', [sum(mul(x, x), -1, keep)])
const matmul = (q: Value, c: Value) => op('MatMul', [q, c], { transpose_b: true })
const expand = (x: Value, axis: number) => op('ExpandDims', [x, ints(axis)])
const newAxis = (x: Value, axis: number) =>
  op('StridedSlice', [x, ints(0, 0, 0), ints(0, 0, 0), ints(1, 1, 1)], {
    new_axis_mask: 1 << axis,
    begin_mask: 7 ^ (1 << axis),
    end_mask: 7 ^ (1 << axis),
  })
const squeeze = (x: Value, ...squeeze_dims: number[]) => op('Squeeze', [x], { squeeze_dims })
const transpose = (x: Value, ...order: number[]) => op('Transpose', [x, ints(...order)])
const einsum = (equation: string, q: Value, c: Value) => op('Einsum', [q, c], { equation })
const sub = (a: Value, b: Value) => op('Sub', [a, b])
const distance = (q: Value, c: Value) => op('Sqrt', [sum(op('SquaredDifference', [q, c]))])

type Form = readonly [name: string, similarity: string, score: (q: Value, c: Value) => Value]

/** The towers of a graph that is nothing but `score` of two embeddings. */
function towersOf(score: Form[2], shape: readonly (number | null)[] = [null]) {
  const [user, item] = [input('user_vector'), input('item_vector')]
  const joined = signature('serving_default', [user, item], { score: [score(user, item), shape] })
  return { ...findTowers([joined]), graph: joined.graph }
}

/** Holds the similarity that was read against the graph itself. */
function expectEqualToGraph(towers: ReturnType<typeof towersOf>, [q, c]: readonly Tensor[]): void {
  const { query, candidate, similarity, graph } = towers
  if (query === null || candidate === null || similarity === null) throw new Error('the towers are not joined')
  expect(query.inputs.map((port) => port.name)).toEqual(['user_vector'])
  expect(candidate.inputs.map((port) => port.name)).toEqual(['item_vector'])
  const embedded = [evaluate(query.graph, [q]), evaluate(candidate.graph, [c])].map((t) => {
    expect(t.shape).toEqual([ROWS, 3])
    if (!isNumeric(t)) throw new TypeError('an embedding is of numbers')
    return t
  })
  const got = compare(embedded[0], embedded[1], similarity).data as Float32Array
  const all = evaluate(graph, [q, c]).data as Float32Array
  // Where every query meets every candidate, row i meets row i on the diagonal.
  const expected = all.length === ROWS ? [...all] : Array.from({ length: ROWS }, (_, i) => all[i * ROWS + i])
  expected.forEach((score, i) => {
    expect(got[i]).toBeCloseTo(score, 4)
  })
}

test('embeddings whose shape and numbers do not go together are refused, not compared with what is not there', () => {
  const similarity = { metric: 'dot', scale: 1, bias: 0, sigmoid: false } as const
  const embeddings = (shape: number[], length: number) => ({
    dtype: 'float32' as const,
    shape,
    data: new Float32Array(length),
  })
  const one = embeddings([1, 2], 2)
  expect(() => compare(embeddings([3, 2], 2), one, similarity)).toThrow('query embeddings [3,2] have 2 numbers')
  expect(() => compare(one, embeddings([2], 3), similarity)).toThrow('candidate embeddings [2] have 3')
  expect(() => compare(embeddings([-1, -2], 2), one, similarity)).toThrow(RangeError)
  expect(compare(embeddings([0, 2], 0), one, similarity).shape).toEqual([0])
})

describe('a join is read, and equal to the graph', () => {
  const forms: readonly Form[] = [
    ['Sum of Mul', 'dot', dot],
    ['Sum of Mul with its dimension kept', 'dot', (q, c) => sum(mul(q, c), -1, true)],
    ['MatMul of all pairs', 'dot', matmul],
    ['MatMul with a Transpose', 'dot', (q, c) => op('MatMul', [q, transpose(c, 1, 0)])],
    ['Mul of all pairs by new axes', 'dot', (q, c) => sum(mul(newAxis(q, 1), newAxis(c, 0)), 2)],
    ['Einsum of rows', 'dot', (q, c) => einsum('bd,bd->b', q, c)],
    ['Einsum of all pairs', 'dot', (q, c) => einsum('ij,kj->ik', q, c)],
    ['Einsum of all pairs, candidates first', 'dot', (q, c) => einsum('qd,cd->cq', q, c)],
    ["Keras's Dot", 'dot', (q, c) => squeeze(op('BatchMatMulV2', [expand(q, 1), expand(c, 2)]), 1)],
    [
      "Keras's Dot with normalize",
      'cosine',
      (q, c) => squeeze(op('BatchMatMulV2', [expand(normalized(q), 1), expand(normalized(c), 2)]), 1),
    ],
    [
      "Keras 3's normalisation",
      'cosine',
      (q, c) =>
        squeeze(op('BatchMatMulV2', [expand(normalizedByKeras3(q), 1), expand(normalizedByKeras3(c), -1)]), 1, 2),
    ],
    [
      'BatchMatMul with adjoints, cut to its corner',
      'dot',
      (q, c) =>
        op(
          'StridedSlice',
          [
            op('BatchMatMulV2', [newAxis(q, 1), newAxis(c, 1)], { adj_y: true }),
            ints(0, 0, 0),
            ints(0, 1, 1),
            ints(1, 1, 1),
          ],
          { begin_mask: 1, end_mask: 1, shrink_axis_mask: 6 },
        ),
    ],
    ['the cosine of one normalised side', 'dot', (q, c) => dot(normalized(q), c)],
    [
      'a division by norms',
      'cosine',
      (q, c) => dot(op('RealDiv', [q, norm(q, true)]), op('RealDiv', [c, norm(c, true)])),
    ],
    ['a quotient by the product of norms', 'cosine', (q, c) => op('RealDiv', [dot(q, c), mul(norm(q), norm(c))])],
    [
      'a guarded quotient',
      'cosine',
      (q, c) => op('DivNoNan', [dot(q, c), op('Maximum', [mul(norm(c), norm(q)), float(1e-8)])]),
    ],
    ['a scale after', '3.5 · dot', (q, c) => mul(dot(q, c), float(3.5))],
    ['a scale before, as the left factor', '2 · dot', (q, c) => mul(float(2), dot(q, c))],
    ['a scale within a tower', 'dot', (q, c) => dot(mul(q, float(4)), c)],
    ['a temperature', '20 · cosine', (q, c) => op('RealDiv', [dot(normalized(q), normalized(c)), float(0.05)])],
    ['a bias', 'dot − 0.25', (q, c) => op('AddV2', [dot(q, c), float(-0.25)])],
    [
      'a bias before a scale',
      '0.5 · cosine + 0.5',
      (q, c) => op('RealDiv', [op('AddV2', [float(1), dot(normalized(q), normalized(c))]), float(2)]),
    ],
    ['a constant minus it', '-1 · dot + 1', (q, c) => sub(float(1), dot(q, c))],
    [
      'a logistic',
      '0.1 · dot + 1, logistic',
      (q, c) => op('Sigmoid', [op('AddV2', [mul(dot(q, c), float(0.1)), float(1)])]),
    ],
    [
      'a dense layer of one unit',
      '2 · dot − 1, logistic',
      (q, c) =>
        op('Sigmoid', [op('BiasAdd', [op('MatMul', [sum(mul(q, c), 1, true), floats([1, 1], 2)]), floats([1], -1)])]),
    ],
    ['a distance', 'euclidean', distance],
    ['a distance by Sub and Square', 'euclidean', (q, c) => op('Sqrt', [sum(op('Square', [sub(q, c)]))])],
    [
      'a guarded distance',
      '-1 · euclidean',
      (q, c) => op('Neg', [op('Sqrt', [op('Maximum', [sum(op('Square', [sub(c, q)])), float(1e-12)])])]),
    ],
    [
      'a distance that Keras 2 guards twice',
      'euclidean',
      (q, c) => op('Sqrt', [op('Maximum', [op('Maximum', [sum(op('Square', [sub(q, c)])), float(1e-7)]), float(0)])]),
    ],
    ['a norm of the difference', 'euclidean', (q, c) => op('EuclideanNorm', [sub(q, c), ints(1)])],
    [
      'a difference times itself',
      'euclidean',
      (q, c) => {
        const difference = sub(q, c)
        return op('Sqrt', [sum(mul(difference, difference))])
      },
    ],
  ]
  test.each(forms)('%s is %s', (_, similarity, score) => {
    const towers = towersOf(score)
    expect(towers.similarity && inWords(towers.similarity)).toBe(similarity)
    expectEqualToGraph(towers, [Q, C])
  })

  test('embeddings that are never flattened lose the dimension of 1', () => {
    const product = (q: Value, c: Value) => op('BatchMatMulV2', [q, transpose(c, 0, 2, 1)])
    const towers = towersOf((q, c) => op('Reshape', [product(q, c), ints(-1, 1)]), [null, 1])
    expect(towers.similarity?.metric).toBe('dot')
    expectEqualToGraph(towers, [wide(Q), wide(C)])
    // Of the last axis it is known by how many dimensions the score has.
    const last: readonly (readonly [Form[2], readonly (number | null)[]])[] = [
      [(q, c) => sum(mul(q, c), -1), [null, 1]],
      [(q, c) => op('Sigmoid', [op('AddV2', [mul(float(2), sum(mul(q, c), -1)), floats([1], -1)])]), [null, 1]],
      [(q, c) => sum(mul(q, c), -1, true), [null, 1, 1]],
      [(q, c) => op('Neg', [squeeze(norm(sub(q, c), true), -1)]), [null, 1]],
      [(q, c) => expand(sum(mul(q, c), -1), 2), [null, 1, 1]],
      [(q, c) => op('Sqrt', [sum(op('SquaredDifference', [q, c]), -1)]), [null, 1]],
    ]
    for (const [score, shape] of last) expectEqualToGraph(towersOf(score, shape), [wide(Q), wide(C)])
    // Several vectors a side make several numbers a row: no similarity of two embeddings.
    const late = towersOf(product, [null, null, null])
    expect([late.query, late.candidate, late.similarity]).toEqual([null, null, null])
  })
})

describe('what is no similarity of two embeddings is not taken for one', () => {
  const forms: readonly (readonly [string, Form[2]])[] = [
    ['a sum over the batch', (q, c) => sum(mul(q, c), 0)],
    ['a sum over everything', (q, c) => op('Sum', [mul(q, c), ints(0, 1)])],
    ['an outer product', (q, c) => op('Max', [op('BatchMatMulV2', [expand(q, 2), expand(c, 1)]), ints(1, 2)])],
    ['an outer product by Einsum', (q, c) => op('Max', [einsum('bd,be->bde', q, c), ints(1, 2)])],
    ['a trace by Einsum', (q, c) => einsum('bd,bd->', q, c)],
    ['a product that contracts the batch', (q, c) => op('Max', [op('MatMul', [transpose(q, 1, 0), c]), ints(0)])],
    ['a query with a list of candidates of its own', (q, c) => sum(mul(expand(q, 1), c), 2)],
    ['a weighted sum of products', (q, c) => op('MatMul', [mul(q, c), floats([3, 1], 1, 2, 3)])],
    [
      'a quotient by norms of 1 at least',
      (q, c) => op('RealDiv', [dot(q, c), op('Maximum', [mul(norm(q), norm(c)), float(1)])]),
    ],
    ['a concatenation', (q, c) => sum(op('ConcatV2', [q, c, ints(1)]))],
    ['a product beside its factors', (q, c) => sum(op('ConcatV2', [sum(mul(q, c), 1, true), q, c, ints(1)]))],
  ]
  test.each(forms)('%s scores by itself', (_, score) => {
    const { query, candidate, similarity, joint, notes } = towersOf(score)
    expect([query, candidate, similarity]).toEqual([null, null, null])
    expect(joint).toEqual({ signature: 'serving_default', output: 'score' })
    expect(notes).toEqual([
      'output "score" of "serving_default" scores by itself: no similarity separates its inputs into towers',
    ])
  })

  test('sides that share an input are not separate', () => {
    const [user, item] = [input('user_vector'), input('item_vector')]
    const shared = signature('s', [user, item], { score: dot(op('AddV2', [user, item]), item) })
    expect(findTowers([shared])).toMatchObject({ query: null, candidate: null, similarity: null })
  })

  test('vectors that are cut to a norm of 1 at most are no cosine', () => {
    const cut = (x: Value) => op('RealDiv', [x, op('Maximum', [norm(x, true), float(1)])])
    expect(towersOf((q, c) => dot(cut(q), cut(c))).similarity?.metric).toBe('dot')
  })

  test('a normalisation over the batch is no cosine', () => {
    expect(towersOf((q, c) => dot(normalized(q, 0), normalized(c, 0))).similarity?.metric).toBe('dot')
  })
})

describe('towers are known where the score makes more of them than a metric says', () => {
  const forms: readonly (readonly [string, Form[2]])[] = [
    ['the sum of squared differences', (q, c) => op('Neg', [sum(op('SquaredDifference', [q, c]))])],
    ['the sum of absolute differences', (q, c) => op('Neg', [sum(op('Abs', [sub(q, c)]))])],
    ['the mean of products', (q, c) => op('Mean', [mul(q, c), ints(1)])],
    ['RealDiv ← AddV2 ← the root', (q, c) => op('RealDiv', [float(1), op('AddV2', [float(1), distance(q, c)])])],
    [
      'Sqrt ← AddV2 ← the sum of squared differences',
      (q, c) => op('Sqrt', [op('AddV2', [sum(op('SquaredDifference', [q, c])), float(1)])]),
    ],
    ['Exp ← Neg ← the root', (q, c) => op('Exp', [op('Neg', [distance(q, c)])])],
    ['Mul ← Sigmoid ← the sum', (q, c) => mul(op('Sigmoid', [dot(q, c)]), float(5))],
    ['Minimum ← Maximum', (q, c) => op('Minimum', [op('Maximum', [dot(q, c), float(0)]), float(1)])],
    ['AddV2 ← the sum of products', (q, c) => op('AddV2', [dot(q, c), sum(q)])],
    [
      'MatMul ← Relu ← MatMul',
      (q, c) =>
        op('MatMul', [
          op('Relu', [op('MatMul', [sum(mul(q, c), 1, true), floats([1, 2], 1, -1)])]),
          floats([2, 1], 3, 4),
        ]),
    ],
    [
      'Cast ← Cast ← Mul ← the sum of products',
      (q, c) => op('Cast', [op('Cast', [mul(dot(q, c), float(10))], { DstT: 'int32' })], { DstT: 'float32' }),
    ],
    ['MatrixDiagPart ← a product of all pairs', (q, c) => op('MatrixDiagPart', [matmul(q, c)])],
    [
      'StridedSlice ← a product of all pairs',
      (q, c) =>
        op('StridedSlice', [matmul(q, c), ints(0, 0), ints(0, 1), ints(1, 1)], {
          begin_mask: 1,
          end_mask: 1,
          shrink_axis_mask: 2,
        }),
    ],
  ]
  test.each(forms)('%s', (words, score) => {
    const { query, candidate, similarity, joint, notes } = towersOf(score)
    expect(query?.inputs.map((port) => port.name)).toEqual(['user_vector'])
    expect(candidate?.inputs.map((port) => port.name)).toEqual(['item_vector'])
    expect(similarity).toBe(null)
    expect(joint).toEqual({ signature: 'serving_default', output: 'score' })
    expect(notes[1]).toContain('makes more of the embeddings than scale · similarity + bias')
    expect(notes[1]).toContain(words)
  })

  test('and the user may choose how to compare them', () => {
    const [user, item] = [input('user_vector'), input('item_vector')]
    const squared = signature('s', [user, item], { score: op('Neg', [sum(op('SquaredDifference', [user, item]))]) })
    const { similarity, joint } = findTowers([squared], { similarity: 'euclidean' })
    expect([similarity && inWords(similarity), joint]).toEqual(['euclidean', null])
  })
})
