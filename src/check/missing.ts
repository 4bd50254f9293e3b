import { constantOf, functionsOf, type Graph, type Node, type Resource, type Signature } from '../graph/index.ts'
import { familyOf } from '../ops/families.ts'
import { refusedOption } from '../ops/options.ts'

/** A node of a graph whose op twotower lacks, or does not run with an option or a type that it has: `Svd with compute_uv`. */
export interface MissingNode {
  readonly op: string
  readonly node: string
  /** The conditionals and loops that it stands in, the outermost first: it is refused only where it is reached. */
  readonly inside: readonly string[]
}

/** One that a signature needs. */
export interface MissingOfSignature extends MissingNode {
  /** The inputs that it is computed from. */
  readonly features: readonly string[]
  /** The outputs that are not computed without it; all of them where an assertion needs it. */
  readonly outputs: readonly string[]
}

/**
 * The nodes of a signature whose ops twotower lacks. Its graph is pruned to what the outputs and the assertions need, so
 * what training alone needs is not among them.
 */
export function missingOf(signature: Checked): MissingOfSignature[] {
  return signature.graph.nodes.flatMap((node) => {
    const found = missingAt(node)
    return found.length === 0 ? [] : found.map((missing) => ({ ...missing, ...reachOf(signature, [node], [node]) }))
  })
}

type Checked = Pick<Signature, 'inputs' | 'outputs' | 'graph'>

/** A table or variable that a signature reads and that has no contents when it is loaded. */
export interface Unfilled {
  readonly kind: 'table' | 'variable'
  readonly name: string
  readonly features: readonly string[]
  readonly outputs: readonly string[]
}

/** The tables and variables that a signature reads and that loading did not fill; those that it assigns itself are left out. */
export function unfilledOf(signature: Checked): Unfilled[] {
  const { graph } = signature
  return graph.nodes.flatMap((node) => {
    const held = constantOf({ node, index: 0 })
    if (held?.dtype !== 'resource') return []
    const resource = held.data[0] as Resource
    if (resource.kind === 'table' ? resource.initialized : resource.value !== null) return []
    const readers = readersOf(graph).get(node) ?? []
    if (readers.length === 0 || readers.some(({ op }) => WRITERS.test(op))) return []
    return [{ kind: resource.kind, name: resource.name, ...reachOf(signature, readers, [node]) }]
  })
}

/** Ops that give a resource its contents. */
const WRITERS = /^(Assign|Initialize|LookupTable(Import|Insert))/

/** The inputs that `from` are computed from, and the outputs that need `to`: all where only an assertion does. */
function reachOf({ inputs, outputs, graph }: Checked, from: readonly Node[], to: readonly Node[]) {
  const sources = reached(from, (at) => [...at.inputs.map((value) => value.node), ...at.controls])
  const readers = readersOf(graph)
  const blocked = reached(to, (at) => readers.get(at) ?? [])
  const named = outputs.filter((_, i) => blocked.has(graph.outputs[i].node))
  return {
    features: inputs.filter((_, i) => sources.has(graph.parameters[i])).map(({ name }) => name),
    outputs: (named.length === 0 ? outputs : named).map(({ name }) => name),
  }
}

/** `node` where its op is missing, and the missing ones of its functions. */
export function missingAt(node: Node, inside: readonly string[] = []): MissingNode[] {
  const option = refusedOption(node)
  const op = option === null ? node.op : `${node.op} ${option}`
  const own = option !== null || isMissing(node.op) ? [{ op, node: node.name, inside }] : []
  const within = [...inside, `${node.name} (${node.op})`]
  const inner = functionsOf(node).flatMap((graph) => graph.nodes.flatMap((at) => missingAt(at, within)))
  return [...own, ...inner]
}

/** Ops of the graph itself have no entry: a constant and a parameter are their values. */
export const isMissing = (op: string): boolean => op !== 'Const' && op !== 'Parameter' && familyOf(op) === undefined

function reached(from: readonly Node[], next: (node: Node) => readonly Node[]): Set<Node> {
  const seen = new Set<Node>()
  const pending = [...from]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    pending.push(...next(node))
  }
  return seen
}

const READERS = new WeakMap<Graph, ReadonlyMap<Node, readonly Node[]>>()

/** The nodes that read each node. */
function readersOf(graph: Graph): ReadonlyMap<Node, readonly Node[]> {
  const known = READERS.get(graph)
  if (known !== undefined) return known
  const readers = new Map<Node, Node[]>()
  for (const node of graph.nodes) {
    for (const source of [...node.inputs.map((value) => value.node), ...node.controls]) {
      const list = readers.get(source)
      if (list === undefined) readers.set(source, [node])
      else list.push(node)
    }
  }
  READERS.set(graph, readers)
  return readers
}
