import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { bindingsFor } from '../../../src/engine/bindings.ts'
import { instantiate } from '../../../src/engine/kernels.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { withKernels } from '../../../src/engine/table.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { Attrs, constant, type OpTable } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'

// The layers along the steps of a sequence and over images, held against the reference; that a kernel ran, not the reference again, is
// seen by watching the reference.

let reference: OpTable
let table: OpTable
let memory: Memory
let module: WebAssembly.Module
let watched: OpTable
let byReference = 0

beforeAll(async () => {
  reference = await loadAllOps()
  memory = new Memory(1 << 22)
  watched = new Map(
    [...reference].map(([name, op]) => [
      name,
      {
        ...op,
        evaluate: (call: Parameters<typeof op.evaluate>[0]) => {
          byReference++
          return op.evaluate(call)
        },
      },
    ]),
  )
  module = await compileKernels()
  const kernels = instantiate(module, memory.wasm)
  table = withKernels(watched, kernels, memory, 1, await bindingsFor(new Set(reference.keys())))
})

function outputs(ops: OpTable, op: string, inputs: readonly Tensor[], attrs: Attrs): readonly Tensor[] {
  const node = { name: 'n', op, attrs, inputs: [], controls: [] }
  const result = ops.get(op)?.evaluate({ inputs, attrs, node, files: new Map(), run: () => [] })
  return (result !== undefined && 'dtype' in result ? [result] : result) as readonly Tensor[]
}

/**
 * How large numbers can get on the way to an output: of a convolution the sum of all products' magnitudes, of which each
 * order of adding rounds others.
 */
function magnitudeOf(op: string, inputs: readonly Tensor[]): number {
  if (!/^Conv2D/.test(op)) return 1
  const [x, filter] = inputs
    .slice(-2)
    .map(({ data }) => (data as Float32Array).reduce((most, v) => Math.max(most, Math.abs(v)), 0))
  return x * filter * (inputs[1].data.length / inputs[1].shape[op === 'Conv2D' ? 3 : 2])
}

/** The answers of both are the same, to a few units in the last place, and the first is a kernel's. */
function expectSame(
  op: string,
  inputs: readonly Tensor[],
  attributes: Readonly<Record<string, unknown>> = {},
  ops = table,
  arena = memory,
): void {
  const attrs = new Attrs(attributes as never)
  arena.begin()
  byReference = 0
  const [ours] = outputs(ops, op, inputs, attrs)
  const [theirs] = outputs(reference, op, inputs, attrs)
  const what = `${op} of ${inputs.map(({ shape }) => `[${shape}]`).join(', ')}`
  expect(byReference, `${what} ran on the reference`).toBe(0)
  expect(ours.shape, what).toEqual(theirs.shape)
  const [a, b] = [ours.data as Float32Array, theirs.data as Float32Array]
  const rounding = 3e-7 * magnitudeOf(op, inputs)
  for (let i = 0; i < b.length; i++) {
    const same =
      Object.is(a[i], b[i]) ||
      a[i] === b[i] ||
      Math.abs(a[i] - b[i]) <= Math.max(3e-6 * Math.max(1, Math.abs(b[i])), rounding)
    if (!same) expect.fail(`${what} [${i}]: kernel ${a[i]}, reference ${b[i]}`)
  }
}

const floats = (shape: readonly number[], seed = 1, scale = 3): Tensor =>
  tensor(
    'float32',
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      Math.fround(Math.sin(i * 12.9898 + seed) * scale),
    ),
  )
const ints = (...values: number[]): Tensor => tensor('int32', [values.length], Int32Array.from(values))

const size = (max: number) => fc.integer({ min: 1, max })
const axis = fc.constantFrom<'row' | 'column'>('row', 'column')
/** [batch, 1, steps, channels] or [batch, steps, 1, channels], and the same of a window, as Keras writes a sequence. */
const image = (along: 'row' | 'column', batch: number, steps: number, channels: number) =>
  along === 'row' ? [batch, 1, steps, channels] : [batch, steps, 1, channels]

