import { Attrs, constant, type Graph, type Node, type Value } from '../../../src/graph/index.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'

// Graphs written by hand: recurrent layers as Keras exports them and as TF 1 wrote them.

/** A graph being written: each op gives its outputs' values. */
export class Builder {
  readonly parameters: Node[] = []
  private readonly nodes: Node[] = []

  op(op: string, inputs: readonly Value[], attributes: ConstructorParameters<typeof Attrs>[0] = {}): Value {
    const node = { name: `${op}_${this.nodes.length}`, op, attrs: new Attrs(attributes), inputs, controls: [] }
    this.nodes.push(node)
    return { node, index: 0 }
  }

  parameter(): Value {
    const value = this.op('Parameter', [])
    this.parameters.push(value.node)
    return value
  }

  constant(t: Tensor): Value {
    const node = constant(`constant_${this.nodes.length}`, t)
    this.nodes.push(node)
    return { node, index: 0 }
  }

  graph(...outputs: Value[]): Graph {
    return { parameters: this.parameters, nodes: this.nodes, outputs }
  }
}

export const at = ({ node }: Value, index: number): Value => ({ node, index })
export const int = (value: number): Tensor => tensor('int32', [], Int32Array.of(value))
export const ints = (...values: number[]): Tensor => tensor('int32', [values.length], Int32Array.from(values))
export const floats = (shape: readonly number[], of: (i: number) => number): Tensor =>
  tensor(
    'float32',
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i)),
  )
export const wave = (shape: readonly number[], seed: number): Tensor =>
  floats(shape, (i) => Math.sin(i * 12.9898 + seed) * 2)

/** What a body makes of a step's input, the state and the cells: the next of both. */
export type Cell = (
  b: Builder,
  x: Value,
  state: Value,
  cells: Value,
  weights: readonly Value[],
) => readonly [Value, Value]

export const UNITS = 3

export const lstm: Cell = (b, x, state, cells, [kernel, recurrent, bias]) => {
  const sum = b.op('AddV2', [b.op('MatMul', [x, kernel]), b.op('MatMul', [state, recurrent])])
  const gates = b.op('Split', [b.constant(int(1)), b.op('BiasAdd', [sum, bias])], { num_split: 4 })
  const kept = b.op('Mul', [b.op('Sigmoid', [at(gates, 1)]), cells])
  const next = b.op('AddV2', [kept, b.op('Mul', [b.op('Sigmoid', [gates]), b.op('Tanh', [at(gates, 2)])])])
  return [b.op('Mul', [b.op('Sigmoid', [at(gates, 3)]), b.op('Tanh', [next])]), next]
}

/** As Keras writes it where it might drop some of its inputs: each gate by itself, of what is multiplied by ones. */
export const dropping: Cell = (b, x, state, cells, [kernel, recurrent, bias]) => {
  const whole = (of: Value) => b.op('Fill', [b.op('Shape', [of]), b.constant(floats([], () => 1))])
  const [ones, more] = [whole(x), whole(state)]
  const parts = (of: Value, axis: number) => b.op('Split', [b.constant(int(axis)), of], { num_split: 4 })
  const [kernels, recurrents, biases] = [parts(kernel, 1), parts(recurrent, 1), parts(bias, 0)]
  const gate = (i: number) => {
    const input = b.op('BiasAdd', [b.op('MatMul', [b.op('Mul', [x, ones]), at(kernels, i)]), at(biases, i)])
    return b.op('AddV2', [input, b.op('MatMul', [b.op('Mul', [more, state]), at(recurrents, i)])])
  }
  const kept = b.op('Mul', [b.op('Sigmoid', [gate(1)]), cells])
  const next = b.op('AddV2', [kept, b.op('Mul', [b.op('Sigmoid', [gate(0)]), b.op('Tanh', [gate(2)])])])
  return [b.op('Mul', [b.op('Sigmoid', [gate(3)]), b.op('Tanh', [next])]), next]
}

