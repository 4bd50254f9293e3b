import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { bindingsFor } from '../../../src/engine/bindings.ts'
import { instantiate } from '../../../src/engine/kernels.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { withKernels } from '../../../src/engine/table.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { Attrs, constant, type Graph, type Node, type OpTable, Program, type Value } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/index.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'

// Loops whose steps are one call, held against the same loop step by step with the same kernels: to the last bit.

let byStep: OpTable
let byLoop: OpTable
let memory: Memory
/** Products that ran as ops of their own. */
let products = 0

beforeAll(async () => {
  const reference = await loadAllOps()
  memory = new Memory(1 << 22)
  const kernels = instantiate(await compileKernels(), memory.wasm)
  const made = async (ops: readonly string[]) => {
    const table = new Map(withKernels(reference, kernels, memory, 1, await bindingsFor(new Set(ops))))
    const op = table.get('MatMul')
    if (op === undefined) throw new Error('MatMul is missing')
    table.set('MatMul', {
      ...op,
      evaluate: (call) => {
        products++
        return op.evaluate(call)
      },
    })
    return table
  }
  byStep = await made(['MatMul'])
  byLoop = await made(['MatMul', 'TensorListGetItem'])
})

/** A graph being written: each op gives its outputs' values. */
class Builder {
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

const at = ({ node }: Value, index: number): Value => ({ node, index })
const int = (value: number): Tensor => tensor('int32', [], Int32Array.of(value))
const ints = (...values: number[]): Tensor => tensor('int32', [values.length], Int32Array.from(values))
const floats = (shape: readonly number[], of: (i: number) => number): Tensor =>
  tensor(
    'float32',
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i)),
  )
const wave = (shape: readonly number[], seed: number): Tensor => floats(shape, (i) => Math.sin(i * 12.9898 + seed) * 2)

/** What a body makes of a step's input, the state and the cells: the next of both. */
type Cell = (b: Builder, x: Value, state: Value, cells: Value, weights: readonly Value[]) => readonly [Value, Value]

const UNITS = 3

const lstm: Cell = (b, x, state, cells, [kernel, recurrent, bias]) => {
  const sum = b.op('AddV2', [b.op('MatMul', [x, kernel]), b.op('MatMul', [state, recurrent])])
  const gates = b.op('Split', [b.constant(int(1)), b.op('BiasAdd', [sum, bias])], { num_split: 4 })
  const kept = b.op('Mul', [b.op('Sigmoid', [at(gates, 1)]), cells])
  const next = b.op('AddV2', [kept, b.op('Mul', [b.op('Sigmoid', [gates]), b.op('Tanh', [at(gates, 2)])])])
  return [b.op('Mul', [b.op('Sigmoid', [at(gates, 3)]), b.op('Tanh', [next])]), next]
}