describe('windows along the steps of a sequence', () => {
  const windows = fc.record({
    along: axis,
    batch: size(4),
    steps: size(12),
    channels: size(11),
    window: size(5),
    stride: size(3),
    padding: fc.constantFrom('SAME', 'VALID'),
  })
  /** VALID windows longer than the sequence leave nothing, which is the reference's to say. */
  const covers = (steps: number, span: number, padding: string) => padding === 'SAME' || span <= steps

  test('a convolution of every size, padding, stride and dilation', () => {
    fc.assert(
      fc.property(windows, size(9), size(3), ({ along, batch, steps, channels, window, stride, padding }, n, wide) => {
        const dilation = stride === 1 ? wide : 1
        fc.pre(covers(steps, (window - 1) * dilation + 1, padding))
        const filter = along === 'row' ? [1, window, channels, n] : [window, 1, channels, n]
        const at = (value: number) => image(along, 1, value, 1)
        expectSame('Conv2D', [floats(image(along, batch, steps, channels), window), floats(filter, 7, 1)], {
          strides: at(stride),
          dilations: at(dilation),
          padding,
        })
      }),
      { numRuns: 300 },
    )
  })

  test('a convolution of volumes of every size, padding and stride', () => {
    const sizes = fc.record({ planes: size(3), rows: size(3), columns: size(2) })
    const cases = fc.record({ padding: fc.constantFrom('SAME', 'VALID'), window: sizes, stride: sizes })
    fc.assert(
      fc.property(cases, size(2), size(5), size(6), size(7), ({ padding, window, stride }, batch, depth, deep, n) => {
        const [planes, rows, columns] = [window.planes, window.rows, window.columns]
        fc.pre(covers(deep, planes, padding))
        const x = floats([batch, deep, 4, 5, depth], planes)
        expectSame('Conv3D', [x, floats([planes, rows, columns, depth, n], 7, 0.1)], {
          strides: [1, stride.planes, stride.rows, stride.columns, 1],
          padding,
        })
      }),
      { numRuns: 150 },
    )
  })

  test('a convolution of more windows than are laid side by side at once', () => {
    expectSame('Conv2D', [floats([3, 1, 90, 60], 1, 1), floats([1, 5, 60, 4], 2, 0.1)], {
      strides: [1, 1, 1, 1],
      padding: 'SAME',
    })
  })

  test('a convolution of each channel by itself', () => {
    fc.assert(
      fc.property(windows, ({ along, batch, steps, channels, window, stride, padding }) => {
        fc.pre(covers(steps, window, padding))
        const filter = along === 'row' ? [1, window, channels, 1] : [window, 1, channels, 1]
        expectSame(
          'DepthwiseConv2dNative',
          [floats(image(along, batch, steps, channels), window), floats(filter, 7, 1)],
          { strides: [1, stride, stride, 1], padding },
        )
      }),
      { numRuns: 200 },
    )
  })

  test('the largest and the mean of each window', () => {
    fc.assert(
      fc.property(
        windows,
        fc.constantFrom('MaxPool', 'AvgPool'),
        ({ along, batch, steps, channels, window, stride, padding }, op) => {
          fc.pre(covers(steps, window, padding))
          expectSame(op, [floats(image(along, batch, steps, channels), window)], {
            ksize: image(along, 1, window, 1),
            strides: image(along, 1, stride, 1),
            padding,
          })
        },
      ),
      { numRuns: 300 },
    )
  })

  test('NaN and infinities in a window', () => {
    const edges = [Number.NaN, 1, Number.POSITIVE_INFINITY, -2, Number.NEGATIVE_INFINITY, 0, -0, 5, 1e-40]
    const x = tensor(
      'float32',
      [1, 1, 20, 5],
      Float32Array.from({ length: 100 }, (_, i) => edges[(i * 7) % 9]),
    )
    for (const op of ['MaxPool', 'AvgPool'])
      expectSame(op, [x], { ksize: [1, 1, 3, 1], strides: [1, 1, 2, 1], padding: 'SAME' })
    expectSame('DepthwiseConv2dNative', [x, floats([1, 2, 5, 1])], { strides: [1, 1, 1, 1], padding: 'VALID' })
    expectSame('Conv2D', [x, floats([1, 2, 5, 3])], { strides: [1, 1, 1, 1], padding: 'SAME' })
  })
})

