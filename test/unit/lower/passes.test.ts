import { describe, expect, test } from 'vitest'
import { type Dim, handle, type Port, Program, type Value } from '../../../src/graph/index.ts'
import { lower } from '../../../src/lower/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { StaticTable } from '../../../src/ops/tables/static.ts'
import { type DType, Strings, type Tensor, tensor } from '../../../src/tensor/index.ts'
import { float, floats, held, input, ints, op, signature } from '../graph/build.ts'

// No pass changes what is computed: each lowered graph is held against the graph that it was made of.

const ops = await loadAllOps()

/** Lowers `make` of the inputs, evaluates both graphs, and gives the ops that are left. */
function lowered(
  ports: readonly Port[],
  make: (inputs: readonly Value[]) => Value,
  cases: readonly Tensor[][],
): string[] {
  const parameters = ports.map(({ name, dtype, shape }) => ({ ...input(name), dtype, shape }))
  const whole = signature('serving_default', parameters, { out: [make(parameters), null] })
  const before = { ...whole, inputs: ports }
  const definition = {
    source: 'test',
    signatures: [before],
    towers: { query: null, candidate: null, similarity: null, joint: null, notes: [] },
  }
  const { graph } = lower(definition, ops).signatures[0]
  for (const inputs of cases) {
    const outcome = (program: Program) => {
      try {
        return program.run(inputs)[0]
      } catch (error) {
        return (error as Error).constructor.name
      }
    }
    const [wanted, got] = [outcome(new Program(whole.graph, ops)), outcome(new Program(graph, ops))]
    if (typeof wanted === 'string' || typeof got === 'string') expect(got).toBe(wanted)
    else {
      expect(got.shape).toEqual(wanted.shape)
      const [a, b] = [got.data as Float32Array, wanted.data as Float32Array]
      b.forEach((value, i) => {
        if (Number.isNaN(value)) expect(a[i]).toBeNaN()
        else if (a[i] !== value) expect(Math.abs(a[i] - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)))
      })
    }
  }
  return graph.nodes.map((node) => node.op).filter((name) => name !== 'Const' && name !== 'Parameter')
}

const port = (name: string, dtype: DType, shape: readonly Dim[] | null): Port => ({ name, dtype, shape })
const ids = (shape: readonly number[], ...values: number[]): Tensor =>
  tensor('int64', shape, BigInt64Array.from(values, BigInt))
const matrix = (rows: number, width: number): Tensor =>
  tensor(
    'float32',
    [rows, width],
    Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i * 7 + 1)),
  )

const cube = (...shape: number[]): Tensor => {
  const [rows, ...rest] = shape
  const width = rest.reduce((a, b) => a * b, 1)
  return { ...matrix(rows, width), shape } as Tensor
}

const ints64 = (value: number): Value => held(tensor('int64', [], BigInt64Array.of(BigInt(value))))

