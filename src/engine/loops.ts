import {
  type Attrs,
  type Call,
  CONST,
  constantOf,
  type Graph,
  type Node,
  PARAMETER,
  type Value,
} from '../graph/index.ts'
import { arrayIn } from '../ops/tensorarrays.ts'
import { TensorList } from '../ops/tensorlist.ts'
import { type Shape, sameShape, type Tensor } from '../tensor/index.ts'
import type { Kernels } from './kernels.ts'
import { type Body, compile } from './loopcode.ts'
import { LOOP_OPS } from './loopops.ts'
import { type LoopProgram, runProgram } from './looprun.ts'
import type { Memory } from './memory.ts'
import { oncePerNode, type Place } from './place.ts'

// Loops along the steps of a sequence: recurrent cells above all, as Keras exports each of its kinds and of a user's own. What
// a loop is, is read from its graphs: a counter below bounds, lists that it reads and writes at that counter, and between them
// floats by ops that have kernels. Then all its steps are one call. Everything else is the reference's.

/** A loop whose graphs have the form; what depends on the shapes of a run is compiled then. */
interface Loop extends Body {
  /** The loop runs while each of these counters is below its bound. */
  readonly bounds: readonly { readonly counter: number; readonly bound: Value }[]
  /** The part of the body that is the same in each step, as a graph of the same parameters. */
  readonly hoisted: Graph
  readonly programs: Compiled[]
}

interface Compiled {
  readonly shapes: readonly (readonly number[] | null)[]
  readonly steps: number
  /** Null where some op cannot be compiled for the shapes. */
  readonly program: LoopProgram | null
}

/** Programs that a loop keeps for the shapes that it has met. */
const MOST_PROGRAMS = 16

/** Ops that may run once instead of in each step: they neither change anything nor know chance. */
const PURE = new Set(
  `Add AddV2 BiasAdd Cast ConcatV2 ExpandDims Exp Fill Identity MatMul Mul Neg Pack ReadVariableOp Reshape Shape Sigmoid Slice
  Split SplitV Sqrt Square Squeeze StridedSlice Sub Tanh Tile Transpose Unpack`.split(/\s+/),
)

/** The loop of `attrs` where its graphs have the form, else null. */
function loopOf(attrs: Attrs): Loop | null {
  const [condition, body] = [attrs.graph('cond'), attrs.graph('body')]
  if ([...condition.nodes, ...body.nodes].some(({ controls }) => controls.length > 0)) return null
  if (body.outputs.length !== body.parameters.length) return null
  const fixed = body.parameters.map((parameter, i) => body.outputs[i].node === parameter)
  const counters = body.parameters.map((parameter, i) => isNext(body.outputs[i], parameter))
  const bounds = boundsOf(
    condition,
    (i) => fixed[i],
    (i) => counters[i],
  )
  if (bounds === null || bounds.length === 0) return null
  const varying = new Set<Node>()
  const once: Node[] = []
  for (const node of body.nodes) {
    const parameter = node.op === PARAMETER ? body.parameters.indexOf(node) : -1
    if (parameter >= 0 ? !fixed[parameter] : node.inputs.some((input) => varying.has(input.node))) varying.add(node)
    else if (node.op !== PARAMETER && node.op !== CONST && !PURE.has(node.op)) return null
    if (!varying.has(node) && node.op !== PARAMETER) once.push(node)
  }
  const nodes = body.nodes.filter((node) => varying.has(node) && node.op !== PARAMETER)
  const constants: Value[] = []
  const seen = new Map<Node, Set<number>>()
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...body.outputs]) {
    const known = seen.get(value.node) ?? new Set()
    if (varying.has(value.node) || known.has(value.index)) continue
    seen.set(value.node, known.add(value.index))
    constants.push(value)
  }
  const hoisted = { parameters: body.parameters, nodes: [...body.parameters, ...once], outputs: constants }
  return {
    parameters: body.parameters,
    outputs: body.outputs,
    fixed,
    counters,
    nodes,
    constants,
    bounds,
    hoisted,
    programs: [],
  }
}

