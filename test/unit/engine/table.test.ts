import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { bindingsFor } from '../../../src/engine/bindings.ts'
import { instantiate } from '../../../src/engine/kernels.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { withKernels } from '../../../src/engine/table.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { Attrs, type Node, type OpTable } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { packPanels, Strings, type Tensor, tensor } from '../../../src/tensor/index.ts'
import { packedInt8Shape, packInt8, toInt8 } from '../../../src/tensor/panelsint8.ts'

// Kernels are an optimisation of the same op table, never a second semantics: each is held against the reference, at
// every tail and in every broadcast that the table hands to a kernel or keeps from it.

let reference: OpTable
let table: OpTable
let memory: Memory

beforeAll(async () => {
  reference = await loadAllOps()
  memory = new Memory(1 << 20)
  const kernels = instantiate(await compileKernels(), memory.wasm)
  table = withKernels(reference, kernels, memory, undefined, await bindingsFor(new Set(reference.keys())))
})

function call(ops: OpTable, op: string, inputs: readonly Tensor[], attrs = Attrs.none): Tensor {
  const node = { name: 'n', op, attrs, inputs: [], controls: [] }
  const result = ops.get(op)?.evaluate({ inputs, attrs, node, files: new Map(), run: () => [] })
  return (result !== undefined && 'dtype' in result ? result : result?.[0]) as Tensor
}

/** The same answer from both tables, to a few units in the last place. */
function expectSame(op: string, inputs: readonly Tensor[], attrs = Attrs.none, tolerance = 2e-6): void {
  memory.begin()
  expectClose(op, inputs, call(table, op, inputs, attrs), call(reference, op, inputs, attrs), tolerance)
}

function expectClose(op: string, inputs: readonly Tensor[], ours: Tensor, theirs: Tensor, tolerance: number): void {
  expect(ours.shape, op).toEqual(theirs.shape)
  const [a, b] = [ours.data as Float32Array, theirs.data as Float32Array]
  for (let i = 0; i < b.length; i++) {
    const same =
      Object.is(a[i], b[i]) || a[i] === b[i] || Math.abs(a[i] - b[i]) <= tolerance * Math.max(1, Math.abs(b[i]))
    if (!same) expect.fail(`${op} of ${inputs.map((t) => `[${t.shape}]`)} [${i}]: kernel ${a[i]}, reference ${b[i]}`)
  }
}

test("what a variable is assigned stays as it was, whatever becomes of the caller's array and of the arena", () => {
  const variable = call(reference, 'VarHandleOp', [], new Attrs({ dtype: 'float32' }))
  const mine = Float32Array.of(1, 2)
  call(table, 'AssignVariableOp', [variable, tensor('float32', [2], mine)])
  mine[0] = 9
  expect(call(table, 'ReadVariableOp', [variable]).data).toEqual(Float32Array.of(1, 2))
  memory.begin()
  const room = memory.room(2) as Float32Array
  room.set([3, 4])
  call(table, 'AssignVariableOp', [variable, tensor('float32', [2], room)])
  room.fill(9)
  expect(call(table, 'ReadVariableOp', [variable]).data).toEqual(Float32Array.of(3, 4))
  // Of complex numbers too, two places of an array each.
  const pairs = call(reference, 'VarHandleOp', [], new Attrs({ dtype: 'complex64' }))
  call(table, 'AssignVariableOp', [pairs, { dtype: 'complex64', shape: [1], data: mine }])
  mine.fill(7)
  expect(call(table, 'ReadVariableOp', [pairs]).data).toEqual(Float32Array.of(9, 2))
})

test('a layer whose activation nobody has is refused, and not one without', () => {
  const weights = tensor('float32', [1, 1, 16], packPanels(Float32Array.of(1), 1, 1))
  const x = tensor('float32', [1, 1], Float32Array.of(-2))
  for (const activation of ['Gelu', 'toString', 'constructor'])
    for (const ops of [table, reference]) {
      memory.begin()
      expect(() => call(ops, 'twotower>Dense', [x, weights], new Attrs({ k: 1, n: 1, activation }))).toThrow(
        `there is no activation "${activation}": update twotower`,
      )
    }
  expectSame('twotower>Dense', [x, weights], new Attrs({ k: 1, n: 1 }))
})

