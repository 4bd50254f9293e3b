import { CorruptModelError, InvalidArgumentError, UnsupportedOpError } from '../errors.ts'
import { describe, type Tensor } from '../tensor/index.ts'
import { CONST, type Graph, type Node, outputCounts, PARAMETER } from './graph.ts'
import type { Call, Files, Op, OpTable } from './op.ts'

/** What is told how long the values of a run are read, so that their room can be used again. */
export interface Lifetimes {
  /** Whether there is room that is worth it: else nothing is told. */
  readonly isUsed: boolean
  /** A step is over; values that nobody reads any more are still in their slots. */
  settle(step: Step, values: readonly Held[]): void
  /** A run within a step begins, on values of the run around it; and is over. */
  enter(): void
  leave(): void
}

/** What lies in a slot: nothing before its step and after its last use, and in a branch that is not taken. */
export type Held = Tensor | undefined

/** Where a step finds and leaves its values. */
export interface Step {
  readonly inputs: readonly number[]
  /** The slot of the first output; the others follow. */
  readonly output: number
  readonly count: number
  /** Slots that nobody reads after this step. */
  readonly last: readonly number[]
}

/**
 * A graph made ready to run over and over: every value has a slot, every node its op. This is the reference evaluator;
 * the engine runs the same thing with kernels in the op table.
 */
export class Program {
  readonly graph: Graph
  readonly steps: readonly NodeStep[]
  private readonly constants: readonly Held[]
  /** The slots of the inputs and of the outputs. */
  readonly parameters: readonly number[]
  readonly outputs: readonly number[]
  /** Whether a node may leave its outputs dead; else nothing needs looking for them. */
  private readonly branches: boolean
  private readonly nested = new Map<Graph, Program>()
  private readonly ops: OpTable
  private readonly lifetimes: Lifetimes | null

  /**
   * Ops that the table lacks are refused when they are reached, so that a graph's other parts can run.
   * @param lifetimes of the memory that kernels make values in; values of the reference ops need none
   */
  constructor(graph: Graph, ops: OpTable, lifetimes: Lifetimes | null = null) {
    this.graph = graph
    this.ops = ops
    this.lifetimes = lifetimes
    const slots = new Map<Node, number>()
    const constants: (Tensor | undefined)[] = []
    const steps: NodeStep[] = []
    const counts = outputCounts(graph)
    for (const node of graph.nodes) {
      const slot = constants.length
      slots.set(node, slot)
      if (node.op === CONST) {
        constants.push(node.attrs.tensor('value'))
        continue
      }
      const count = counts.get(node) ?? 1
      for (let i = 0; i < count; i++) constants.push(undefined)
      if (node.op === PARAMETER) continue
      steps.push({
        node,
        op: ops.get(node.op),
        inputs: node.inputs.map((value) => slotOf(slots, value.node, node) + value.index),
        controls: node.controls.map((control) => slotOf(slots, control, node)),
        output: slot,
        count,
        last: [],
      })
    }
    this.branches = graph.nodes.some(({ op }) => SWITCHES.has(op))
    this.constants = constants
    this.parameters = graph.parameters.map((node) => slotOf(slots, node, node))
    this.outputs = graph.outputs.map((value) => slotOf(slots, value.node, value.node) + value.index)
    this.steps = withLastUses(steps, constants, this.outputs)
  }

  /**
   * Runs the graph on one tensor a parameter, in order. Types and shapes of the inputs are the caller's to check.
   * @throws {UnsupportedOpError} for an op without an entry
   * @throws {InvalidArgumentError} where TensorFlow refuses; the message names the node
   */
  run(inputs: readonly Tensor[], files: Files = NO_FILES): Tensor[] {
    const values = this.start(inputs)
    this.go(values, 0, this.steps.length, files)
    return this.results(values)
  }

  /** The values by slot before the first step. */
  start(inputs: readonly Tensor[]): Held[] {
    const values = this.constants.slice()
    for (let i = 0; i < this.parameters.length; i++) values[this.parameters[i]] = inputs[i]
    return values
  }

  /** Takes the steps from one to before another. */
  go(values: Held[], from: number, to: number, files: Files = NO_FILES): void {
    const { lifetimes } = this
    const inner: Call['run'] = (graph, args) => {
      lifetimes?.enter()
      const results = this.inner(graph).run(args, files)
      lifetimes?.leave()
      return results
    }
    for (let at = from; at < to; at++) {
      const step = this.steps[at]
      if (this.branches && isSkipped(step, values)) continue
      const result = evaluate(step, values, files, inner)
      if (!isList(result)) values[step.output] = result
      else {
        if (result.length === 0) values[step.output] = DONE
        // Outputs that nobody reads have no slot.
        for (let i = 0; i < step.count && i < result.length; i++) values[step.output + i] = result[i]
      }
      if (lifetimes?.isUsed) lifetimes.settle(step, values)
      for (let i = 0; i < step.last.length; i++) values[step.last[i]] = undefined
    }
  }