describe('the number of bins', () => {
  const binned = (maximum: Value, least: Value) => (inputs: readonly Value[]) => {
    const [x] = inputs
    const largest = op('Cast', [op('AddV2', [op('Max', [x, ints(0, 1)]), ints64(1)])], { DstT: 'int64' })
    return op('DenseBincount', [x, op('Minimum', [maximum, op('Maximum', [least, largest])]), floats([0])], {
      binary_output: true,
    })
  }
  const cases = [[ids([2, 3], 0, 1, 4, 2, 2, 2)], [ids([1, 2], 9, 0)], [ids([0, 2])]]
  const x = port('x', 'int64', [null, null])

  test('is not looked for where both bounds are one number', () => {
    expect(lowered([x], binned(ints64(5), ints64(5)), cases)).toEqual(['DenseBincount'])
  })

  test('is looked for where they differ', () => {
    expect(lowered([x], binned(ints64(5), ints64(2)), cases)).toContain('Max')
  })

  const settled = (x: Value) => op('Minimum', [ints64(3), op('Maximum', [ints64(3), op('Max', [x, ints(0)])])])
  const splits = port('splits', 'int64', [null])
  const values = port('values', 'int64', [null])
  const ragged = [
    [ids([3], 0, 2, 4), ids([4], 0, 2, 1, 9)],
    [ids([1], 0), ids([0])],
    [ids([2], 0, 1), ids([1], -1)],
  ]

  test('is not looked for among ragged and sparse values either', () => {
    const counted = ([splits, values]: readonly Value[]) =>
      op('RaggedBincount', [splits, values, settled(values), floats([0])])
    expect(lowered([splits, values], counted, ragged)).toEqual(['RaggedBincount'])
    const places = port('places', 'int64', [null, 2])
    const shape = held(tensor('int64', [2], BigInt64Array.of(2n, 9n)))
    const sparse = ([places, values]: readonly Value[]) =>
      op('SparseBincount', [places, values, shape, settled(values), floats([0])])
    expect(lowered([places, values], sparse, [[ids([3, 2], 0, 0, 1, 2, 1, 3), ids([3], 2, 2, 7)]])).toEqual([
      'SparseBincount',
    ])
  })

  test('is none of the values, though one number is all that they can be', () => {
    const bounded = (x: Value) => op('Minimum', [ints64(1), op('Maximum', [ints64(1), x])])
    const counted = ([splits, values]: readonly Value[]) =>
      op('RaggedBincount', [splits, bounded(values), ints64(4), floats([0])])
    expect(lowered([splits, values], counted, ragged)).toEqual(['Maximum', 'Minimum', 'RaggedBincount'])
  })
})

describe('pooling', () => {
  const table = held(matrix(4, 3))
  const looked = (x: Value) => op('GatherV2', [table, x, ints(0)])
  const cases = [
    [ids([2, 3], 0, 1, 3, 2, 2, 2), matrix(2, 3)],
    [ids([1, 3], 3, 0, 1), tensor('float32', [1, 3], Float32Array.of(1, 0, 0))],
    [ids([0, 3]), matrix(0, 3)],
    [ids([2, 0]), matrix(2, 0)],
    [ids([1, 3], 4, 0, 1), matrix(1, 3)],
    [ids([1, 3], 0, -1, 1), matrix(1, 3)],
  ]
  const inputs = [port('ids', 'int64', [null, null]), port('mask', 'float32', [null, null])]

  test('of all rows, as a sum and as a mean', () => {
    for (const reduction of ['Sum', 'Mean']) {
      const made = lowered(
        [inputs[0]],
        ([x]) => op(reduction, [looked(x), ints(1)]),
        cases.map(([x]) => [x]),
      )
      expect(made).toEqual(['twotower>PoolRows'])
    }
  })

  test('of masked rows, whichever way the mask is spread', () => {
    const spreads = [
      (mask: Value) => op('ExpandDims', [mask, ints(-1)]),
      (mask: Value) => op('ExpandDims', [mask, ints(2)]),
      (mask: Value) =>
        op('StridedSlice', [mask, ints(0, 0, 0), ints(0, 0, 0), ints(1, 1, 1)], {
          new_axis_mask: 4,
          begin_mask: 3,
          end_mask: 3,
        }),
    ]
    for (const spread of spreads) {
      const made = lowered(inputs, ([x, mask]) => op('Sum', [op('Mul', [looked(x), spread(mask)]), ints(1)]), cases)
      expect(made).toEqual(['twotower>PoolRows'])
    }
  })

  test('of ids and masks of other shapes is what the ops would have said', () => {
    const odd = [
      [ids([2, 1, 2], 0, 1, 2, 3), matrix(2, 1)],
      [ids([3], 0, 1, 2), matrix(3, 1)],
      [ids([2, 3], 0, 1, 3, 2, 2, 2), matrix(1, 3)],
      [ids([2, 3], 0, 1, 3, 2, 2, 2), matrix(2, 2)],
    ]
    const open = inputs.map((each) => ({ ...each, shape: null }))
    // Weights of the places alone, and a mask of several places a step, of as many as a row has numbers.
    const more = [
      [ids([2, 3], 0, 1, 3, 2, 2, 2), cube(3)],
      [ids([2, 2, 3], 0, 1, 3, 2, 2, 2, 1, 1, 0, 3, 3, 0), cube(2, 2, 3)],
    ]
    for (const axis of [2, -1])
      lowered(open, ([x, mask]) => op('Sum', [op('Mul', [looked(x), op('ExpandDims', [mask, ints(axis)])]), ints(1)]), [
        ...odd,
        ...more,
      ])
  })

  test('of a table that holds an infinity keeps the NaN that a mask of 0 makes of it', () => {
    const infinite = floats([2, 1], Number.POSITIVE_INFINITY, 1)
    const x = [ids([2, 2], 0, 1, 1, 1), tensor('float32', [2, 2], Float32Array.of(0, 1, 0, 1))]
    const pooled = ([given, mask]: readonly Value[]) =>
      op('Sum', [op('Mul', [op('GatherV2', [infinite, given, ints(0)]), op('ExpandDims', [mask, ints(2)])]), ints(1)])
    expect(lowered(inputs, pooled, [x])).toEqual(['twotower>PoolRows'])
  })
})