const EDGES = [
  0,
  -0,
  1,
  -1,
  0.5,
  2.5,
  -2.5,
  90,
  -90,
  1e-30,
  3e38,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
]
const floats = (shape: readonly number[], seed = 1, scale = 3): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor(
    'float32',
    shape,
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898 + seed) * scale),
  )
}

const UNARY =
  'Relu Relu6 Elu Selu LeakyRelu Softplus Sigmoid Tanh Exp Log Log1p Sqrt Rsqrt Square Neg Abs Erf Erfc Softsign Reciprocal Floor Ceil Round Rint'.split(
    ' ',
  )
const BINARY = 'Add AddV2 Sub Mul Div RealDiv Maximum Minimum SquaredDifference'.split(' ')

describe('a kernel answers as the reference does', () => {
  test.each(UNARY)('%s, of 0 to 70 elements', (op) => {
    for (let n = 0; n <= 70; n++) expectSame(op, [floats([n], n)])
  })

  test.each(UNARY)('%s, of NaN, infinities and zeros in any lane', (op) => {
    for (let shift = 0; shift < 4; shift++) {
      const values = Float32Array.from({ length: 40 + shift }, (_, i) => EDGES[(i + shift) % EDGES.length])
      expectSame(op, [tensor('float32', [values.length], values)])
    }
  })

  const shapes: [number[], number[]][] = [
    [
      [7, 9],
      [7, 9],
    ],
    [[7, 9], []],
    [[], [7, 9]],
    [[7, 9], [9]],
    [[9], [7, 9]],
    [
      [7, 9],
      [7, 1],
    ],
    [
      [7, 1],
      [7, 9],
    ],
    [
      [7, 9],
      [1, 9],
    ],
    [
      [7, 9],
      [1, 1],
    ],
    [
      [7, 1],
      [1, 9],
    ],
    [
      [3, 5, 4],
      [5, 1],
    ],
    [
      [3, 5, 4],
      [3, 1, 4],
    ],
    [
      [3, 5, 4],
      [3, 5, 1],
    ],
    [
      [3, 5, 4],
      [5, 4],
    ],
    [
      [2, 40],
      [1, 2, 40],
    ],
    [
      [1, 40],
      [40, 1],
    ],
    [[40], [1]],
    [[0, 40], [40]],
    [
      [2, 4, 5, 9],
      [2, 1, 1, 9],
    ],
    [
      [2, 1, 3, 1],
      [2, 7, 3, 1],
    ],
    [
      [6, 1, 8],
      [1, 6, 5, 8],
    ],
    [
      [2, 1, 4, 1],
      [2, 3, 4, 5],
    ],
    [
      [1, 1, 8],
      [6, 8],
    ],
  ]
  test.each(BINARY)('%s, in every broadcast', (op) => {
    for (const [a, b] of shapes) expectSame(op, [floats(a, 1), floats(b, 2)])
  })

  test.each(['Softmax', 'LogSoftmax', 'twotower>L2Normalize'])('%s, in rows of 1 to 40', (op) => {
    for (let n = 1; n <= 40; n++) expectSame(op, [floats([33, n], n)], new Attrs({ epsilon: 1e-12 }))
  })

  test('MatMul, at every tail', () => {
    for (let n = 1; n <= 20; n++) {
      for (const k of [1, 3, 4, 17]) {
        expectSame('MatMul', [floats([5, k], n, 1), floats([k, n], k, 1)])
        expectSame('MatMul', [floats([5, k], n, 1), floats([n, k], k, 1)], new Attrs({ transpose_b: true }))
      }
    }
  })

  test('a dense layer, with each activation and without, with a bias and without, at every tail', () => {
    const activations = [null, 'Relu', 'Relu6', 'Sigmoid', 'Tanh', 'Elu', 'Selu', 'Softplus', 'LeakyRelu']
    fc.assert(
      fc.property(
        fc.nat({ max: 9 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(...activations),
        fc.boolean(),
        (rows, k, n, activation, biased) => {
          const weights = floats([k, n], k, 1).data as Float32Array
          const panels = tensor('float32', [Math.ceil(n / 16), k, 16], packPanels(weights, k, n))
          const attrs = new Attrs({ k, n, ...(activation === null ? {} : { activation, alpha: 0.3 }) })
          const inputs = [floats([rows, k], n, 1), panels, ...(biased ? [floats([n], 5)] : [])]
          expectSame('twotower>Dense', inputs, attrs, 1e-5)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('the largest of each row', () => {
  const both = (x: Tensor, k: Tensor, attrs = Attrs.none): unknown[] => {
    memory.begin()
    const node = { name: 'n', op: 'TopKV2', attrs, inputs: [], controls: [] }
    const rest = { attrs, node, files: new Map(), run: () => [] }
    return [table, reference].map((ops) => ops.get(node.op)?.evaluate({ inputs: [x, k], ...rest }))
  }
  const int32 = (k: number): Tensor => tensor('int32', [], Int32Array.of(k))

  // As TensorFlow 2.15 answers, whose threads take denormals for zeros.
  test('denormals are no larger than zeros', () => {
    const x = tensor('float32', [1, 40], new Float32Array(40))
    ;(x.data as Float32Array).set([1, 0, 2e-40, 3e-40])
    for (const answer of both(x, int32(4))) expect(answer).toMatchObject([{}, { data: Int32Array.of(0, 1, 2, 3) }])
  })

  test('values, places and their order are the reference’s, of many equal ones too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 1000 }),
        (rows, width, k, levels) => {
          const x = floats([rows, 1, width], width, levels)
          ;(x.data as Float32Array).forEach((value, i, data) => {
            data[i] = Math.round(value)
          })
          const [ours, theirs] = both(x, int32(Math.min(k, width)))
          expect(ours).toEqual(theirs)
        },
      ),
      { numRuns: 200 },
    )
  })

  test.each([
    ['infinities and zeros', EDGES.filter((edge) => !Number.isNaN(edge))],
    ['NaN', EDGES],
  ])('rows with %s are as the reference has them', (_, edges) => {
    for (let shift = 0; shift < edges.length; shift++) {
      const x = tensor(
        'float32',
        [40],
        Float32Array.from({ length: 40 }, (_, i) => edges[(i * i + shift) % edges.length]),
      )
      for (const k of [1, 2, 7, 39, 40]) {
        const [ours, theirs] = both(x, int32(k))
        expect(ours).toEqual(theirs)
      }
    }
  })

  test('what TensorFlow refuses is refused, and places are of the dtype that is asked for', () => {
    expect(() => both(floats([2, 40]), int32(41))).toThrow('input must have at least k columns. Had 40, needed 41')
    expect(() => both(floats([2, 40]), int32(-1))).toThrow('Need k >= 0, got -1')
    expect(both(floats([2, 40]), int32(3), new Attrs({ index_type: 'int64' }))[0]).toMatchObject([
      {},
      { dtype: 'int64' },
    ])
  })
})

describe('Transpose', () => {
  const permutation = (axes: readonly number[]): Tensor => tensor('int32', [axes.length], Int32Array.from(axes))

  test('of any axes, of one element and none too, is the reference’s', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 5 })
          .chain((shape) =>
            fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
          ),
        ([shape, axes]) => expectSame('Transpose', [floats(shape), permutation(axes)], Attrs.none, 0),
      ),
      { numRuns: 200 },
    )
  })

  test('lies in the arena, and what is no permutation is refused', () => {
    for (const axes of [
      [0, 2, 1, 3],
      [0, 2, 3, 1],
      [3, 2, 1, 0],
    ]) {
      const given = call(table, 'Add', [floats([8, 12, 3, 8]), floats([8, 12, 3, 8], 2)])
      expect(memory.holds(call(table, 'Transpose', [given, permutation(axes)]).data as Float32Array)).toBe(true)
    }
    expect(() => call(table, 'Transpose', [floats([80, 90]), permutation([0, 0])])).toThrow('1 is missing from {0,0}.')
    expect(() => call(table, 'Transpose', [floats([80, 90]), permutation([0, 2])])).toThrow(
      '2 is out of range [0 .. 2)',
    )
    expect(() => call(table, 'Transpose', [floats([80, 90]), permutation([0])])).toThrow('expects a vector of size 2')
  })
})

describe('broadcasts that no single call takes', () => {
  const cases: [number[], number[]][] = [
    [
      [2, 3, 1, 16],
      [2, 1, 4, 16],
    ],
    [
      [2, 1, 4, 16],
      [3, 1, 16],
    ],
    [
      [4, 9],
      [2, 3, 1, 9],
    ],
    [
      [3, 1, 40],
      [2, 40],
    ],
    [
      [2, 1, 5, 1],
      [3, 5, 9],
    ],
    [
      [2, 3, 7, 1],
      [3, 1, 9],
    ],
    [
      [2, 1, 1, 1],
      [3, 5, 9],
    ],
  ]
  test.each(BINARY)('%s, matrix by matrix', (op) => {
    for (const [a, b] of cases) {
      expectSame(op, [floats(a, 1), floats(b, 2)])
      expect(memory.holds(call(table, op, [floats(a, 1), floats(b, 2)]).data as Float32Array), `[${a}], [${b}]`).toBe(
        true,
      )
    }
  })

  test('refuses shapes that do not broadcast, and takes none of it where there is nothing', () => {
    expect(() => call(table, 'AddV2', [floats([2, 3, 1, 16]), floats([2, 2, 4, 16])])).toThrow('Incompatible shapes')
    expectSame('AddV2', [floats([2, 0, 1, 16]), floats([2, 1, 4, 16])])
  })
})

test('what Fill makes of floats lies in the arena, and what it refuses it refuses in the same words', () => {
  const dims = (...sizes: number[]): Tensor => tensor('int32', [sizes.length], Int32Array.from(sizes))
  const value = (x: number): Tensor => tensor('float32', [], Float32Array.of(x))
  for (const x of [0, -0, Number.NaN, 1.5])
    for (const sizes of [[64], [3, 21], [2, 4, 8], [], [0, 9]])
      expectSame('Fill', [dims(...sizes), value(x)], Attrs.none, 0)
  memory.begin()
  expect(memory.holds(call(table, 'Fill', [dims(8, 9), value(0)]).data as Float32Array)).toBe(true)
  for (const ops of [table, reference]) expect(() => call(ops, 'Fill', [dims(-8, -9), value(0)])).toThrow('-8')
})

describe('one of two by a mask', () => {
  const flags = (shape: readonly number[]): Tensor =>
    tensor(
      'bool',
      shape,
      Uint8Array.from(floats(shape, 5).data as Float32Array, (x) => (x > 0 ? 1 : 0)),
    )
  const shapes: readonly (readonly (readonly number[])[])[] = [
    [
      [7, 9],
      [7, 9],
      [7, 9],
    ],
    [[7, 9], [], [7, 9]],
    [[7, 1], [7, 9], []],
    [[6, 5, 1], [6, 5, 8], [8]],
    [[4, 1, 1, 9], [4, 2, 8, 9], []],
    [
      [4, 1, 8, 9],
      [4, 2, 8, 9],
      [1, 2, 1, 1],
    ],
    [[9], [4, 2, 1, 1], [2, 8, 1]],
    [[1], [64], [64]],
    [[64], [1], [2, 64]],
    [
      [3, 1, 5],
      [3, 4, 1],
      [2, 1, 4, 5],
    ],
  ]

  test('SelectV2 in every broadcast', () => {
    for (const [mask, x, y] of shapes) expectSame('SelectV2', [flags(mask), floats(x, 1), floats(y, 2)], Attrs.none, 0)
    const matrices = [flags([2, 1, 8, 9]), floats([3, 1, 9], 1), floats([2, 3, 8, 1], 2)]
    memory.begin()
    expect(memory.holds(call(table, 'SelectV2', matrices).data as Float32Array)).toBe(true)
    expectSame('SelectV2', matrices, Attrs.none, 0)
  })

  test.each(['LogicalAnd', 'LogicalOr'])('%s in every broadcast, of bytes that are not only 0 and 1', (op) => {
    const bytes = (shape: readonly number[], seed: number) =>
      tensor(
        'bool',
        shape,
        Uint8Array.from(floats(shape, seed).data as Float32Array, (x) => (x > 0.5 ? 255 : x > 0 ? 1 : 0)),
      )
    for (const [x, y] of [
      ...shapes,
      [
        [32, 1, 9],
        [1, 8, 9],
      ],
      [[], [40]],
      [[40], []],
      [
        [0, 9],
        [40, 1, 9],
      ],
      [[33, 1], [9]],
    ])
      for (const inputs of [
        [bytes(x, 1), bytes(y, 2)],
        [bytes(y, 3), bytes(x, 4)],
      ]) {
        memory.begin()
        const [ours, theirs] = [call(table, op, inputs), call(reference, op, inputs)]
        expect([ours.dtype, ours.shape, ours.data]).toEqual([theirs.dtype, theirs.shape, theirs.data])
      }
    expect(() => call(table, op, [bytes([7, 9], 1), bytes([8], 2)])).toThrow('Incompatible shapes')
  })

  test('Select, whose mask of one dimension is of rows', () => {
    for (const [mask, x] of [
      [[8], [8, 9]],
      [
        [8, 9],
        [8, 9],
      ],
      [[70], [70]],
      [[5], [5, 3, 7]],
    ])
      expectSame('Select', [flags(mask), floats(x, 1), floats(x, 2)], Attrs.none, 0)
  })

  test('what does not go together is refused as by the reference', () => {
    expect(() => call(table, 'SelectV2', [flags([7, 9]), floats([7, 9]), floats([8])])).toThrow('Incompatible shapes')
    expect(() => call(table, 'Select', [flags([9]), floats([7, 9]), floats([7, 9])])).toThrow("'then' and 'condition'")
    expect(() => call(table, 'Select', [flags([7]), floats([7, 9]), floats([7, 8])])).toThrow("'then' and 'else'")
  })
})

describe('a dense layer in bytes', () => {
  const [k, n] = [37, 21]
  const { weights, factors, scales } = toInt8(floats([k, n], 3, 1).data as Float32Array, k, n)
  const totals = new Int32Array(n)
  weights.forEach((weight, i) => {
    totals[i % n] += weight
  })
  const layer = [
    tensor('int8', packedInt8Shape(k, n), packInt8(weights, k, n)),
    tensor('float32', [k], factors),
    tensor('float32', [n], scales),
    tensor('int32', [n], totals),
  ]

  test('is the reference to the last bit', () => {
    for (const activation of ['', 'Relu', 'LeakyRelu']) {
      const attrs = new Attrs({ k, n, ...(activation === '' ? {} : { activation, alpha: 0.25 }) })
      for (const rows of [1, 2, 65]) {
        expectSame('twotower>DenseInt8', [floats([rows, k], rows, 1), ...layer, floats([n], 5)], attrs, 0)
        expectSame('twotower>DenseInt8', [floats([rows, k], rows, 1), ...layer], attrs, 0)
      }
    }
  })

  test('is the same in each call of a node, whether its arrays stay in memory or are brought for the call', async () => {
    const [module, bindings] = [await compileKernels(), await bindingsFor(new Set(['twotower>DenseInt8']))]
    const node = { name: 'n', op: 'twotower>DenseInt8', attrs: new Attrs({ k, n }), inputs: [], controls: [] }
    const arrays = [...layer, floats([n], 5)]
    const kept = [[], arrays, arrays.slice(0, 1), arrays.slice(1)]
    for (const some of kept) {
      const own = new Memory(1 << 20)
      const ops = withKernels(reference, instantiate(module, own.wasm), own, 0, bindings)
      own.keep(some.map(({ data }) => data as Float32Array | Int8Array | Int32Array))
      for (const rows of [3, 1, 61, 1]) {
        const inputs = [floats([rows, k], rows, 1), ...arrays]
        own.begin()
        const [ours, theirs] = [ops, reference].map((each) =>
          each.get(node.op)?.evaluate({ inputs, attrs: node.attrs, node, files: new Map(), run: () => [] }),
        )
        expect(ours).toEqual(theirs)
      }
    }
  })

  test('leaves an input and weights of another shape to the reference, which refuses them', () => {
    const attrs = new Attrs({ k, n })
    const run = (inputs: readonly Tensor[]) => call(table, 'twotower>DenseInt8', inputs, attrs)
    expect(() => run([floats([2, k + 1]), ...layer])).toThrow(/the layer takes float32\[rows, 37\]/)
    expect(() => run([floats([2, k]), tensor('int8', [8], new Int8Array(8)), ...layer.slice(1)])).toThrow(
      'packed of a 37 × 21 matrix has 1280 bytes, got 8',
    )
  })
})

describe('products of computed matrices', () => {
  test('BatchMatMul of every batch and tail, with the second transposed or not', () => {
    for (const batch of [[], [1], [3], [2, 3]])
      for (const [m, k, n] of [
        [1, 1, 1],
        [2, 5, 3],
        [7, 16, 9],
        [4, 33, 17],
        [16, 8, 16],
        [32, 16, 23],
        [41, 64, 6],
      ])
        for (const adj_y of [false, true])
          expectSame(
            'BatchMatMulV2',
            [floats([...batch, m, k]), floats([...batch, ...(adj_y ? [n, k] : [k, n])], 5)],
            new Attrs({ adj_y }),
            1e-5,
          )
  })

  test('BatchMatMul in layouts and of sizes that stay with the reference', () => {
    expectSame('BatchMatMulV2', [floats([2, 3, 4]), floats([4, 5])], Attrs.none, 1e-5)
    expectSame('BatchMatMulV2', [floats([3, 4, 2]), floats([3, 4, 5])], new Attrs({ adj_x: true }), 1e-5)
    expectSame('BatchMatMulV2', [floats([0, 4, 2]), floats([0, 2, 5])])
    expectSame('BatchMatMulV2', [floats([2, 4, 0]), floats([2, 0, 5])])
    expect(() => call(table, 'BatchMatMulV2', [floats([2, 3, 4]), floats([2, 5, 6])])).toThrow()
  })

  test('Einsum as attention and dense layers write it', () => {
    const sizes: Readonly<Record<string, number>> = { a: 2, b: 3, c: 5, d: 4, e: 7, h: 2 }
    const of = (labels: string, seed: number) =>
      floats(
        [...labels].map((label) => sizes[label]),
        seed,
      )
    const equations = [
      'ab,bc->ac',
      'abc,cd->abd',
      'abc,cde->abde',
      'abde,dec->abc',
      'aecd,abcd->acbe',
      'acbe,aecd->abcd',
      'ab,ac->abc',
      'ab,ab->a',
      'ab,ab->',
      'ab,cb->ca',
      'abc,abd->acd',
      'a,b->ab',
      'abc,bc->a',
      'hab,hcb->hac',
      'ab,ac->bc',
    ]
    for (const equation of equations) {
      const [a, b] = equation.split('->')[0].split(',')
      expectSame('Einsum', [of(a, 1), of(b, 5)], new Attrs({ equation }), 1e-5)
    }
  })

  test('Einsum that says more than a product', () => {
    const more = [
      ['ab->ba', [3, 4], null],
      ['aab,bc->ac', [3, 3, 4], [4, 2]],
      ['ab,c->a', [3, 4], [2]],
      ['...b,bc->...c', [2, 3, 4], [4, 5]],
      ['ab,bc->ac', [3, 0], [0, 2]],
    ] as const
    for (const [equation, a, b] of more)
      expectSame('Einsum', [floats(a), ...(b === null ? [] : [floats(b, 5)])], new Attrs({ equation }), 1e-5)
    const wrong = new Attrs({ equation: 'ab,bc->ac' })
    expect(() => call(table, 'Einsum', [floats([3, 4]), floats([5, 2])], wrong)).toThrow(/dimension/)
    const unknown = new Attrs({ equation: 'ab,bc->acz' })
    expect(() => call(table, 'Einsum', [floats([3, 4]), floats([4, 2])], unknown)).toThrow(
      'Output subscript "z" is in no input',
    )
  })

  test('Einsum of two nodes in several shapes by turns, each equation read when its shapes are others than before', () => {
    let read = 0
    class Counted extends Attrs {
      override string(name: string): string {
        read++
        return super.string(name)
      }
    }
    const node = (equation: string): Node => ({
      name: equation,
      op: 'Einsum',
      attrs: new Counted({ equation }),
      inputs: [],
      controls: [],
    })
    const [scores, layer] = [node('aecd,abcd->acbe'), node('abc,cde->abde')]
    // Axes of one element too, which lie right in any order.
    const asked: readonly [node: Node, a: readonly number[], b: readonly number[], read: number][] = [
      [scores, [2, 3, 4, 5], [2, 6, 4, 5], 1],
      [layer, [2, 3, 5], [5, 4, 2], 1],
      [scores, [2, 3, 4, 5], [2, 6, 4, 5], 0],
      [scores, [2, 3, 1, 5], [2, 6, 1, 5], 1],
      [layer, [2, 3, 5], [5, 4, 2], 0],
      [layer, [1, 7, 5], [5, 4, 2], 1],
      [scores, [2, 3, 1, 5], [2, 6, 1, 5], 0],
      [layer, [1, 7, 5], [5, 2, 4], 1],
      [scores, [2, 3, 4, 5], [2, 6, 4, 5], 1],
    ]
    for (const [node, a, b, times] of asked) {
      read = 0
      memory.begin()
      const inputs = [floats(a), floats(b, 5)]
      const ours = table.get('Einsum')?.evaluate({ inputs, attrs: node.attrs, node, files: new Map(), run: () => [] })
      expect(read, `${node.name} of [${a}] and [${b}]`).toBe(times)
      const theirs = call(reference, 'Einsum', inputs, new Attrs({ equation: node.name }))
      expectClose('Einsum', inputs, ours as Tensor, theirs, 1e-5)
    }
  })
})

describe('pooled rows of a table that stays in linear memory', () => {
  const kept = floats([11, 6])
  const ids = (dtype: 'int32' | 'int64', shape: readonly number[], values: readonly number[]): Tensor =>
    dtype === 'int32'
      ? tensor('int32', shape, Int32Array.from(values))
      : tensor('int64', shape, BigInt64Array.from(values, BigInt))
  const some = Array.from({ length: 15 }, (_, i) => (i * 7) % 11)
  const mask = floats([5, 3], 4)
  const pool = (combiner: string) => new Attrs({ combiner })
  beforeAll(() => memory.keep([kept.data as Float32Array]))

  test.each(['int32', 'int64'] as const)('by %s, summed, weighted and averaged', (dtype) => {
    for (const shape of [
      [5, 3],
      [1, 15],
      [15, 1],
    ]) {
      for (const combiner of ['sum', 'mean'])
        expectSame('twotower>PoolRows', [kept, ids(dtype, shape, some)], pool(combiner))
    }
    for (const combiner of ['sum', 'mean'])
      expectSame('twotower>PoolRows', [kept, ids(dtype, [5, 3], some), mask], pool(combiner))
  })

  test('a weight of 0 times an infinity is NaN here too', () => {
    const wild = tensor('float32', [3, 2], Float32Array.of(1, 2, Number.POSITIVE_INFINITY, Number.NaN, 5, 6))
    memory.keep([wild.data as Float32Array])
    const weights = tensor('float32', [2, 2], Float32Array.of(1, 0, 0, 1))
    expectSame('twotower>PoolRows', [wild, ids('int64', [2, 2], [0, 1, 0, 2]), weights], pool('sum'))
  })

  test('runs in linear memory, and a table that is not kept does not', () => {
    memory.begin()
    const at = ids('int64', [5, 3], some)
    expect(memory.holds(call(table, 'twotower>PoolRows', [kept, at], pool('sum')).data as Float32Array)).toBe(true)
    const free = floats([11, 6], 9)
    expect(memory.holds(call(table, 'twotower>PoolRows', [free, at], pool('sum')).data as Float32Array)).toBe(false)
  })

  test.each([-1, 11, 2 ** 32])('refuses the id %d as the reference does', (wrong) => {
    const at = ids('int64', [2, 2], [0, 1, wrong, 3])
    const told = (ops: OpTable): string => {
      memory.begin()
      try {
        return String(call(ops, 'twotower>PoolRows', [kept, at], pool('sum')).data)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(told(table)).toMatch(/indices/)
    expect(told(table)).toBe(told(reference))
  })
})

describe('features side by side', () => {
  const axis = (at: number): Tensor => tensor('int32', [], Int32Array.of(at))

  test.each([1, -1])('ConcatV2 of matrices along axis %d', (last) => {
    for (const rows of [1, 7, 8, 33])
      expectSame(
        'ConcatV2',
        [floats([rows, 5], 1), floats([rows, 1], 2), floats([rows, 8], 3), axis(last)],
        Attrs.none,
        0,
      )
  })

  test('ConcatV2 of higher ranks and along other axes', () => {
    expectSame('ConcatV2', [floats([3, 4, 5], 1), floats([3, 4, 2], 2), axis(2)], Attrs.none, 0)
    expectSame('ConcatV2', [floats([9, 4, 5], 1), floats([9, 3, 5], 2), axis(1)], Attrs.none, 0)
    expectSame('ConcatV2', [floats([9, 5], 1), floats([8, 5], 2), axis(0)], Attrs.none, 0)
    expectSame('ConcatV2', [floats([9, 5], 1), floats([9, 0], 2), axis(1)], Attrs.none, 0)
  })

  test('shapes that do not fit are refused as the reference does', () => {
    expect(() => call(table, 'ConcatV2', [floats([9, 5]), floats([10, 5]), axis(1)])).toThrow(/must be equal/)
    expect(() => call(table, 'ConcatV2', [floats([9, 5]), floats([9]), axis(1)])).toThrow(/Ranks/)
  })
})

describe('reductions', () => {
  const axes = (...at: number[]): Tensor => tensor('int32', [at.length], Int32Array.from(at))

  test.each(['Sum', 'Mean', 'Max', 'Min'])('%s over axes that axes of one element follow', (op) => {
    for (const keep_dims of [false, true]) {
      const attrs = new Attrs({ keep_dims })
      expectSame(op, [floats([9, 12, 1]), axes(1)], attrs)
      expectSame(op, [floats([9, 12, 1]), axes(1, 2)], attrs)
      expectSame(op, [floats([9, 4, 3, 1, 1]), axes(1, 2)], attrs)
      expectSame(op, [floats([40, 1, 1]), axes(0)], attrs)
      expectSame(op, [floats([40, 1, 1]), axes(1)], attrs)
      expectSame(op, [floats([9, 12, 2]), axes(1)], attrs)
    }
  })
})

describe('hash buckets', () => {
  const strings = (...values: Uint8Array[]): Tensor => tensor('string', [values.length], Strings.from(values))
  const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 151 + length * 7 + 3) & 255)

  test('of every length past each of the hash’s four ways, to the last bit', () => {
    const all = strings(...Array.from({ length: 200 }, (_, length) => bytes(length)), bytes(5000))
    for (const num_buckets of [1, 2, 1000, 2 ** 31, 2n ** 62n]) {
      const attrs = new Attrs({ num_buckets })
      memory.begin()
      expect(call(table, 'StringToHashBucketFast', [all], attrs)).toEqual(
        call(reference, 'StringToHashBucketFast', [all], attrs),
      )
    }
  })

  test('of strings that lie in the middle of others’ bytes', () => {
    const { bytes: shared, offsets } = Strings.from([bytes(9), bytes(20), bytes(0), bytes(70)])
    const middle = tensor('string', [2, 1], new Strings(shared, offsets.subarray(1, 4)))
    const attrs = new Attrs({ num_buckets: 97 })
    memory.begin()
    expect(call(table, 'StringToHashBucketFast', [middle], attrs)).toEqual(
      call(reference, 'StringToHashBucketFast', [middle], attrs),
    )
  })

  test('of nothing, and of no buckets, as the reference says', () => {
    expect(call(table, 'StringToHashBucketFast', [strings()], new Attrs({ num_buckets: 3 })).shape).toEqual([0])
    const none = new Attrs({ num_buckets: 0 })
    expect(() => call(table, 'StringToHashBucketFast', [strings(bytes(3))], none)).toThrow(/num_buckets/)
  })
})

describe('linear memory', () => {
  test('asks no array for its buffer that starts at 0, as nothing here does', () => {
    const arena = new Memory(65536)
    arena.begin()
    const values = Float32Array.of(1, 2, 3)
    let asked = 0
    Object.defineProperty(values, 'buffer', {
      get() {
        asked++
        return arena.wasm.buffer
      },
    })
    expect(arena.holds(values)).toBe(false)
    expect(asked).toBe(0)
  })

  test('holds what it gave room for, and no other array at whatever place', () => {
    const arena = new Memory(65536)
    arena.begin()
    expect(arena.holds(arena.room(3) as Float32Array)).toBe(true)
    expect(arena.holds(Float32Array.of(1, 2, 3))).toBe(false)
    expect(arena.holds(new Float32Array(arena.wasm.buffer.byteLength / 4).subarray(512, 515))).toBe(false)
  })
})

describe('the table', () => {
  test('leaves integers, halves and refusals to the reference', () => {
    const ints = tensor('int32', [40], new Int32Array(40).fill(7))
    expect(call(table, 'Mul', [ints, ints])).toEqual(call(reference, 'Mul', [ints, ints]))
    expect(() => call(table, 'Add', [floats([40, 2]), floats([40, 3])])).toThrow(/Incompatible shapes/)
  })

  test('computes outside where the arena is full, and the next run has room', () => {
    const small = new Memory(65536)
    const values = floats([100_000])
    return compileKernels().then((module) => {
      const ops = withKernels(reference, instantiate(module, small.wasm), small)
      small.begin()
      const first = call(ops, 'Relu', [values])
      expect(small.holds(first.data as Float32Array)).toBe(false)
      small.begin()
      const second = call(ops, 'Relu', [values])
      expect(small.holds(second.data as Float32Array)).toBe(true)
      expect(second.data).toEqual(first.data)
    })
  })
})