/** The reset gate comes before the second product, whose weights are a part of all. */
export const gru: Cell = (b, x, state, cells, [kernel, recurrent, bias]) => {
  const columns = (of: Value, from: number, to: number) => {
    const bounds = [ints(0, from), ints(0, to), ints(1, 1)].map((t) => b.constant(t))
    return b.op('StridedSlice', [of, ...bounds], { begin_mask: 1, end_mask: 1 })
  }
  const inputs = b.op('BiasAdd', [b.op('MatMul', [x, kernel]), bias])
  const parts = b.op('SplitV', [inputs, b.constant(ints(UNITS, UNITS, UNITS, -1)), b.constant(int(-1))], {
    num_split: 4,
  })
  const gates = b.op('MatMul', [state, columns(recurrent, 0, 2 * UNITS)])
  const update = b.op('Sigmoid', [b.op('AddV2', [parts, columns(gates, 0, UNITS)])])
  const reset = b.op('Sigmoid', [b.op('AddV2', [at(parts, 1), columns(gates, UNITS, 2 * UNITS)])])
  const product = b.op('MatMul', [b.op('Mul', [reset, state]), columns(recurrent, 2 * UNITS, 3 * UNITS)])
  const candidate = b.op('Tanh', [b.op('AddV2', [at(parts, 2), product])])
  const rest = b.op('Mul', [b.op('Sub', [b.constant(tensor('float32', [], Float32Array.of(1))), update]), candidate])
  return [b.op('AddV2', [b.op('Mul', [update, state]), rest]), b.op('ZerosLike', [cells])]
}

/** The cells are what the state was: no state may be written before all are read. */
export const swap: Cell = (b, x, state, cells, [kernel]) => {
  const product = b.op('MatMul', [x, kernel])
  const part = b.op('Split', [b.constant(int(1)), product], { num_split: 4 })
  return [b.op('Maximum', [cells, at(part, 3)]), b.op('Identity', [state])]
}

/** Every op by itself, a scalar and a column among the operands. */
export const mixed: Cell = (b, x, state, cells, [kernel, , bias]) => {
  const part = b.op('Split', [b.constant(int(-1)), b.op('MatMul', [x, kernel])], { num_split: 4 })
  const column = b.op('Split', [b.constant(int(1)), state], { num_split: UNITS })
  const row = b.op('Split', [b.constant(int(0)), bias], { num_split: 4 })
  let y = b.op('AddV2', [part, at(column, 2)])
  for (const op of ['Relu6', 'Elu', 'Selu', 'LeakyRelu', 'Softplus', 'Square', 'Neg', 'Exp', 'Log1p', 'Abs', 'Sqrt'])
    y = b.op(op, [y])
  for (const op of ['Erf', 'Rsqrt', 'Reciprocal', 'Log', 'Floor', 'Ceil', 'Rint', 'Round', 'Relu', 'Sigmoid', 'Tanh'])
    y = b.op('AddV2', [b.op(op, [y]), b.op('Mul', [at(part, 1), row])])
  // Half of it zeros, of which a quotient is 0.
  y = b.op('DivNoNan', [y, b.op('Relu', [at(part, 2)])])
  for (const op of ['Sub', 'RealDiv', 'Minimum', 'SquaredDifference', 'Div']) y = b.op(op, [y, at(part, 2)])
  const joined = b.op('ConcatV2', [y, at(part, 3), b.constant(int(-1))])
  const halves = b.op('Split', [b.constant(int(1)), joined], { num_split: 2 })
  return [b.op('Maximum', [at(halves, 1), cells]), halves]
}

export interface Shape {
  readonly rows: number
  readonly steps: number
  readonly width: number
  /** Whether a mask keeps a state, and whether each step's state is kept or the last one's alone. */
  readonly masked: boolean
  readonly all: boolean
}

