import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Graph, Program, type Value } from '../../../src/graph/index.ts'
import { lower } from '../../../src/lower/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { isWritable, WRITABLE } from '../../../src/reference/onnx.ts'
import { ONNX_RUNTIMES, onnxGraph } from '../../../src/reference/onnxruntime.ts'
import { OPS, startTfjs, tfjsGraph } from '../../../src/reference/tfjs.ts'
import { type Tensor, type TensorOf, tensor } from '../../../src/tensor/index.ts'
import { held, input, ints, op, signature } from '../graph/build.ts'

const ops = await loadAllOps()
const tf = await startTfjs()
/** Where the peers of the benchmarks are installed. */
const peers = fileURLToPath(new URL('../../../bench/package.json', import.meta.url))

/** Numbers of [low, 1), the same each time. */
const matrix = (rows: number, width: number, low = -1, seed = 1): TensorOf<'float32'> =>
  tensor(
    'float32',
    [rows, width],
    Float32Array.from(
      { length: rows * width },
      (_, i) => low + ((1 - low) * (Math.imul(i + seed, 0x9e3779b1) >>> 0)) / 2 ** 32,
    ),
  )
const vector = (width: number, low = -1): Tensor => tensor('float32', [width], matrix(1, width, low).data)

/** A graph of an input of `k` columns, as it is or lowered. */
function graphOf(make: (x: Value) => Value, k: number, fused = false): Graph {
  const x = input('x')
  const made = signature('serving_default', [x], { out: [make(x), null] })
  const shaped = { ...made, inputs: [{ name: 'x', dtype: 'float32' as const, shape: [null, k] }] }
  const towers = { query: null, candidate: null, similarity: null, joint: null, notes: [] }
  const definition = { source: 'test', signatures: [shaped], towers }
  return fused ? lower(definition, ops).signatures[0].graph : shaped.graph
}

const [k, n] = [9, 21]
const layer = (activation: string | null, bias: readonly number[] = [n], attrs = {}) =>
  graphOf(
    (x) => {
      const product = op('MatMul', [x, held(matrix(k, n))])
      const shifted = op('AddV2', [product, held({ ...vector(n), shape: bias } as Tensor)])
      return activation === null ? shifted : op(activation, [shifted], attrs)
    },
    k,
    true,
  )
const unary = (name: string, attrs = {}) => graphOf((x) => op(name, [x], attrs), k)
const binary = (name: string) => graphOf((x) => op(name, [x, held(vector(k, 0.5))]), k)

/** Graphs by the op that each is about; the lowest number of their inputs where it is not −1. */
const GRAPHS: readonly (readonly [name: string, graph: Graph, low?: number])[] = [
  ['twotower>Dense', layer(null)],
  ...['Relu', 'Relu6', 'Sigmoid', 'Tanh', 'Elu', 'Selu', 'Softplus'].map(
    (name) => [`twotower>Dense with ${name}`, layer(name)] as const,
  ),
  ['twotower>Dense with LeakyRelu', layer('LeakyRelu', [n], { alpha: 0.3 })],
  ['twotower>Dense with a bias of one row', layer('Relu', [1, n])],
  ['twotower>Dense without a bias', graphOf((x) => op('MatMul', [x, held(matrix(k, n))]), k, true)],
  ['twotower>L2Normalize', graphOf((x) => op('twotower>L2Normalize', [x], { epsilon: 1e-12 }), k)],
  [
    'twotower>LayerNorm',
    graphOf(
      (x) =>
        op('twotower>LayerNorm', [x, held(vector(k, 0.5)), held(vector(k))], { epsilon: 0.25, first: -1, last: -1 }),
      k,
    ),
  ],
  ['MatMul', graphOf((x) => op('MatMul', [x, held(matrix(n, k))], { transpose_b: true }), k)],
  ...[
    'Relu',
    'Relu6',
    'Elu',
    'Selu',
    'Sigmoid',
    'Tanh',
    'Softplus',
    'Softmax',
    'Exp',
    'Square',
    'Neg',
    'Abs',
    'Erf',
  ].map((name) => [name, unary(name)] as const),
  ['Identity', unary('Identity')],
  ['LeakyRelu', unary('LeakyRelu', { alpha: 0.1 })],
  ...['Log', 'Sqrt', 'Rsqrt'].map((name) => [name, unary(name), 0.1] as const),
  ...['BiasAdd', 'Add', 'AddV2', 'Sub', 'Mul', 'Div', 'RealDiv', 'Maximum', 'Minimum', 'SquaredDifference'].map(
    (name) => [name, binary(name)] as const,
  ),
  ['Mean', graphOf((x) => op('Mean', [x, ints(-1)], { keep_dims: true }), k)],
  ['Mean of columns', graphOf((x) => op('Mean', [x, ints(0)]), k)],
  ['ConcatV2', graphOf((x) => op('ConcatV2', [x, op('Relu', [x]), ints(1)]), k)],
]

const close = (got: readonly Float32Array[], graph: Graph, x: Tensor) => {
  const wanted = new Program(graph, ops).run([x])
  expect(got).toHaveLength(wanted.length)
  for (const [i, { data }] of wanted.entries()) {
    expect(got[i]).toHaveLength((data as Float32Array).length)
    got[i].forEach((value, j) => {
      expect(value).toBeCloseTo((data as Float32Array)[j], 5)
    })
  }
}

test('every op that can be written is run by tfjs too, and is tried here', () => {
  expect(WRITABLE.filter((name) => !Object.hasOwn(OPS, name))).toEqual([])
  expect(WRITABLE.filter((name) => !GRAPHS.some(([about]) => about === name))).toEqual([])
})

for (const [name, graph, low] of GRAPHS) {
  test(`${name} on tfjs-wasm is what the reference says, batch after batch`, () => {
    const run = tfjsGraph(tf, graph)
    for (const rows of [1, 3]) {
      const x = matrix(rows, k, low, rows)
      close(run([x]), graph, x)
    }
  })
}

test('tfjs-wasm keeps the weights and nothing else', () => {
  const run = tfjsGraph(tf, layer('Relu'))
  run([matrix(2, k)])
  const { numTensors } = tf.memory()
  for (let i = 0; i < 10; i++) run([matrix(2, k)])
  expect(tf.memory().numTensors).toBe(numTensors)
})

test('what ONNX is not told to say is not writable: integers, axes that are computed, other layouts', () => {
  const x = input('x')
  const about = (value: Value) => isWritable(value.node)
  expect(about(op('AddV2', [x, held(vector(k))]))).toBe(true)
  expect(about(op('AddV2', [x, ints(1, 2, 3)]))).toBe(false)
  expect(about(op('Mean', [x, x]))).toBe(false)
  expect(about(op('Mean', [x, held(tensor('int32', [0], new Int32Array(0)))]))).toBe(false)
  expect(about(op('BiasAdd', [x, held(vector(k))], { data_format: 'NCHW' }))).toBe(false)
  expect(about(op('StringLower', [x]))).toBe(false)
  expect(about(op('constructor', [x]))).toBe(false)
})

for (const runtime of ONNX_RUNTIMES) {
  const installed = fileURLToPath(new URL(`../../../bench/node_modules/${runtime}`, import.meta.url))
  describe.skipIf(!existsSync(installed))(runtime, () => {
    for (const [name, graph, low] of GRAPHS) {
      test(`runs ${name} as the reference says, batch after batch`, async () => {
        const run = await onnxGraph(createRequire(peers)(runtime), runtime, graph, [2])
        for (const rows of [1, 3]) {
          const x = matrix(rows, k, low, rows)
          close(await run([x]), graph, x)
        }
      })
    }
  })
}