describe('l2_normalize along axis 1', () => {
  const normalized = ([x]: readonly Value[]) =>
    op('Mul', [
      x,
      op('Rsqrt', [op('Maximum', [op('Sum', [op('Square', [x]), ints(1)], { keep_dims: true }), float(1e-12)])]),
    ])

  test('is one op where the input is known to be a matrix', () => {
    expect(lowered([port('x', 'float32', [null, 5])], normalized, [[matrix(3, 5)], [matrix(0, 5)]])).toEqual([
      'twotower>L2Normalize',
    ])
  })

  test('stays what it is where the rank is not known', () => {
    const cube = tensor('float32', [2, 2, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8))
    expect(lowered([port('x', 'float32', null)], normalized, [[cube]])).toContain('Rsqrt')
  })
})

describe('the words of texts to ids', () => {
  const text = (value: string): Value => held(tensor('string', [], Strings.from([value])))
  const strings = (...values: readonly (string | Uint8Array)[]): Tensor =>
    tensor('string', [values.length], Strings.from(values))
  const vocabulary = ['the', 'a', 'é', 'scream', '30', 'ab', 'A', '\u00a0', '!']
  const table = new StaticTable('words', 'string', 'int64')
  table.insert(
    strings(...vocabulary),
    tensor(
      'int64',
      [vocabulary.length],
      BigInt64Array.from(vocabulary, (_, i) => BigInt(i + 2)),
    ),
  )
  const lower = (x: Value, encoding = '') => op('StringLower', [x], { encoding })
  const without = (x: Value, pattern: string, rewrite = '') =>
    op('StaticRegexReplace', [x], { pattern, rewrite, replace_global: true })
  const PUNCTUATION = '[!"#$%&()\\*\\+,-\\./:;<=>?@\\[\\\\\\]^_`{|}~\\\']'

  const vector = (value: number): Value => held(tensor('int32', [1], Int32Array.of(value)))

  /** As Keras exports TextVectorization with output_mode 'int'. */
  function vectorized(standardised: Value, { width = -1, separator = '', mask = '', padding = 0 } = {}): Value {
    const split = op('StringSplitV2', [standardised, text(separator)], { maxsplit: -1 })
    const [indices, words, shape] = [0, 1, 2].map((index) => ({ ...split, index }))
    const found = op('LookupTableFindV2', [held(handle(table)), words, ints64(1)], { Tin: 'string', Tout: 'int64' })
    const values = op('SelectV2', [op('Equal', [words, text(mask)]), ints64(9), found])
    const count = op('StridedSlice', [shape, vector(0), vector(1), vector(1)], { shrink_axis_mask: 1 })
    const rows = op('StridedSlice', [indices, ints(0, 0), ints(0, 1), ints(1, 1)], {
      begin_mask: 1,
      end_mask: 1,
      shrink_axis_mask: 2,
    })
    const wanted = held(tensor('int64', [2], BigInt64Array.of(-1n, BigInt(width))))
    const dense = op('RaggedTensorToTensor', [wanted, values, ints64(padding), count, rows], {
      row_partition_types: ['FIRST_DIM_SIZE', 'VALUE_ROWIDS'],
    })
    return op('Cast', [dense], { DstT: 'float32', SrcT: 'int64' })
  }

  const texts = [
    [strings('The Scream', '', '   ', "a!b 30, it's THE end", '!!! ?', 'é É\u00a0a \u3000', 'a\tb\nc\vd\fe\rf')],
    [strings('the\0a the', Uint8Array.of(0xff, 0x20, 0x41, 0xc3), '👩‍👩‍👧 e\u0301', 'x '.repeat(40))],
    [strings()],
    [strings('')],
    [tensor('string', [1, 1], Strings.from(['the']))],
    [tensor('string', [], Strings.from(['the']))],
  ]
  const x = port('text', 'string', null)
  const FUSED = ['twotower>WordIds', 'Cast']

  test('are one op, whatever of the standardisation there is, padded to a width or to the longest', () => {
    for (const width of [-1, 0, 1, 3, 50]) {
      const made = (standardise: (x: Value) => Value) =>
        lowered([x], ([x]) => vectorized(standardise(x), { width, padding: width === 3 ? -7 : 0 }), texts)
      expect(made((x) => x)).toEqual(FUSED)
      expect(made(lower)).toEqual(FUSED)
      expect(made((x) => without(x, PUNCTUATION))).toEqual(FUSED)
      expect(made((x) => without(lower(x), PUNCTUATION))).toEqual(FUSED)
      expect(made((x) => without(lower(x), '[a ]'))).toEqual(FUSED)
      expect(made((x) => without(lower(x), '\\s+'))).toEqual(FUSED)
    }
  })

  test('are what lies between white space of the rest, where more than bytes is asked for', () => {
    for (const standardise of [
      (x: Value) => lower(x, 'utf-8'),
      (x: Value) => without(x, '[^a-z ]'),
      (x: Value) => without(x, '[!]', ' '),
      (x: Value) => lower(without(x, '[A]')),
      (x: Value) => without(without(x, 'th.'), '[!]'),
    ]) {
      const made = lowered([x], ([x]) => vectorized(standardise(x)), texts)
      expect(made).toContain('twotower>WordIds')
      expect(made.length).toBeGreaterThan(FUSED.length)
    }
  })

  test('stay the ops they are where the split is at a separator, or a word is masked', () => {
    for (const options of [{ separator: ',' }, { mask: 'a' }])
      expect(lowered([x], ([x]) => vectorized(x, options), texts)).toContain('RaggedTensorToTensor')
  })
})

