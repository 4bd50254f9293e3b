import type { Tensor as TfTensor } from '@tensorflow/tfjs-core'
import {
  type Call,
  CONST,
  constantOf,
  type Graph,
  type Node,
  type Op,
  type OpTable,
  PARAMETER,
} from '../graph/index.ts'
import { builtin } from '../platform/builtin.ts'
import { type Tensor, tensor, unpackPanels } from '../tensor/index.ts'

export type Tf = typeof import('@tensorflow/tfjs-core')

/** The packages that this backend needs beside twotower. */
export const PEERS = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'] as const

/**
 * `reference` with tfjs-wasm in place of the ops that it has: an independent implementation of a lowered graph's
 * numeric part, for `verify --backend tfjs` and the benchmarks. float32 only; strings, tables and integers stay with the
 * reference.
 *
 * @param running tfjs-core with its wasm backend, where the caller has it running; else the installed packages
 * @throws {Error} where the packages are not installed; the message says how to install them
 */
export async function withTfjs(reference: OpTable, running?: Tf): Promise<OpTable> {
  const tf = running ?? (await startTfjs())
  const table = new Map(reference)
  for (const [name, run] of Object.entries(OPS)) {
    const op = reference.get(name)
    if (op !== undefined) table.set(name, backed(op, run, tf))
  }
  return table
}

/**
 * `reference` on the backend of that name, which is not asked for before one is named: whoever loads a bundle brings no
 * list of them.
 * @throws {RangeError} where there is none
 * @throws {Error} as `withTfjs` does
 */
export async function opsOn(backend: string, reference: OpTable): Promise<OpTable> {
  if (backend === 'tfjs') return withTfjs(reference)
  throw new RangeError(`a backend is kernels or tfjs, got ${JSON.stringify(backend)}`)
}

/**
 * tfjs-core with its wasm backend running. Its packages are found when asked for, where Node finds packages: whoever
 * bundles twotower need not have them.
 */
export async function startTfjs(): Promise<Tf> {
  try {
    const require = builtin('node:module').createRequire(import.meta.url)
    const tf: Tf = require('@tensorflow/tfjs-core')
    const { setWasmPaths }: typeof import('@tensorflow/tfjs-backend-wasm') = require('@tensorflow/tfjs-backend-wasm')
    setWasmPaths(require.resolve('@tensorflow/tfjs-backend-wasm').replace(/[^/\\]*$/, ''))
    await tf.setBackend('wasm')
    await tf.ready()
    return tf
  } catch (error) {
    throw new Error(
      `the tfjs backend needs Node, ${PEERS.join(' and ')}: npm install ${PEERS.join(' ')} (${(error as Error).message.split('\n')[0]})`,
      { cause: error },
    )
  }
}

type Run = (tf: Tf, inputs: TfTensor[], node: Pick<Node, 'op' | 'attrs' | 'inputs'>) => TfTensor

/** An op that tfjs runs where all its inputs are float32. */
const backed = (op: Op, run: Run, tf: Tf): Op => ({
  ...op,
  evaluate(call: Call) {
    if (!call.inputs.every((input) => input?.dtype === 'float32' && input.data.length > 0)) return op.evaluate(call)
    const { node } = call
    let result: Tensor | undefined
    // Not by returning it: tidy would look through every number for tensors.
    tf.tidy(() => {
      const inputs = call.inputs.map((input, i) =>
        node.inputs[i].node.op === CONST ? held(tf, node, i, input) : given(tf, input),
      )
      const made = run(tf, inputs, node)
      result = tensor('float32', made.shape, Float32Array.from(made.dataSync()))
    })
    return result as Tensor
  },
})

const given = (tf: Tf, { data, shape }: Tensor): TfTensor => tf.tensor(data as Float32Array, [...shape])

/** Constants in tfjs's memory, by the tensors that they were. */
const HELD = new WeakMap<Tensor, TfTensor>()

/** A constant input of a node, put into tfjs's memory once. */
function held(tf: Tf, node: Pick<Node, 'op' | 'attrs'>, i: number, constant: Tensor): TfTensor {
  let kept = HELD.get(constant)
  if (kept === undefined) {
    kept = tf.keep(node.op === 'twotower>Dense' ? ofLayer(tf, node, i, constant) : given(tf, constant))
    HELD.set(constant, kept)
  }
  return kept
}

/** A layer's weights unpacked, so that packing is checked too; its bias as the fused kernel takes it. */
function ofLayer(tf: Tf, { attrs }: Pick<Node, 'attrs'>, i: number, { data }: Tensor): TfTensor {
  const [k, n] = [attrs.number('k'), attrs.number('n')]
  return i === 1 ? tf.tensor2d(unpackPanels(data as Float32Array, k, n), [k, n]) : tf.tensor1d(data as Float32Array)
}

/**
 * A graph whose ops tfjs all has, from float32 to float32: what lies between them stays in its memory, as in a model that
 * was converted for it.
 * @returns runs it, one tensor a parameter; the elements of the outputs
 */
