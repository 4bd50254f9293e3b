import { Attrs, constant, type Node, PARAMETER, type Value } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { type Built, type NodeDef, parse, type Scope } from './scope.ts'

/** TF1's ref variables: their output is a value for every reader but the ops that assign through the reference. */
const VARIABLES = new Set(['VariableV2', 'Variable'])
const WRITERS = /^(Assign|AssignAdd|AssignSub|IsVariableInitialized|CountUpTo|Scatter\w+|Apply\w+|SparseApply\w+)$/
const READ = 'ReadVariableOp'
const SOURCES = /^(ReadVariableOp|Assign(Add|Sub)?|Scatter(Nd)?(Update|Add|Sub|Mul|Div|Min|Max))$/
const isReference = (value: Value | undefined): boolean =>
  value !== undefined && SOURCES.test(value.node.op) && value.node.inputs[0].node.op !== PARAMETER

/**
 * TF1's ref variables. The value of one is the variable's own memory: who comes after an assignment reads what was assigned,
 * also through an Identity that came before it (core/kernels/assign_op.h copies in place).
 */
export class RefVariables {
  /** The values of ref variables. */
  private readonly reads = new WeakSet<Node>()
  /** What assigns to one, or waits for that. */
  private readonly afterWriters = new WeakSet<Built>()

  /** The nodes of the variable `name`: what holds it, and its value, which is what others read. Null for every other op. */
  nodesOf(op: string, name: string, handle: Tensor): readonly [Node, Node] | null {
    if (!VARIABLES.has(op)) return null
    const variable = constant(name, handle)
    const read: Node = { name, op: READ, attrs: Attrs.none, inputs: [{ node: variable, index: 0 }], controls: [] }
    this.reads.add(read)
    return [variable, read]
  }

  /** Whether something that `def` waits for assigns, or waits for an assignment. */
  isAfterWriter(def: NodeDef, within: Scope): boolean {
    return (def.input ?? []).some((ref) => {
      const built = within.built.get(parse(ref, within.isFunction).name)
      return built !== undefined && this.afterWriters.has(built)
    })
  }

  /** Notes that `built` was made of `def`, an assignment itself or after one. */
  note(built: Built, def: NodeDef, isAfter: boolean): void {
    if (isAfter || WRITERS.test(def.op ?? '')) this.afterWriters.add(built)
  }

  /** Has the values of variables among `inputs` read once more. */
  readAgain(inputs: Value[], nodes: Node[]): void {
    for (const [i, { node, index }] of inputs.entries()) {
      if (!this.reads.has(node)) continue
      const read = { ...node }
      this.reads.add(read)
      nodes.push(read)
      inputs[i] = { node: read, index }
    }
  }

  /** An assignment hands its reference on: the next one assigns to the same variable, after it. */
  passOn(op: string, inputs: Value[]): void {
    if (WRITERS.test(op) && isReference(inputs[0])) inputs[0] = inputs[0].node.inputs[0]
  }
}
