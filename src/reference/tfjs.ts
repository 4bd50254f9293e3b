import type { Tensor as TfTensor } from '@tensorflow/tfjs-core'
import type { Call, Op, OpTable } from '../graph/index.ts'
import { type Tensor, unpackPanels } from '../tensor/index.ts'

type Tf = typeof import('@tensorflow/tfjs-core')

/** The packages that this backend needs beside twotower. */
export const PEERS = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'] as const

/**
 * `reference` with tfjs-wasm in place of the ops that it has: an independent implementation of a lowered graph's
 * numeric part, for `verify --backend tfjs` and the benchmarks. float32 only; strings, tables and integers stay with the
 * reference.
 *
 * @throws {Error} where the packages are not installed; the message says how to install them
 */
export async function withTfjs(reference: OpTable): Promise<OpTable> {
  const tf = await startTfjs()
  const table = new Map(reference)
  for (const [name, run] of Object.entries(OPS)) {
    const op = reference.get(name)
    if (op !== undefined) table.set(name, backed(op, run, tf))
  }
  return table
}

/** tfjs-core with its wasm backend running. */
export async function startTfjs(): Promise<Tf> {
  try {
    const tf = await import('@tensorflow/tfjs-core')
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm')
    if (typeof process !== 'undefined' && process.versions?.node !== undefined) {
      const { createRequire } = await import('node:module')
      const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
      setWasmPaths(entry.replace(/[^/\\]*$/, ''))
    }
    await tf.setBackend('wasm')
    await tf.ready()
    return tf
  } catch (error) {
    throw new Error(
      `the tfjs backend needs ${PEERS.join(' and ')}: npm install ${PEERS.join(' ')} (${(error as Error).message})`,
      { cause: error },
    )
  }
}

type Run = (tf: Tf, inputs: TfTensor[], call: Call) => TfTensor

/** An op that tfjs runs where all its inputs are float32. */
const backed = (op: Op, run: Run, tf: Tf): Op => ({
  ...op,
  evaluate(call) {
    if (!call.inputs.every((input) => input?.dtype === 'float32' && input.data.length > 0)) return op.evaluate(call)
    return tf.tidy(() => {
      const inputs = call.inputs.map((input) => tf.tensor(input.data as Float32Array, [...input.shape]))
      const result = run(tf, inputs, call)
      const data = Float32Array.from(result.dataSync())
      return { dtype: 'float32', shape: result.shape, data } as unknown as TfTensor
    }) as unknown as Tensor
  },
})

const last = (x: TfTensor): number => x.shape.length - 1

const OPS: Readonly<Record<string, Run>> = {
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
  'twotower>Dense': denseLayer,
}

/** The layer with its weights unpacked again, so that packing is checked too. */
function denseLayer(tf: Tf, [x, , bias]: TfTensor[], { inputs, attrs }: Call): TfTensor {
  const [k, n] = [attrs.number('k'), attrs.number('n')]
  const weights = tf.tensor2d(unpackPanels(inputs[1].data as Float32Array, k, n), [k, n])
  const product = tf.matMul(x as never, weights)
  const shifted = bias === undefined ? product : tf.add(product, bias)
  const activation = attrs.string('activation', '')
  if (activation === '') return shifted
  if (activation === 'LeakyRelu') return tf.leakyRelu(shifted, attrs.number('alpha'))
  if (activation === 'Softplus') return tf.softplus(shifted)
  return OPS[activation](tf, [shifted], { inputs, attrs } as unknown as Call)
}