/** Whether `value` is `parameter` + 1. */
function isNext({ node }: Value, parameter: Node): boolean {
  if (node.op !== 'AddV2' && node.op !== 'Add') return false
  const one = constantOf(node.inputs[1])
  return node.inputs[0].node === parameter && one?.dtype === 'int32' && one.shape.length === 0 && one.data[0] === 1
}

/** The bounds that a condition says, each of them for a counter; null where it says anything else. */
function boundsOf(
  condition: Graph,
  isFixed: (i: number) => boolean,
  isCounter: (i: number) => boolean,
): Loop['bounds'] | null {
  const visit = ({ node }: Value): Loop['bounds'] | null => {
    if (node.op === 'Identity') return visit(node.inputs[0])
    if (node.op === 'LogicalAnd') {
      const [a, b] = node.inputs.map(visit)
      return a === null || b === null ? null : [...a, ...b]
    }
    const [left, bound] = node.inputs
    if (node.op !== 'Less') return null
    const counter = condition.parameters.indexOf(left.node)
    const at = condition.parameters.indexOf(bound.node)
    if (counter < 0 || !isCounter(counter) || (at >= 0 ? !isFixed(at) : bound.node.op !== CONST)) return null
    return [{ counter, bound }]
  }
  return visit(condition.outputs[0])
}

const scalarOf = (t: Tensor | undefined): number | null =>
  t?.dtype === 'int32' && t.shape.length === 0 ? t.data[0] : null

/** How many steps the loop takes from `inputs`; null where they are not the counters that it needs. */
function stepsOf({ bounds }: Loop, condition: Graph, inputs: readonly Tensor[]): number | null {
  let steps = Infinity
  for (const { counter, bound } of bounds) {
    const first = scalarOf(inputs[counter])
    const end = scalarOf(constantOf(bound) ?? inputs[condition.parameters.indexOf(bound.node)])
    if (first === null || end === null) return null
    steps = Math.min(steps, end - first)
  }
  return steps
}

/** What a compiled loop depends on: shapes, of a list and of a TF1 array its length and its elements'. */
function shapeOf(t: Tensor): readonly number[] | null {
  const array = arrayIn(t)
  if (array !== null) return [array.elements.length, ...(array.elements.find((element) => element)?.shape ?? [])]
  if (t.dtype !== 'variant') return t.shape
  const [list] = t.data
  if (!(list instanceof TensorList)) return null
  return list.whole?.shape ?? [list.length, ...(list.tensors[0]?.shape ?? [])]
}

const isOf = (known: Shape | null, shape: Shape | null): boolean =>
  known === null || shape === null ? known === shape : sameShape(known, shape)

/** All steps of a loop; null where the reference must do it. */
function run(loop: Loop, call: Call, memory: Memory, kernels: Kernels): readonly Tensor[] | null {
  const { inputs } = call
  const steps = stepsOf(loop, call.attrs.graph('cond'), inputs)
  // A loop without a step is the reference's.
  if (steps === null || steps <= 0) return null
  const constants = call.run(loop.hoisted, inputs)
  const shapes = [...inputs, ...constants].map(shapeOf)
  let compiled = loop.programs.find(
    (known) => known.steps === steps && known.shapes.every((shape, i) => isOf(shape, shapes[i])),
  )
  if (compiled === undefined) {
    compiled = { shapes, steps, program: compile(loop, steps, { inputs, constants }, LOOP_OPS) }
    if (loop.programs.length === MOST_PROGRAMS) loop.programs.shift()
    loop.programs.push(compiled)
  }
  return compiled.program === null ? null : runProgram(compiled.program, { inputs, constants }, memory, kernels)
}

/** Puts the kernel in place of the ops. */
export function bind(place: Place, memory: Memory, kernels: Kernels): void {
  const loopAt = oncePerNode((call) => loopOf(call.attrs))
  for (const name of ['While', 'StatelessWhile']) {
    place(name, (call) => {
      const loop = loopAt(call)
      return loop === null ? null : run(loop, call, memory, kernels)
    })
  }
}