describe('windows over images', () => {
  const side = fc.record({ length: size(9), window: size(4), stride: size(3), dilation: size(2) })
  const images = fc.record({ batch: size(3), down: side, across: side, padding: fc.constantFrom('SAME', 'VALID') })
  type Side = { length: number; window: number }
  const covers = ({ length, window }: Side, dilation: number, padding: string) =>
    padding === 'SAME' || (window - 1) * dilation + 1 <= length
  const channels = fc.constantFrom(1, 2, 3, 4, 7, 16, 19, 33)

  test('a convolution of every size, padding, stride and dilation', () => {
    fc.assert(
      fc.property(images, channels, size(35), fc.boolean(), ({ batch, down, across, padding }, depth, n, dilated) => {
        const [strides, dilations] = dilated
          ? [
              [1, 1, 1, 1],
              [1, down.dilation, across.dilation, 1],
            ]
          : [
              [1, down.stride, across.stride, 1],
              [1, 1, 1, 1],
            ]
        fc.pre(covers(down, dilations[1], padding) && covers(across, dilations[2], padding))
        const x = floats([batch, down.length, across.length, depth], down.window, 1)
        expectSame('Conv2D', [x, floats([down.window, across.window, depth, n], 7, 0.1)], {
          strides,
          dilations,
          padding,
        })
      }),
      { numRuns: 300 },
    )
  })

  test('a convolution whose filter stays in panels, of one window and more', async () => {
    const bindings = await bindingsFor(new Set(['Conv2D']))
    const images = fc.record({ batch: size(2), rows: size(5), columns: size(5), depth: size(9), n: size(35) })
    fc.assert(
      fc.property(images, size(3), ({ batch, rows, columns, depth, n }, window) => {
        const filters = [window, window + 1].map((width) => floats([window, width, depth, n], 7, 0.1))
        const nodes = filters.flatMap((filter) => {
          const node = constant('filter', filter)
          const value = { node, index: 0 }
          return [node, { name: 'n', op: 'Conv2D', attrs: Attrs.none, inputs: [value, value], controls: [] }]
        })
        const packed = new Memory(1 << 16)
        const graph = { parameters: [], nodes, outputs: [] }
        const own = withKernels(watched, instantiate(module, packed.wasm), packed, 1, bindings, [graph])
        for (const filter of filters)
          expectSame(
            'Conv2D',
            [floats([batch, rows, columns, depth], 3, 1), filter],
            { strides: [1, 1, 1, 1], padding: 'SAME' },
            own,
            packed,
          )
      }),
      { numRuns: 60 },
    )
  })

  test('a transposed convolution of every size, padding, stride and dilation', () => {
    fc.assert(
      fc.property(images, channels, size(35), fc.boolean(), ({ batch, down, across, padding }, depth, n, dilated) => {
        const [strides, dilations] = dilated
          ? [
              [1, 1, 1, 1],
              [1, down.dilation, across.dilation, 1],
            ]
          : [
              [1, down.stride, across.stride, 1],
              [1, 1, 1, 1],
            ]
        fc.pre(covers(down, dilations[1], padding) && covers(across, dilations[2], padding))
        const span = (side: typeof down, i: number) =>
          padding === 'SAME' ? side.length : side.length - (side.window - 1) * dilations[i]
        const count = (side: typeof down, i: number) => Math.ceil(span(side, i) / strides[i])
        const x = floats([batch, count(down, 1), count(across, 2), n], down.window, 1)
        const filter = floats([down.window, across.window, depth, n], 7, 0.1)
        for (const sizes of [
          [batch, down.length, across.length, depth],
          [down.length, across.length],
        ]) {
          const asked = tensor('int32', [sizes.length], Int32Array.from(sizes))
          expectSame('Conv2DBackpropInput', [asked, filter, x], { strides, dilations, padding })
        }
      }),
      { numRuns: 200 },
    )
  })

  test('a transposed convolution of more windows than are laid side by side at once', () => {
    const sizes = tensor('int32', [4], Int32Array.of(3, 40, 18, 24))
    expectSame('Conv2DBackpropInput', [sizes, floats([5, 5, 24, 4], 2, 0.1), floats([3, 40, 9, 4], 1, 1)], {
      strides: [1, 1, 2, 1],
      padding: 'SAME',
    })
  })

  test('a convolution with margins that the caller says', () => {
    expectSame('Conv2D', [floats([2, 5, 7, 3]), floats([3, 2, 3, 5], 2)], {
      strides: [1, 2, 1, 1],
      padding: 'EXPLICIT',
      explicit_paddings: [0, 0, 2, 1, 0, 3, 0, 0],
    })
  })

  test('a convolution of one pixel, and of more windows than are laid side by side at once', () => {
    for (const rows of [1, 3, 6])
      expectSame('Conv2D', [floats([2, rows, 5, 24]), floats([1, 1, 24, 18], 2)], {
        strides: [1, 1, 1, 1],
        padding: 'SAME',
      })
    expectSame('Conv2D', [floats([3, 40, 9, 24], 1, 1), floats([5, 5, 24, 4], 2, 0.1)], {
      strides: [1, 1, 1, 1],
      padding: 'SAME',
    })
  })

  test('a convolution of each channel by itself', () => {
    fc.assert(
      fc.property(images, channels, ({ batch, down, across, padding }, depth) => {
        fc.pre(covers(down, 1, padding) && covers(across, 1, padding))
        const x = floats([batch, down.length, across.length, depth], down.window)
        expectSame('DepthwiseConv2dNative', [x, floats([down.window, across.window, depth, 1], 7, 1)], {
          strides: [1, down.stride, down.stride, 1],
          padding,
        })
      }),
      { numRuns: 200 },
    )
  })

  test('the largest and the mean of each window', () => {
    fc.assert(
      fc.property(
        images,
        channels,
        fc.constantFrom('MaxPool', 'AvgPool'),
        ({ batch, down, across, padding }, depth, op) => {
          fc.pre(covers(down, 1, padding) && covers(across, 1, padding))
          expectSame(op, [floats([batch, down.length, across.length, depth], down.window)], {
            ksize: [1, down.window, across.window, 1],
            strides: [1, down.stride, across.stride, 1],
            padding,
          })
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('reductions', () => {
  const axes = [[2], [1], [0], [-1], [1, 2], [0, 1, 2], [-1, 1]]
  test.each(['Sum', 'Mean', 'Max', 'Min'])('%s over the last axes and over the steps', (op) => {
    for (const keep_dims of [false, true]) {
      for (const shape of [
        [2, 5, 7],
        [3, 1, 4],
        [1, 6, 16],
        [4, 9, 1],
        [5, 3, 35],
      ])
        for (const some of axes) expectSame(op, [floats(shape), ints(...some)], { keep_dims })
      expectSame(op, [floats([3, 4, 2, 5]), ints(1)], { keep_dims })
      expectSame(op, [floats([3, 7, 2, 1]), ints(1, 3)], { keep_dims })
      expectSame(op, [floats([3, 7]), tensor('int32', [], Int32Array.of(0))], { keep_dims })
      expectSame(op, [floats([2, 3, 4, 5]), ints(1, 2)], { keep_dims })
      expectSame(op, [floats([2, 3, 1, 5]), ints(2, 1)], { keep_dims })
      expectSame(op, [floats([2, 1, 4, 3, 5]), ints(1, 2, 3)], { keep_dims })
    }
  })

  test.each(['Sum', 'Mean', 'Max', 'Min'])('%s of NaN and infinities', (op) => {
    const edges = [1, Number.NaN, 2, Number.POSITIVE_INFINITY, 3, Number.NEGATIVE_INFINITY, -0, 0]
    for (let shift = 0; shift < 5; shift++) {
      const x = tensor(
        'float32',
        [3, 4, 6],
        Float32Array.from({ length: 72 }, (_, i) => edges[(i * 5 + shift) % (3 + shift)]),
      )
      for (const some of [[1], [2]]) expectSame(op, [x, ints(...some)])
    }
  })

  test('a wrong axis is refused', () => {
    const wrong =
      (...some: number[]) =>
      () =>
        outputs(table, 'Sum', [floats([4, 40]), ints(...some)], Attrs.none)
    expect(wrong(2)).toThrow(/Invalid reduction/)
    expect(wrong(1, 1)).toThrow(/duplicate/)
    expect(wrong(-3)).toThrow(/Invalid reduction/)
  })
})

describe('segments', () => {
  test.each(['SegmentSum', 'SegmentMean'])('%s, some empty, of rows of every width', (op) => {
    for (let n = 1; n <= 18; n++) expectSame(op, [floats([6, n], n), ints(0, 0, 2, 2, 2, 5)])
    expectSame(op, [floats([3, 2, 4]), tensor('int64', [3], BigInt64Array.of(1n, 1n, 3n))])
    expect(() => outputs(table, op, [floats([3, 9]), ints(1, 0, 2)], Attrs.none)).toThrow(/not increasing/)
    expect(() => outputs(table, op, [floats([3, 9]), ints(-1, 0, 2)], Attrs.none)).toThrow(/>= 0/)
  })

  test('UnsortedSegmentSum in any order, negative ids in none', () => {
    const count = (n: number): Tensor => tensor('int32', [], Int32Array.of(n))
    for (let n = 1; n <= 18; n++)
      expectSame('UnsortedSegmentSum', [floats([6, n], n), ints(3, 0, -1, 3, 1, 0), count(5)])
    expectSame('UnsortedSegmentSum', [floats([2, 9]), ints(-1, -5), count(3)])
    expect(() => outputs(table, 'UnsortedSegmentSum', [floats([2, 9]), ints(0, 3), count(3)], Attrs.none)).toThrow(
      /out of range/,
    )
  })
})

describe('normalisation of a batch by the moments that training left', () => {
  const expectNormalised = (shape: number[]) => {
    const [n] = shape.slice(-1)
    const variance = tensor('float32', [n], (floats([n], 6).data as Float32Array).map(Math.abs))
    const inputs = [floats(shape, n), floats([n], 3), floats([n], 4), floats([n], 5), variance]
    expectSame('FusedBatchNormV3', inputs, { is_training: false, epsilon: 1e-3 })
  }

  test('of images of every number of channels', () => {
    for (let n = 1; n <= 35; n++) expectNormalised([2, 3, 2, n])
  })

  test('of images and pixels larger than what is taken at once', () => {
    expectNormalised([3, 20, 41, 7])
    expectNormalised([1, 3, 1, 4099])
  })
})

describe('normalisation as Keras 2 writes that of a layer', () => {
  const asImage = (rows: number, n: number, x: Tensor) => tensor('float32', [1, rows, n, 1], x.data as Float32Array)
  const none = tensor('float32', [0], new Float32Array(0))
  const attrs = { is_training: true, data_format: 'NCHW', epsilon: 1e-3, exponential_avg_factor: 1 }

  test('of rows of every width, scaled or not', () => {
    for (let n = 1; n <= 35; n++) {
      const rows = 3
      const ones = tensor('float32', [rows], new Float32Array(rows).fill(1))
      const zeros = tensor('float32', [rows], new Float32Array(rows))
      const x = asImage(rows, n, floats([rows, n], n))
      expectSame('FusedBatchNormV3', [x, ones, zeros, none, none], attrs)
      expectSame('FusedBatchNormV3', [x, floats([rows], 3), floats([rows], 4), none, none], attrs)
    }
  })

  test("whose moments are the reference's where somebody asks for them", () => {
    const x = asImage(4, 9, floats([4, 9], 2))
    const inputs = [x, floats([4], 3), floats([4], 4), none, none]
    memory.begin()
    const [ours, theirs] = [
      outputs(table, 'FusedBatchNormV3', inputs, new Attrs(attrs)),
      outputs(reference, 'FusedBatchNormV3', inputs, new Attrs(attrs)),
    ]
    expect(ours.length).toBe(theirs.length)
    for (const i of [1, 2]) expect(ours[i]).toEqual(theirs[i])
  })
})

describe('layer normalisation as one op', () => {
  const attrs = { epsilon: 1e-3, first: -1, last: -1 }
  const factors = (n: number) => [floats([n], 5), floats([n], 7)]

  test('at every tail', () => {
    for (let n = 1; n <= 40; n++) expectSame('twotower>LayerNorm', [floats([5, n], n), ...factors(n)], attrs)
    expectSame('twotower>LayerNorm', [floats([2, 3, 9]), ...factors(9)], { ...attrs, first: 2, last: 2 })
  })

  test('of what is none, not finite, denormal, or overflows when squared', () => {
    const { NaN: none, POSITIVE_INFINITY: infinity } = Number
    const rows = [none, 1, 2, 3, 4, infinity, 1, 2, 3, 4, 1e-40, 0, -1e-40, -0, 0, 2e19, -2e19, 1e19, 0, 3e19]
    const x = tensor('float32', [4, 5], Float32Array.from(rows))
    expectSame('twotower>LayerNorm', [x, ...factors(5)], attrs)
  })

  test("over another axis than the last is the reference's", () => {
    const inputs = [floats([4, 5, 3]), ...factors(3)]
    memory.begin()
    byReference = 0
    outputs(table, 'twotower>LayerNorm', inputs, new Attrs({ ...attrs, first: 1, last: 1 }))
    expect(byReference).toBe(1)
  })
})

test('products of many matrices by one', () => {
  for (const adj_y of [false, true])
    for (const [batch, m, k, n] of [
      [2, 3, 4, 5],
      [5, 7, 16, 9],
      [1, 1, 1, 1],
    ])
      expectSame('BatchMatMulV2', [floats([batch, m, k]), floats(adj_y ? [n, k] : [k, n], 5)], { adj_y })
  expectSame('BatchMatMulV2', [floats([2, 3, 4, 6]), floats([6, 5], 5)])
  expectSame('BatchMatMulV2', [floats([2, 3, 4, 6]), floats([1, 6, 5], 5)])
})

test('a bias for the last axis', () => {
  for (let n = 1; n <= 20; n++) expectSame('BiasAdd', [floats([3, 2, n], n), floats([n], 5)])
})
