import { InvalidArgumentError } from '../errors.ts'
import type { Call, Graph, Op } from '../graph/index.ts'
import { describe, isNumeric, sizeOf, type Tensor, type TypedArray, tensor } from '../tensor/index.ts'

// Control flow: TF2's functional ops (kernels/functional_ops.cc) and TF1's Switch and Merge (kernels/control_flow_ops.cc).

/** Whether `t` counts as true: a number that is not zero, a string that is not empty, a tensor that has elements. */
function truth(t: Tensor): boolean {
  if (t.shape.length > 0) return sizeOf(t.shape) > 0
  if (t.dtype === 'string') return t.data.at(0).length > 0
  if (!isNumeric(t)) throw new TypeError(`a ${t.dtype} is neither true nor false`)
  return Number((t.data as TypedArray)[0]) !== 0
}

function checkEnds(attribute: string, { parameters, outputs }: Graph, given: number, wanted: number): void {
  if (parameters.length === given && outputs.length === wanted) return
  throw new InvalidArgumentError(
    `function "${attribute}" takes ${parameters.length} arguments and returns ${outputs.length} values. Expected: ${given} and ${wanted}`,
  )
}

/**
 * What function `attribute` makes of `inputs`, refused where it takes or gives other than its call says: as many tensors
 * as there are `dtypes`, each of its own.
 */
function called(call: Call, attribute: string, graph: Graph, inputs: readonly Tensor[], dtypes: readonly string[]) {
  checkEnds(attribute, graph, inputs.length, dtypes.length)
  const results = call.run(graph, inputs)
  for (const [i, { dtype }] of results.entries()) {
    if (dtype !== dtypes[i]) {
      throw new InvalidArgumentError(
        `function "${attribute}": expected type ${dtypes[i]} for return value ${i} but got ${dtype}`,
      )
    }
  }
  return results
}

const outputList: Op['outputs'] = (attrs) => [['output', attrs.dtypes('Tout', []).length]]

const branch: Op = {
  outputs: outputList,
  evaluate(call) {
    const [condition, ...inputs] = call.inputs
    const taken = truth(condition) ? 'then_branch' : 'else_branch'
    return called(call, taken, call.attrs.graph(taken), inputs, call.attrs.dtypes('Tout', []))
  },
}

/** An index out of range takes the last branch. */
const choice: Op = {
  outputs: outputList,
  evaluate(call) {
    const { attrs } = call
    const [index, ...inputs] = call.inputs
    const branches = attrs.graphs('branches')
    if (index.dtype !== 'int32') throw new TypeError(`the branch index must be int32, got ${index.dtype}`)
    const at = index.data[0]
    const taken = at >= 0 && at < branches.length ? at : branches.length - 1
    return called(call, `branches[${taken}]`, branches[taken], inputs, attrs.dtypes('Tout', []))
  },
}

const loop: Op = {
  outputs: (attrs) => [['output', attrs.dtypes('T', []).length]],
  evaluate(call) {
    const { inputs, attrs, run } = call
    const [condition, body] = [attrs.graph('cond'), attrs.graph('body')]
    checkEnds('cond', condition, inputs.length, 1)
    checkEnds('body', body, inputs.length, inputs.length)
    const dtypes = inputs.map(({ dtype }) => dtype)
    let values: readonly Tensor[] = inputs
    while (truth(run(condition, values)[0])) values = called(call, 'body', body, values, dtypes)
    return values
  },
}

/** Output 0 where the predicate is false, output 1 where it is true; the other is dead. */
const switchOp: Op = {
  outputs: ['output_false', 'output_true'],
  stateful: true,
  evaluate: ({ inputs: [data, predicate] }) => (truth(predicate) ? [undefined, data] : [data, undefined]),
}

/** The input that is alive, and which it was. */
const merge: Op = {
  outputs: ['output', 'value_index'],
  stateful: true,
  evaluate({ inputs }) {
    const at = inputs.findIndex((input) => input !== undefined)
    return at < 0 ? [undefined, undefined] : [inputs[at], tensor('int32', [], Int32Array.of(at))]
  },
}

const assertion: Op = {
  effect: 'assertion',
  evaluate(call) {
    const [condition, ...data] = call.inputs
    if (!truth(condition))
      throw new InvalidArgumentError(`assertion failed: ${data.map((t) => sample(t, call)).join(' ')}`)
    return []
  },
}

/** The first elements of `t`, as TensorFlow's Assert prints them. */
function sample(t: Tensor, call: Call): string {
  const count = Math.min(sizeOf(t.shape), call.attrs.number('summarize', 3))
  const rest = sizeOf(t.shape) > count ? '...' : ''
  if (t.dtype === 'string') return `[${Array.from({ length: count }, (_, i) => t.data.text(i)).join(' ')}${rest}]`
  if (!isNumeric(t)) return describe(t)
  return `[${Array.from(t.data.subarray(0, count) as ArrayLike<number | bigint>, String).join(' ')}${rest}]`
}

const nothing: Op = { evaluate: () => [] }
const first: Op = { evaluate: ({ inputs: [x] }) => x }

export const ops: Readonly<Record<string, Op>> = {
  If: branch,
  StatelessIf: branch,
  Case: choice,
  StatelessCase: choice,
  While: loop,
  StatelessWhile: loop,
  Switch: switchOp,
  RefSwitch: switchOp,
  Merge: merge,
  RefMerge: merge,
  LoopCond: first,
  Identity: first,
  ControlTrigger: nothing,
  NoOp: nothing,
  Print: first,
  PrintV2: nothing,
  Assert: assertion,
}