describe('zeros in the shape of something', () => {
  const x = port('x', 'float32', [null, 3, 5])
  const rows = (of: Value) =>
    op('StridedSlice', [op('Shape', [of]), floors(0), floors(1), floors(1)], { shrink_axis_mask: 1 })
  const floors = (...values: number[]): Value => held(tensor('int32', [values.length], Int32Array.from(values)))
  const ones = (of: Value, width: number) => op('Fill', [op('Pack', [rows(of), ints(width)]), float(1)])
  /** The first step of a recurrent layer of four units, and zeros and ones of its shape. */
  const begun =
    (units: number, kernel: readonly number[]) =>
    ([x]: readonly Value[]): Value => {
      const first = op('StridedSlice', [op('Transpose', [x, ints(1, 0, 2)]), floors(0), floors(1), floors(1)], {
        shrink_axis_mask: 1,
      })
      const before = ones(x, units)
      const product = op('MatMul', [first, held(cube(...kernel))])
      const gates = op('Split', [ints(1), op('BiasAdd', [product, floats([kernel[1]], ...Array(kernel[1]).fill(1))])], {
        num_split: 2,
      })
      const state = op('Mul', [op('Sigmoid', [{ ...gates, index: 1 }]), op('Tanh', [op('AddV2', [gates, before])])])
      return op('AddV2', [before, op('ZerosLike', [state])])
    }

  test('are in that of what has the same one', () => {
    const left = lowered([x], begun(4, [5, 8]), [[cube(2, 3, 5)], [cube(1, 3, 5)], [cube(0, 3, 5)]])
    expect(left.sort()).toEqual(['AddV2', 'Fill', 'Pack', 'Shape', 'StridedSlice', 'ZerosLike'])
  })

  test('leaves ops alone that are called as what every object has', () => {
    for (const name of ['toString', 'constructor', 'hasOwnProperty'])
      expect(
        lowered(
          [port('x', 'float32', [null, 3])],
          ([x]) => op('AddV2', [op(name, [x]), op('ZerosLike', [op(name, [x])])]),
          [[tensor('float32', [1, 3], new Float32Array(3))]],
        ),
      ).toContain(name)
  })

  test('wait for what may be refused: shapes that do not fit, no step, an id past the table', () => {
    expect(lowered([x], begun(3, [5, 8]), [[cube(2, 3, 5)]])).toContain('Tanh')
    expect(lowered([x], begun(4, [4, 8]), [[cube(2, 3, 5)]])).toContain('Tanh')
    const steps = port('x', 'float32', [null, null, 5])
    expect(lowered([steps], begun(4, [5, 8]), [[cube(2, 0, 5)], [cube(2, 1, 5)]])).toContain('Tanh')
    const found = ([ids]: readonly Value[]): Value =>
      op('AddV2', [ones(ids, 3), op('ZerosLike', [op('Tanh', [op('GatherV2', [held(matrix(4, 3)), ids, ints(0)])])])])
    expect(lowered([port('x', 'int64', [null])], found, [[ids([2], 0, 3)], [ids([1], 4)]])).toContain('GatherV2')
  })
})