/** A layer over x[steps, rows, width] as Keras exports it: counters, lists of inputs, masks and outputs, and states. */
export function layer(
  cell: Cell,
  { rows, steps, masked, all }: Shape,
  weights: readonly Tensor[],
  length = steps,
): Graph {
  const b = new Builder()
  const [condition, body] = [new Builder(), new Builder()]
  const count = 9 + weights.length
  const [time, limit, step] = Array.from({ length: count }, () => condition.parameter())
  const isBelow = condition.op('Less', [step, condition.constant(int(length))])
  const cond = condition.graph(condition.op('LogicalAnd', [condition.op('Less', [time, limit]), isBelow]))
  const [inner, most, index, outputs, last, state, cells, list, masks, ...held] = Array.from({ length: count }, () =>
    body.parameter(),
  )
  const shape = body.constant(ints(-1, -1))
  const x = body.op('TensorListGetItem', [list, index, shape], { element_dtype: 'float32' })
  const mask = body.op('TensorListGetItem', [masks, index, shape], { element_dtype: 'bool' })
  const [made, carried] = cell(body, x, state, cells, held)
  const kept = (next: Value, before: Value): Value =>
    masked ? body.op('SelectV2', [body.op('Tile', [mask, body.constant(ints(1, 1))]), next, before]) : next
  const out = kept(made, last)
  const place = all ? index : body.constant(int(0))
  const written = body.op('TensorListSetItem', [outputs, place, out], { element_dtype: 'float32' })
  const next = (counter: Value): Value => body.op('AddV2', [counter, body.constant(int(1))])
  const now = [next(inner), most, next(index), written, out, kept(made, state), kept(carried, cells)]
  const graph = body.graph(...now, list, masks, ...held)

  const [given, isOn, first] = [b.parameter(), b.parameter(), b.parameter()]
  const elements = (of: Value, dtype: string): Value =>
    b.op('TensorListFromTensor', [of, b.constant(ints(-1, -1))], { element_dtype: dtype })
  const room = b.op('TensorListReserve', [b.constant(ints(-1, UNITS)), b.constant(int(all ? length : 1))], {
    element_dtype: 'float32',
  })
  const zero = b.constant(int(0))
  const zeros = b.constant(floats([rows, UNITS], () => 0))
  const begin = [zero, b.constant(int(length)), zero, room, zeros, first, zeros]
  const all_ = [...begin, elements(given, 'float32'), elements(isOn, 'bool'), ...weights.map((w) => b.constant(w))]
  const loop = b.op('While', all_, { cond: { graph: cond }, body: { graph } })
  const stack = b.op('TensorListStack', [at(loop, 3), b.constant(ints(rows, UNITS))], { element_dtype: 'float32' })
  return b.graph(stack, at(loop, 2), at(loop, 4), at(loop, 5), at(loop, 6))
}

/** What a TF1 layer does otherwise than it should. */
export interface Amiss {
  /** Elements that the array of inputs lacks. */
  readonly missing?: number
  /** An element of the array of outputs that is set before the loop. */
  readonly set?: number
  /** Elements of the outputs' array. */
  readonly size?: number
  readonly clears?: boolean
  /** The index of the first step. */
  readonly from?: number
  /** Each element of the inputs is read twice. */
  readonly twice?: boolean
  /** An element of the inputs is read after the loop. */
  readonly rereads?: boolean
  /** Which array the cell's outputs go to. */
  readonly same?: boolean
}

