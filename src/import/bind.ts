import {
  CONST,
  constant,
  constantOf,
  functionsOf,
  type Graph,
  type Node,
  type OpTable,
  PARAMETER,
  type Resource,
  type Value,
  type Variable,
} from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'
import { BYTES, type Shape, sizeOf, type Tensor, tensor } from '../tensor/index.ts'
import { resourceOf } from './restore.ts'

// Passes from a graph that reads variables to one that holds their values.

/** The variables and tables that `graph` and the functions in it touch. */
export function resourcesOf(graph: Graph): Set<Resource> {
  const found = new Set<Resource>()
  for (const node of graph.nodes) {
    const resource = resourceOf({ node, index: 0 })
    if (resource !== null) found.add(resource)
    for (const inner of functionsOf(node)) for (const resource of resourcesOf(inner)) found.add(resource)
  }
  return found
}

/** Ops that read a variable through its handle without changing it. */
const READERS = new Set([
  'ReadVariableOp',
  'ResourceGather',
  'ResourceGatherNd',
  'complex>ResourceGather',
  'complex>ResourceGatherNd',
  'VariableShape',
  'VarIsInitializedOp',
  '_ReadVariablesOp',
])

/** The variables that running `graph` may change; none where it holds an op that does not run. */
export function changedBy(graph: Graph, ops: OpTable): Set<Resource> {
  const changed = new Set<Resource>()
  const runs = ({ op }: Node) => op === CONST || op === PARAMETER || ops.get(op) !== undefined
  if (!graph.nodes.every(runs)) return changed
  for (const node of graph.nodes) {
    if (READERS.has(node.op)) continue
    for (const value of node.inputs) {
      const resource = resourceOf(value)
      if (resource !== null) changed.add(resource)
    }
  }
  return changed
}

/** Reads of variables that no signature changes become constants; others keep their handle, so state stays state. */
export function bindVariables(graph: Graph, changed: ReadonlySet<Resource>): Graph {
  const bound = new Map<Variable, Node>()
  return rewrite(graph, (node, { emit }) => {
    const variable = node.inputs.length > 0 ? resourceOf(node.inputs[0]) : null
    if (variable?.kind !== 'variable' || variable.value === null || changed.has(variable)) return null
    let value = bound.get(variable)
    if (value === undefined) {
      value = constant(variable.name, variable.value)
      bound.set(variable, value)
    }
    const content: Value = { node: emit(value), index: 0 }
    switch (node.op) {
      case 'ReadVariableOp':
        return [content]
      case 'ResourceGather':
      case 'complex>ResourceGather': {
        const axis = emit(constant(`${node.name}/axis`, tensor('int32', [], Int32Array.of(0))))
        const gather: Node = {
          ...node,
          op: node.op.replace('ResourceGather', 'GatherV2'),
          inputs: [content, node.inputs[1], { node: axis, index: 0 }],
        }
        return [{ node: emit(gather), index: 0 }]
      }
      case 'ResourceGatherNd':
      case 'complex>ResourceGatherNd':
        return [
          { node: emit({ ...node, op: node.op.replace('Resource', ''), inputs: [content, node.inputs[1]] }), index: 0 },
        ]
      default:
        return null
    }
  })
}

/** Results larger than this, and larger than what they are computed from, are computed in each call instead of stored. */
const LARGEST_FOLDED = 1 << 20

/** Nodes that depend on constants alone become constants; one that fails stays, so that its error comes when it runs. */
export function foldConstants(graph: Graph, ops: OpTable): Graph {
  return rewrite(graph, (node, { emit }) => {
    const op = ops.get(node.op)
    if (op === undefined || op.effect || op.stateful || op.resource || node.controls.length > 0) return null
    if (node.inputs.length === 0 || functionsOf(node).length > 0) return null
    const inputs = node.inputs.map(constantOf)
    if (inputs.some((input) => input === null || input.dtype === 'resource' || input.dtype === 'variant')) return null
    const outputs = evaluateAll(node, inputs as Tensor[], ops)
    if (outputs === null) return null
    const limit = Math.max(LARGEST_FOLDED, ...(inputs as Tensor[]).map(bytesOf))
    if (outputs.some((output) => output.dtype === 'variant' || bytesOf(output) > limit)) return null
    return outputs.map((output, i) => ({
      node: emit(constant(i === 0 ? node.name : `${node.name}:${i}`, output)),
      index: 0,
    }))
  })
}

function evaluateAll(node: Node, inputs: readonly Tensor[], ops: OpTable): Tensor[] | null {
  try {
    const outputs = ops.get(node.op)?.evaluate({ inputs, attrs: node.attrs, node, files: new Map(), run: refuse })
    if (outputs === undefined) return null
    const all = 'dtype' in outputs ? [outputs] : [...outputs]
    return all.length > 0 && all.every((output) => output !== undefined) ? all : null
  } catch {
    return null
  }
}

const refuse = (): never => {
  throw new TypeError('functions are not folded')
}

const bytesOf = (t: Tensor): number =>
  t.dtype === 'string' ? t.data.bytes.length + 4 * t.data.length : sizeOf(t.shape as Shape) * BYTES[t.dtype]
