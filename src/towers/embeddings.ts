import {
  constantOf,
  type Graph,
  type Node,
  type Resource,
  type Similarity,
  type TowerDefinition,
  type Value,
} from '../graph/index.ts'
import { isFloat, isNumeric, type Tensor, type TypedArray } from '../tensor/index.ts'
import { subgraph } from './dependence.ts'
import { unscaled } from './norms.ts'
import type { Joined } from './scores.ts'

// A score tells how embeddings are compared: those that it joins. Towers that signatures of their own give may end before or
// after that, and their embeddings are then compared in another way, or in none.

/** Whether what `joined` compares are the towers' embeddings, as far as there are towers. */
export function joinsTowers(
  { signature, join }: Joined,
  query: TowerDefinition | null,
  candidate: TowerDefinition | null,
): boolean {
  if (join === null) return false
  const metric = join.similarity?.metric ?? null
  const [left, right] = [join.left, join.right].map((value) =>
    traceOf(subgraph(signature.graph, signature.inputs, value).graph, metric),
  )
  const [q, c] = [query, candidate].map((tower) => tower && traceOf(tower.graph, metric))
  const fits = (a: Trace | null, b: Trace) => a === null || sameTrace(a, b)
  return (fits(q, left) && fits(c, right)) || (fits(q, right) && fits(c, left))
}

/** What a graph makes of its weights, from where they come in; how it gets at a row or a word before that may differ. */
interface Trace {
  /** Ops that compute with weights or what was made of them, with the numbers beside, in no order. */
  readonly ops: readonly string[]
  readonly weights: readonly Tensor[]
}

/** Ops that change no number. */
const PASSES = new Set(['Reshape', 'Squeeze', 'ExpandDims', 'Identity', 'EnsureShape', 'StopGradient'])

function traceOf(graph: Graph, metric: Similarity['metric'] | null): Trace {
  const [output] = graph.outputs
  // A cosine is the same of vectors of any length.
  const end: Value = (metric === 'cosine' ? unscaled(output) : null) ?? output
  const needed = new Set(subgraph(graph, [], end).graph.nodes)
  const weighed = new Set<Node>()
  const weights = new Set<Tensor>()
  const ops: string[] = []
  for (const node of graph.nodes) {
    // Of a value's shape come shapes, of which a layer over lists of embeddings computes some that one over embeddings does not.
    if (!needed.has(node) || node.op === 'Shape') continue
    const held = node.inputs.map(constantOf)
    const own = held.filter((constant) => constant !== null && isWeight(constant))
    if (own.length === 0 && !node.inputs.some((value) => weighed.has(value.node))) continue
    weighed.add(node)
    for (const weight of own) if (weight !== null) weights.add(weight)
    if (!PASSES.has(node.op)) ops.push(`${node.op} ${held.map(numberOf)}`)
  }
  return { ops: ops.sort(), weights: [...weights] }
}

/** Floats of more than one element, or the handle of a variable that holds them. */
const isWeight = ({ dtype, data }: Tensor): boolean =>
  dtype === 'resource' ? (data[0] as Resource).kind === 'variable' : isFloat(dtype) && data.length > 1

const numberOf = (held: Tensor | null): string =>
  held !== null && isNumeric(held) && held.data.length === 1 ? String(held.data[0]) : ''

function sameTrace(a: Trace, b: Trace): boolean {
  return (
    `${a.ops}` === `${b.ops}` &&
    a.weights.length === b.weights.length &&
    a.weights.every((weight) => b.weights.some((other) => sameTensor(weight, other)))
  )
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a === b) return true
  if (a.dtype !== b.dtype || `${a.shape}` !== `${b.shape}`) return false
  if (a.dtype === 'resource' && b.dtype === 'resource') return a.data[0] === b.data[0]
  if (!isNumeric(a) || !isNumeric(b)) return false
  const [x, y]: [TypedArray, TypedArray] = [a.data, b.data]
  for (let i = 0; i < x.length; i++) if (!Object.is(x[i], y[i])) return false
  return true
}