/** The reset gate comes before the second product, whose weights are a part of all. */
const gru: Cell = (b, x, state, cells, [kernel, recurrent, bias]) => {
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
const swap: Cell = (b, x, state, cells, [kernel]) => {
  const product = b.op('MatMul', [x, kernel])
  const part = b.op('Split', [b.constant(int(1)), product], { num_split: 4 })
  return [b.op('Maximum', [cells, at(part, 3)]), b.op('Identity', [state])]
}

/** Every op by itself, a scalar and a column among the operands. */
const mixed: Cell = (b, x, state, cells, [kernel, , bias]) => {
  const part = b.op('Split', [b.constant(int(-1)), b.op('MatMul', [x, kernel])], { num_split: 4 })
  const column = b.op('Split', [b.constant(int(1)), state], { num_split: UNITS })
  const row = b.op('Split', [b.constant(int(0)), bias], { num_split: 4 })
  let y = b.op('AddV2', [part, at(column, 2)])
  for (const op of ['Relu6', 'Elu', 'Selu', 'LeakyRelu', 'Softplus', 'Square', 'Neg', 'Exp', 'Log1p', 'Abs', 'Sqrt'])
    y = b.op(op, [y])
  for (const op of ['Erf', 'Rsqrt', 'Reciprocal', 'Log', 'Floor', 'Ceil', 'Rint', 'Round', 'Relu', 'Sigmoid', 'Tanh'])
    y = b.op('AddV2', [b.op(op, [y]), b.op('Mul', [at(part, 1), row])])
  for (const op of ['Sub', 'RealDiv', 'DivNoNan', 'Minimum', 'SquaredDifference', 'Div']) y = b.op(op, [y, at(part, 2)])
  const joined = b.op('ConcatV2', [y, at(part, 3), b.constant(int(-1))])
  const halves = b.op('Split', [b.constant(int(1)), joined], { num_split: 2 })
  return [b.op('Maximum', [at(halves, 1), cells]), halves]
}

interface Shape {
  readonly rows: number
  readonly steps: number
  readonly width: number
  /** Whether a mask keeps a state, and whether each step's state is kept or the last one's alone. */
  readonly masked: boolean
  readonly all: boolean
}

/** A layer over x[steps, rows, width] as Keras exports it: counters, lists of inputs, masks and outputs, and states. */
function layer(cell: Cell, { rows, steps, masked, all }: Shape, weights: readonly Tensor[], length = steps): Graph {
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

const weightsFor = (width: number): Tensor[] => [
  wave([width, 4 * UNITS], 1),
  wave([UNITS, 4 * UNITS], 2),
  wave([4 * UNITS], 3),
]

/** Runs the layer both ways; the answers are the same bits. Gives how many products ran as ops of their own, by loop. */
function expectSame(graph: Graph, inputs: readonly Tensor[], programs = new Map<OpTable, Program>()): number {
  const answers = [byStep, byLoop].map((table) => {
    memory.begin()
    products = 0
    const program = programs.get(table) ?? new Program(graph, table)
    programs.set(table, program)
    const outputs = program.run(inputs)
    return outputs.map(({ shape, data }) => ({ shape, data: [...(data as Float32Array)] }))
  })
  const [theirs, ours] = answers
  expect(ours).toEqual(theirs)
  return products
}

const inputsOf = ({ rows, steps, width }: Shape, of: (i: number) => number): Tensor[] => [
  floats([steps, rows, width], of),
  tensor(
    'bool',
    [steps, rows, 1],
    Uint8Array.from({ length: steps * rows }, (_, i) => ((i * 7) % 3 === 0 ? 0 : 1)),
  ),
  wave([rows, UNITS], 5),
]

const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 6 }),
  steps: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 9 }),
  masked: fc.boolean(),
  all: fc.boolean(),
})

describe('a loop along a sequence in one call', () => {
  test.each([
    ['an LSTM', lstm],
    ['a GRU', gru],
    ['cells that are the state before', swap],
    ['any ops of floats', mixed],
  ])('is what its steps are: %s', (_, cell) => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const graph = layer(cell, shape, weightsFor(shape.width))
        const wild = [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-40, Number.NEGATIVE_INFINITY, 1e38]
        const some = (i: number) => Math.sin(i * 78.233) * 2
        expect(expectSame(graph, inputsOf(shape, some)), 'products of single steps').toBe(0)
        expectSame(
          graph,
          inputsOf(shape, (i) => wild[i % 17] ?? some(i)),
        )
      }),
      { numRuns: 25 },
    )
  })

  test('takes batches and lengths as they come, each compiled once', () => {
    const shape = { rows: 2, steps: 3, width: 2, masked: true, all: true }
    const graph = layer(lstm, shape, weightsFor(2))
    const programs = new Map<OpTable, Program>()
    for (const seed of [0, 1, 2])
      expect(
        expectSame(
          graph,
          inputsOf(shape, (i) => Math.cos(i + seed)),
          programs,
        ),
      ).toBe(0)
  })

  test('leaves a loop without steps, an empty batch and what the reference refuses to it', () => {
    const shape = { rows: 2, steps: 3, width: 2, masked: false, all: true }
    expectSame(layer(lstm, shape, weightsFor(2), 0), inputsOf(shape, Math.cos))
    expectSame(layer(lstm, { ...shape, rows: 0 }, weightsFor(2)), inputsOf({ ...shape, rows: 0 }, Math.cos))
    const refused = new Program(layer(lstm, shape, weightsFor(2), 4), byLoop)
    memory.begin()
    expect(() => refused.run(inputsOf(shape, Math.cos))).toThrow('Trying to access element 3 in a list with 3 elements')
    const wrong = new Program(layer(lstm, shape, weightsFor(5)), byLoop)
    memory.begin()
    expect(() => wrong.run(inputsOf(shape, Math.cos))).toThrow('size-incompatible')
  })
})