export function tfjsGraph(tf: Tf, graph: Graph): (inputs: readonly Tensor[]) => Float32Array[] {
  const steps = graph.nodes.filter(({ op }) => op !== CONST && op !== PARAMETER)
  const constant = (node: Node, i: number): TfTensor | undefined => {
    const tensor = constantOf(node.inputs[i])
    return tensor?.dtype === 'float32' ? held(tf, node, i, tensor) : undefined
  }
  const constants = new Map(steps.map((node) => [node, node.inputs.map((_, i) => constant(node, i))]))
  return (inputs) => {
    let outputs: Float32Array[] = []
    tf.tidy(() => {
      const values = new Map(graph.parameters.map((node, i) => [node, given(tf, inputs[i])]))
      for (const node of steps) {
        const known = constants.get(node) ?? []
        const terms = node.inputs.map((value, i) => (known[i] ?? values.get(value.node)) as TfTensor)
        values.set(node, OPS[node.op](tf, terms, node))
      }
      outputs = graph.outputs.map(({ node }) => (values.get(node) as TfTensor).dataSync() as Float32Array)
    })
    return outputs
  }
}

const last = (x: TfTensor): number => x.shape.length - 1

/** By TensorFlow's names, those of layers among them (reference/onnx.ts). */
export const OPS: Readonly<Record<string, Run>> = {
  Relu: (tf, [x]) => tf.relu(x),
  Relu6: (tf, [x]) => tf.relu6(x),
  Elu: (tf, [x]) => tf.elu(x),
  Selu: (tf, [x]) => tf.selu(x),
  Sigmoid: (tf, [x]) => tf.sigmoid(x),
  Tanh: (tf, [x]) => tf.tanh(x),
  Exp: (tf, [x]) => tf.exp(x),
  Log: (tf, [x]) => tf.log(x),
  Sqrt: (tf, [x]) => tf.sqrt(x),
  Rsqrt: (tf, [x]) => tf.rsqrt(x),
  Square: (tf, [x]) => tf.square(x),
  Neg: (tf, [x]) => tf.neg(x),
  Abs: (tf, [x]) => tf.abs(x),
  Softmax: (tf, [x]) => tf.softmax(x),
  Add: (tf, [x, y]) => tf.add(x, y),
  AddV2: (tf, [x, y]) => tf.add(x, y),
  BiasAdd: (tf, [x, y]) => tf.add(x, y),
  Sub: (tf, [x, y]) => tf.sub(x, y),
  Mul: (tf, [x, y]) => tf.mul(x, y),
  RealDiv: (tf, [x, y]) => tf.div(x, y),
  Maximum: (tf, [x, y]) => tf.maximum(x, y),
  Minimum: (tf, [x, y]) => tf.minimum(x, y),
  MatMul: (tf, [x, y], { attrs }) =>
    tf.matMul(x as never, y as never, attrs.boolean('transpose_a', false), attrs.boolean('transpose_b', false)),
  'twotower>L2Normalize': (tf, [x], { attrs }) =>
    tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), last(x), true), attrs.number('epsilon')))),
  'twotower>LayerNorm': (tf, [x, gamma, beta], { attrs }) => {
    const axis = (name: string) => (attrs.number(name) + x.rank) % x.rank
    const axes = Array.from({ length: axis('last') - axis('first') + 1 }, (_, i) => axis('first') + i)
    const { mean, variance } = tf.moments(x, axes, true)
    const scale = tf.mul(tf.rsqrt(tf.add(variance, attrs.number('epsilon'))), gamma)
    return tf.add(tf.mul(tf.sub(x, mean), scale), beta)
  },
  'twotower>Dense': denseLayer,
  Div: (tf, [x, y]) => tf.div(x, y),
  SquaredDifference: (tf, [x, y]) => tf.squaredDifference(x, y),
  LeakyRelu: (tf, [x], { attrs }) => tf.leakyRelu(x, attrs.number('alpha', 0.2)),
  Softplus: (tf, [x]) => tf.softplus(x),
  Erf: (tf, [x]) => tf.erf(x),
  Identity: (tf, [x]) => tf.clone(x),
  Mean: (tf, [x], node) => tf.mean(x, axes(node), node.attrs.boolean('keep_dims', false)),
  ConcatV2: (tf, inputs, node) => tf.concat(inputs.slice(0, -1), axes(node)[0]),
}

/** The constant integers that are a node's last input. */
const axes = ({ inputs }: Pick<Node, 'inputs'>): number[] =>
  Array.from((constantOf(inputs[inputs.length - 1]) as Tensor).data as ArrayLike<number | bigint>, Number)

/** Activations that are part of tfjs-wasm's product. */
const FUSED = { '': 'linear', Relu: 'relu', Relu6: 'relu6', Sigmoid: 'sigmoid', Elu: 'elu' } as const

/** One fused kernel, as tfjs's own converter makes of MatMul, BiasAdd and an activation, where there is one. */
function denseLayer(tf: Tf, [x, weights, bias]: TfTensor[], node: Parameters<Run>[2]): TfTensor {
  const name = node.attrs.string('activation', '')
  const activation = name in FUSED ? FUSED[name as keyof typeof FUSED] : undefined
  const product = tf.fused.matMul({
    a: x as never,
    b: weights as never,
    ...(bias === undefined ? {} : { bias }),
    activation: activation ?? 'linear',
  })
  return activation === undefined ? OPS[name](tf, [product], node) : product
}
