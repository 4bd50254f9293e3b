import { Attrs, constant, constantOf, type Graph, type Node, type Value } from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'
import { PANEL, packPanels, type Tensor, type TensorOf, tensor } from '../tensor/index.ts'
import { type Readers, readers } from './readers.ts'

/** Activations that a dense layer takes along; the engine has each in its kernel. */
const ACTIVATIONS = new Set(['Relu', 'Relu6', 'Sigmoid', 'Tanh', 'Elu', 'Selu', 'Softplus', 'LeakyRelu'])

/** The fused op's name: no op of TensorFlow's. Its semantics are in ops/fused.ts. */
export const DENSE = 'twotower>Dense'

/**
 * MatMul by constant weights, the bias added to it and the activation after it become one node; the weights are packed
 * into the kernel's panels. A value that others read too stays where it is.
 */
export function fuseDense(graph: Graph): Graph {
  const uses = readers(graph)
  const packed = new Map<Tensor, Value>()
  const fused = new Map<Node, Chain>()
  for (const node of graph.nodes) {
    const chain = node.op === 'MatMul' ? chainFrom(node, uses) : null
    if (chain !== null) fused.set(chain.last, chain)
  }
  if (fused.size === 0) return graph
  return rewrite(graph, (_, { old, emit, now }) => {
    const chain = fused.get(old)
    if (chain === undefined) return null
    const { weights, transposed, weightsName, bias, k, n, activation, alpha, name } = chain
    const content = panelsOf(weights, transposed)
    let panels = packed.get(content)
    if (panels === undefined) {
      panels = { node: emit(constant(`${weightsName} (packed)`, content)), index: 0 }
      packed.set(content, panels)
    }
    const inputs = [now(chain.input), panels]
    if (bias !== null) inputs.push(now(bias))
    const attrs = new Attrs({ k, n, ...(activation === null ? {} : { activation, alpha }) })
    return [{ node: emit({ name, op: DENSE, attrs, inputs, controls: [] }), index: 0 }]
  })
}

interface Chain {
  readonly name: string
  readonly input: Value
  readonly weights: TensorOf<'float32'>
  readonly weightsName: string
  readonly transposed: boolean
  readonly k: number
  readonly n: number
  readonly bias: Value | null
  readonly activation: string | null
  readonly alpha: number
  /** The node whose output the fused node's replaces. */
  readonly last: Node
}

function chainFrom(product: Node, uses: Readers): Chain | null {
  const weights = constantOf(product.inputs[1])
  if (weights?.dtype !== 'float32' || weights.shape.length !== 2 || product.controls.length > 0) return null
  if (product.attrs.boolean('transpose_a', false) || constantOf(product.inputs[0]) !== null) return null
  const transposed = product.attrs.boolean('transpose_b', false)
  const [k, n] = transposed ? [weights.shape[1], weights.shape[0]] : weights.shape
  if (k === 0 || n === 0) return null
  let last = product
  let bias: Value | null = null
  const next = uses.only(last)
  if (next !== null && (next.op === 'BiasAdd' || next.op === 'AddV2' || next.op === 'Add')) {
    const other = next.inputs[next.inputs[0].node === last ? 1 : 0]
    const added = constantOf(other)
    const fits = added?.dtype === 'float32' && added.data.length === n && added.shape[added.shape.length - 1] === n
    if (fits && added.shape.length <= 2 && next.attrs.string('data_format', 'NHWC') === 'NHWC') {
      bias = other
      last = next
    }
  }
  let activation: string | null = null
  let alpha = 0
  const after = uses.only(last)
  if (after !== null && ACTIVATIONS.has(after.op)) {
    activation = after.op
    if (after.op === 'LeakyRelu') alpha = after.attrs.number('alpha', 0.2)
    last = after
  }
  return {
    name: last.name,
    input: product.inputs[0],
    weights,
    weightsName: product.inputs[1].node.name,
    transposed,
    k,
    n,
    bias,
    activation,
    alpha,
    last,
  }
}

/** The panels of weights that several graphs share are made once. */
const PANELS = [new WeakMap<Tensor, Tensor>(), new WeakMap<Tensor, Tensor>()]

function panelsOf(weights: TensorOf<'float32'>, transposed: boolean): Tensor {
  const known = PANELS[transposed ? 1 : 0]
  let panels = known.get(weights)
  if (panels === undefined) {
    const [k, n] = transposed ? [weights.shape[1], weights.shape[0]] : weights.shape
    const rows = transposed ? transpose(weights.data, k, n) : weights.data
    panels = tensor('float32', [Math.ceil(n / PANEL), k, PANEL], packPanels(rows, k, n))
    known.set(weights, panels)
  }
  return panels
}

function transpose(data: Float32Array, k: number, n: number): Float32Array {
  const out = new Float32Array(k * n)
  for (let j = 0; j < n; j++) for (let i = 0; i < k; i++) out[i * n + j] = data[j * k + i]
  return out
}