/** A layer over x[steps, rows, width] as TF 1's dynamic_rnn writes it: rows end where their lengths say, the loop with the longest. */
export function dynamic(
  cell: Cell,
  { rows, steps, masked }: Shape,
  weights: readonly Tensor[],
  amiss: Amiss = {},
): Graph {
  const {
    missing = 0,
    set,
    size = steps,
    clears = true,
    same = false,
    rereads = false,
    twice = false,
    from: start = 0,
  } = amiss
  const b = new Builder()
  const [condition, body] = [new Builder(), new Builder()]
  const count = 13 + weights.length
  const [i, time, , , , limit, longest] = Array.from({ length: count }, () => condition.parameter())
  const isBelow = condition.op('Less', [time, longest])
  const cond = condition.graph(condition.op('LogicalAnd', [condition.op('Less', [i, limit]), isBelow]))
  const parameters = Array.from({ length: count }, () => body.parameter())
  const [inner, index, flow, state, cells, , , from, fromFlow, lengths, zeros, to, , ...held] = parameters
  const read_ = (): Value => body.op('TensorArrayReadV3', [from, index, fromFlow], { dtype: 'float32' })
  const x = twice ? body.op('Mul', [read_(), read_()]) : read_()
  const [made, carried] = cell(body, x, state, cells, held)
  const isOver = body.op('GreaterEqual', [index, lengths])
  const goesOn = body.op('Greater', [lengths, index])
  const kept = (next: Value, before: Value): Value => (masked ? body.op('Select', [isOver, before, next]) : next)
  const out = masked ? body.op('Select', [goesOn, made, zeros]) : made
  const written = body.op('TensorArrayWriteV3', [to, index, out, flow])
  const next = (counter: Value): Value => body.op('AddV2', [counter, body.constant(int(1))])
  const now = [next(inner), next(index), written, kept(made, state), kept(carried, cells)]
  const graph = body.graph(...now, ...parameters.slice(5))

  const [given, ends, first] = [b.parameter(), b.parameter(), b.parameter()]
  const range = (to_: number): Value => b.constant(ints(...Array.from({ length: to_ }, (_, j) => j)))
  const array = (length: number, width: number): Value =>
    b.op('TensorArrayV3', [b.constant(int(length))], {
      dtype: 'float32',
      element_shape: { shape: [null, width] },
      identical_element_shapes: true,
      clear_after_read: clears,
    })
  const read = array(steps, weights[0].shape[0])
  const outputs = same ? read : array(size, UNITS)
  const given_ =
    missing === 0 ? given : b.op('StridedSlice', [given, ...[0, steps - missing, 1].map((v) => b.constant(ints(v)))])
  const scattered = b.op('TensorArrayScatterV3', [read, range(steps - missing), given_, at(read, 1)])
  const blank = b.constant(floats([rows, UNITS], () => 0))
  const before =
    set === undefined
      ? at(outputs, 1)
      : b.op('TensorArrayWriteV3', [outputs, b.constant(int(set)), blank, at(outputs, 1)])
  const longestOf = b.op('Maximum', [b.constant(int(1)), b.op('Max', [ends, b.constant(ints(0))])])
  const most = b.op('Minimum', [b.constant(int(steps)), longestOf])
  const zero = b.constant(int(0))
  const begin = [
    zero,
    b.constant(int(start)),
    before,
    first,
    blank,
    b.constant(int(steps)),
    masked ? most : b.constant(int(steps)),
  ]
  const all = [...begin, read, scattered, ends, blank, outputs, zero, ...weights.map((w) => b.constant(w))]
  const loop = b.op('While', all, { cond: { graph: cond }, body: { graph } })
  const gathered = b.op('TensorArrayGatherV3', [outputs, range(size), at(loop, 2)], {
    dtype: 'float32',
    element_shape: { shape: [null, UNITS] },
  })
  const answers = [gathered, at(loop, 3), at(loop, 4), at(loop, 1)]
  if (!rereads) return b.graph(...answers)
  // What the loop read is cleared where the array says so, what it did not reach is there.
  const last = b.op('Minimum', [at(loop, 1), b.constant(int(steps - 1))])
  return b.graph(...answers, b.op('TensorArrayReadV3', [read, last, at(loop, 8)], { dtype: 'float32' }))
}

export const weightsFor = (width: number): Tensor[] => [
  wave([width, 4 * UNITS], 1),
  wave([UNITS, 4 * UNITS], 2),
  wave([4 * UNITS], 3),
]

export const inputsOf = ({ rows, steps, width }: Shape, of: (i: number) => number): Tensor[] => [
  floats([steps, rows, width], of),
  tensor(
    'bool',
    [steps, rows, 1],
    Uint8Array.from({ length: steps * rows }, (_, i) => ((i * 7) % 3 === 0 ? 0 : 1)),
  ),
  wave([rows, UNITS], 5),
]