describe('what is computed twice', () => {
  const x = port('x', 'float32', [null, 3])
  const wild = Float32Array.of(Number.NaN, -0, 0, 1e-40, Number.POSITIVE_INFINITY, 2)
  const cases = [[matrix(4, 3)], [tensor('float32', [2, 3], wild)], [matrix(0, 3)]]

  test('is computed once, with all outputs, whatever node each constant is', () => {
    const half = (x: Value, index: number) => ({ ...op('Split', [ints(1), op('Tanh', [x])], { num_split: 3 }), index })
    const made = lowered([x], ([x]) => op('Mul', [half(x, 1), op('Sub', [half(x, 2), half(x, 1)])]), cases)
    expect(made).toEqual(['Tanh', 'Split', 'Sub', 'Mul'])
  })

  test('stays twice where an attribute, a zero’s sign or chance tells it apart', () => {
    const sums = [true, false].map((keep_dims) => (x: Value) => op('Sum', [x, ints(-1, 0)], { keep_dims }))
    expect(lowered([x], ([x]) => op('Sub', [sums[0](x), sums[1](x)]), cases)).toEqual(['Sum', 'Sum', 'Sub'])
    const zeros = [0, -0].map((zero) => (x: Value) => op('RealDiv', [x, float(zero)]))
    expect(lowered([x], ([x]) => op('Maximum', [zeros[0](x), zeros[1](x)]), cases)).toEqual([
      'RealDiv',
      'RealDiv',
      'Maximum',
    ])
    const chance = () => op('RandomUniform', [ints(1, 1)], { dtype: 'float32', T: 'int32' })
    const drawn = ([x]: readonly Value[]) => op('AddV2', [x, op('Mul', [op('Sub', [chance(), chance()]), float(0)])])
    expect(lowered([x], drawn, [[matrix(4, 3)]]).filter((name) => name === 'RandomUniform')).toHaveLength(2)
  })
})