  /** What the graph gives, after the last step. */
  results(values: readonly Held[]): Tensor[] {
    return this.outputs.map((slot, i) => {
      const value = values[slot]
      if (value === undefined) throw new InvalidArgumentError(`output ${i} lies in a branch that was not taken`)
      return value
    })
  }

  private inner(graph: Graph): Program {
    let program = this.nested.get(graph)
    if (program === undefined) {
      program = new Program(graph, this.ops, this.lifetimes)
      this.nested.set(graph, program)
    }
    return program
  }
}

function evaluate(
  { node, op, inputs: slots }: NodeStep,
  values: readonly (Tensor | undefined)[],
  files: Files,
  run: Call['run'],
): ReturnType<Op['evaluate']> {
  if (op === undefined)
    throw new UnsupportedOpError(
      node.op,
      node.name,
      'twotower has no semantics for it; `twotower check` lists all such nodes',
    )
  const inputs = new Array<Tensor>(slots.length)
  for (let i = 0; i < inputs.length; i++) inputs[i] = values[slots[i]] as Tensor
  try {
    return op.evaluate({ inputs, attrs: node.attrs, node, files, run })
  } catch (error) {
    throw located(error, node, inputs)
  }
}

const isList = (result: ReturnType<Op['evaluate']>): result is readonly (Tensor | undefined)[] => Array.isArray(result)

/** In a branch that was not taken. Only Merge runs with dead inputs: it is where a conditional's branches meet. */
const isSkipped = ({ node, inputs, controls }: NodeStep, values: readonly (Tensor | undefined)[]): boolean =>
  (isDead(inputs, values) || isDead(controls, values)) && !MERGES.has(node.op)

function isDead(slots: readonly number[], values: readonly (Tensor | undefined)[]): boolean {
  for (let i = 0; i < slots.length; i++) if (values[slots[i]] === undefined) return true
  return false
}

const MERGES: ReadonlySet<string> = new Set(['Merge', 'RefMerge'])
/** Ops of TF 1 that give an output to one of their readers only. */
const SWITCHES: ReadonlySet<string> = new Set(['RefSwitch', 'Switch'])
const NO_FILES: Files = new Map()
/** What stands in the slot of a node without outputs once it ran, so that it does not look dead. */
const DONE: Tensor = { dtype: 'bool', shape: [], data: Uint8Array.of(1) }

/** A step of a program: a node and its op. */
export interface NodeStep extends Step {
  readonly node: Node
  readonly op: Op | undefined
  readonly controls: readonly number[]
}

function slotOf(slots: ReadonlyMap<Node, number>, node: Node, reader: Node): number {
  const slot = slots.get(node)
  if (slot === undefined)
    throw new InvalidArgumentError(`node "${reader.name}" reads "${node.name}", which does not come before it`)
  return slot
}

/** Marks for each step the slots that it is the last to read, and what it makes that nobody reads; constants and outputs stay. */
function withLastUses(
  steps: readonly NodeStep[],
  constants: readonly (Tensor | undefined)[],
  outputs: readonly number[],
): NodeStep[] {
  const kept = new Set(outputs)
  const result: NodeStep[] = []
  for (const step of [...steps].reverse()) {
    const last: number[] = []
    const made = Array.from({ length: step.count }, (_, i) => step.output + i)
    for (const slot of [...step.inputs, ...step.controls, ...made]) {
      if (kept.has(slot) || constants[slot] !== undefined) continue
      kept.add(slot)
      last.push(slot)
    }
    result.push({ ...step, last })
  }
  return result.reverse()
}

/** The error with the node's name and inputs in front, once: of nested functions the innermost node is named. */
function located(error: unknown, node: Node, inputs: readonly Tensor[]): unknown {
  if (!(error instanceof Error) || error instanceof UnsupportedOpError || LOCATED.has(error)) return error
  // It names a file of the export, which says more than the node that read it.
  if (error instanceof CorruptModelError) return error
  const message = `node "${node.name}" (${node.op} of ${inputs.map((t) => (t === undefined ? 'nothing' : describe(t))).join(', ')}): ${error.message}`
  const wrapped =
    error instanceof TypeError
      ? new TypeError(message, { cause: error })
      : new InvalidArgumentError(message, { cause: error })
  LOCATED.add(wrapped)
  return wrapped
}

const LOCATED = new WeakSet<Error>()
