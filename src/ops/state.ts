import { InvalidArgumentError } from '../errors.ts'
import { type Call, handle, type Op, type Variable } from '../graph/index.ts'
import { sameShape, type Tensor } from '../tensor/index.ts'
import { ops as gather } from './gather.ts'
import { ops as gatherNd } from './gathernd.ts'
import { ops as math } from './math.ts'
import { ops as shape } from './shape.ts'

// Variables after kernels/resource_variable_ops.cc. Those that a graph only reads are constants by the time it runs;
// these ops serve the export's own restoring and initialising, and graphs that count or accumulate.

export function variableOf(call: Call): Variable {
  const [held] = call.inputs
  const resource = held.dtype === 'resource' ? (held.data[0] as Variable) : undefined
  if (resource?.kind !== 'variable') throw new TypeError(`input 0 must be a variable, got ${held.dtype}`)
  return resource
}

export function currentValue(call: Call): Tensor {
  const { name, value } = variableOf(call)
  if (value === null)
    throw new InvalidArgumentError(
      `variable "${name}" has no value: neither the checkpoint nor an initialiser of the export gives it one`,
    )
  return value
}

/** VarHandleOp, and TF1's VariableV2, whose reference the importer splits into this handle and a read. */
const variable: Op = {
  resource: (name, attrs) => handle({ kind: 'variable', name, dtype: attrs.dtype('dtype'), value: null }),
  evaluate: (call) => handle({ kind: 'variable', name: call.node.name, dtype: call.attrs.dtype('dtype'), value: null }),
}

const read: Op = { stateful: true, evaluate: currentValue }

const assign: Op = {
  effect: 'change',
  evaluate(call) {
    const target = variableOf(call)
    const value = call.inputs[1]
    if (value.dtype !== target.dtype) {
      throw new InvalidArgumentError(`variable "${target.name}" is ${target.dtype}, its new value is ${value.dtype}`)
    }
    target.value = value
    return value
  },
}

/** The variable becomes `op` of its value and the input; a ref variable's assignment answers the new value. */
export const update = (op: Op): Op => ({
  effect: 'change',
  evaluate(call) {
    const target = variableOf(call)
    const result = op.evaluate({ ...call, inputs: [currentValue(call), ...call.inputs.slice(1)] }) as Tensor
    target.value = result
    return result
  },
})

/** `op` of two tensors of one shape: a variable is never broadcast, nor is what changes it. */
const ofOneShape = (op: Op): Op => ({
  evaluate(call) {
    const [value, change] = call.inputs
    if (!sameShape(value.shape, change.shape))
      throw new InvalidArgumentError(
        `the change must have the variable's shape [${value.shape.join(', ')}], got [${change.shape.join(', ')}]`,
      )
    return op.evaluate(call)
  },
})

const added = ofOneShape(math.AddV2)
const subtracted = ofOneShape(math.Sub)

/** A step of gradient descent, as the op of training that exports keep (kernels/training_ops.cc): value − α · δ. */
const descended: Op = {
  evaluate(call) {
    const [value, alpha, delta] = call.inputs
    if (alpha.shape.length !== 0)
      throw new InvalidArgumentError(`the learning rate must be a scalar, got the shape [${alpha.shape.join(', ')}]`)
    const step = math.Mul.evaluate({ ...call, inputs: [delta, alpha] }) as Tensor
    return subtracted.evaluate({ ...call, inputs: [value, step] })
  },
}

/** An op on the variable's value in place of its handle. */
const onValue = (op: Op, ...more: Tensor[]): Op => ({
  stateful: true,
  evaluate: (call) => op.evaluate({ ...call, inputs: [currentValue(call), ...call.inputs.slice(1), ...more] }),
})

const isInitialized: Op = {
  stateful: true,
  evaluate: (call) => ({ dtype: 'bool', shape: [], data: Uint8Array.of(variableOf(call).value === null ? 0 : 1) }),
}

/** The importer replaces restored tensors by what the checkpoint holds; a graph that restores by itself is refused. */
const restore: Op = {
  stateful: true,
  outputs: (attrs) => [['tensors', attrs.dtypes('dtypes').length]],
  evaluate() {
    throw new InvalidArgumentError('reading a checkpoint while the graph runs is not possible')
  },
}

const AXIS_0: Tensor = { dtype: 'int32', shape: [], data: Int32Array.of(0) }

export const ops: Readonly<Record<string, Op>> = {
  VarHandleOp: variable,
  VariableV2: variable,
  Variable: variable,
  ReadVariableOp: read,
  AssignVariableOp: assign,
  Assign: assign,
  AssignAddVariableOp: update(added),
  AssignAdd: update(added),
  AssignSubVariableOp: update(subtracted),
  AssignSub: update(subtracted),
  ResourceApplyGradientDescent: update(descended),
  ApplyGradientDescent: update(descended),
  ResourceGather: onValue(gather.GatherV2, AXIS_0),
  ResourceGatherNd: onValue(gatherNd.GatherNd),
  VariableShape: onValue(shape.Shape),
  VarIsInitializedOp: isInitialized,
  IsVariableInitialized: isInitialized,
  RestoreV2: restore,
}
