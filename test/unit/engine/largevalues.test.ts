import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { bindingsFor } from '../../../src/engine/bindings.ts'
import { instantiate } from '../../../src/engine/kernels.ts'
import { LargeValues } from '../../../src/engine/largevalues.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { withKernels } from '../../../src/engine/table.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { Attrs, type Graph, type OpTable, Program, type Value } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'
import { at, Builder, int as integer, ints as integers, wave } from './recurrent.ts'

// Room that is used again within a run: what a graph computes stays the same to the last bit, and takes what lives at once.

let reference: OpTable
let module: WebAssembly.Module

beforeAll(async () => {
  reference = await loadAllOps()
  module = await compileKernels()
})

interface Engine {
  readonly memory: Memory
  readonly ops: OpTable
}

/** Kernels on a memory that uses room again of values from `least` bytes on; null for never. */
async function engine(bytes: number, least: number | null): Promise<Engine> {
  const memory = new Memory(bytes)
  const bindings = await bindingsFor(new Set(['MatMul']))
  const ops = withKernels(reference, instantiate(module, memory.wasm), memory, 1, bindings)
  memory.large = least === null ? null : new LargeValues(memory, least)
  return { memory, ops }
}

const [ROWS, COLUMNS] = [6, 8]
const ints = (b: Builder, ...values: number[]): Value => b.constant(integers(...values))
const int = (b: Builder, value: number): Value => b.constant(integer(value))
/** Ways to make a value of ROWS × COLUMNS of two: what is new, what is a view, what is kept where nobody looks, loops. */
const KINDS: readonly ((b: Builder, x: Value, y: Value) => Value)[] = [
  (b, x, y) => b.op('AddV2', [x, y]),
  (b, x) => b.op('Tanh', [x]),
  (b, x) => b.op('Identity', [x]),
  // Views: all, and the later half.
  (b, x, y) => {
    const view = b.op('Reshape', [x, ints(b, COLUMNS, ROWS)])
    b.op('Sigmoid', [view])
    return b.op('Mul', [b.op('Reshape', [view, ints(b, ROWS, COLUMNS)]), y])
  },
  (b, x, y) => {
    const bounds = [ints(b, ROWS / 2, 0), ints(b, ROWS, COLUMNS), ints(b, 1, 1)]
    const half = b.op('StridedSlice', [x, ...bounds])
    return b.op('ConcatV2', [half, b.op('Relu', [b.op('StridedSlice', [y, ...bounds])]), int(b, 0)])
  },
  // Several outputs, one of which nobody reads.
  (b, x, y) => {
    const parts = b.op('Split', [int(b, 1), x], { num_split: 4 })
    const product = b.op('MatMul', [
      b.op('ConcatV2', [at(parts, 3), at(parts, 1), int(b, 1)]),
      b.constant(wave([4, 8], 3)),
    ])
    return b.op('Sub', [product, y])
  },
  // A list keeps what it was given.
  (b, x, y) => {
    const shape = ints(b, ROWS, COLUMNS)
    const empty = b.op('TensorListReserve', [shape, int(b, 2)], { element_dtype: 'float32' })
    const kind = { element_dtype: 'float32' }
    const list = b.op('TensorListSetItem', [empty, int(b, 1), b.op('Tanh', [x])], kind)
    const both = b.op('TensorListSetItem', [list, int(b, 0), y], kind)
    const first = b.op('AddV2', [y, x])
    return b.op('Mul', [first, b.op('TensorListGetItem', [both, int(b, 1), shape], kind)])
  },
  // An array of TF 1 does too, and its handle says nothing of it.
  (b, x, y) => {
    const array = b.op('TensorArrayV3', [int(b, 1)], { dtype: 'float32' })
    const flow = b.op('TensorArrayWriteV3', [array, int(b, 0), b.op('Tanh', [x]), at(array, 1)])
    const other = b.op('AddV2', [y, x])
    return b.op('Mul', [other, b.op('TensorArrayReadV3', [array, int(b, 0), flow], { dtype: 'float32' })])
  },
  // A branch gives back its input, or what it made; a loop what it made in the round before.
  (b, x, y) => {
    const [same, made] = [new Builder(), new Builder()]
    const branches = [same, made].map((branch) => [branch.parameter(), branch.parameter()] as const)
    const then_branch = { graph: same.graph(branches[0][0], same.op('Tanh', [branches[0][1]])) }
    const [p, q] = branches[1]
    const else_branch = { graph: made.graph(made.op('AddV2', [made.op('Tanh', [p]), q]), q) }
    const on = b.constant(tensor('bool', [], Uint8Array.of(1)))
    const Tout = ['float32', 'float32']
    const first = b.op('If', [on, x, y], { then_branch, else_branch, Tout })
    const off = b.constant(tensor('bool', [], Uint8Array.of(0)))
    const second = b.op('If', [off, first, at(first, 1)], { then_branch, else_branch, Tout })
    return b.op('Mul', [second, at(second, 1)])
  },
  (b, x, y) => {
    const [condition, body] = [new Builder(), new Builder()]
    const [i] = [condition.parameter(), condition.parameter(), condition.parameter()]
    const [j, p, q] = [body.parameter(), body.parameter(), body.parameter()]
    const next = body.op('AddV2', [j, int(body, 1)])
    const loop = b.op('While', [int(b, 0), x, y], {
      cond: { graph: condition.graph(condition.op('Less', [i, int(condition, 3)])) },
      body: { graph: body.graph(next, q, body.op('Sub', [body.op('Tanh', [p]), body.op('Sigmoid', [q])])) },
    })
    return b.op('AddV2', [at(loop, 1), at(loop, 2)])
  },
]

interface Step {
  readonly kind: number
  readonly x: number
  readonly y: number
}

/** Steps on the values so far; of them some are the graph's outputs, the last one among these. */
function graphOf(steps: readonly Step[], kept: readonly number[]): Graph {
  const b = new Builder()
  const values = [b.parameter(), b.op('Tanh', [b.constant(wave([ROWS, COLUMNS], 5))])]
  for (const { kind, x, y } of steps) values.push(KINDS[kind](b, values[x % values.length], values[y % values.length]))
  return b.graph(values[values.length - 1], ...kept.map((i) => values[i % values.length]))
}

function answer({ memory, ops }: Engine, graph: Graph): number[][] {
  const program = new Program(graph, ops, memory.large)
  memory.begin()
  return program.run([wave([ROWS, COLUMNS], 1)]).map(({ data }) => [...(data as Float32Array)])
}

describe('room that is used again', () => {
  const place = fc.nat(30)
  const steps = fc.array(fc.record({ kind: fc.nat(KINDS.length - 1), x: place, y: place }), {
    minLength: 1,
    maxLength: 16,
  })

  test('leaves every value of any graph as it is while somebody reads it', async () => {
    const [plain, again] = [await engine(1 << 20, null), await engine(1 << 20, 0)]
    fc.assert(
      fc.property(steps, fc.array(place, { maxLength: 3 }), (some, kept) => {
        const graph = graphOf(some, kept)
        expect(answer(again, graph)).toEqual(answer(plain, graph))
      }),
      { numRuns: 300 },
    )
  })

  /** A chain of values of 64 KB, each made of the one before and of the first. */
  const chain = (length: number): Graph => {
    const b = new Builder()
    const x = b.op('Neg', [b.parameter()])
    let value = b.op('Abs', [x])
    for (let i = 0; i < length; i++) value = b.op('AddV2', [b.op('Identity', [value]), x])
    return b.graph(value)
  }
  const page = wave([1 << 14], 2)

  test('makes a run take what lives at once, not what it makes in all', async () => {
    const { memory, ops } = await engine(1 << 16, 1 << 14)
    const program = new Program(chain(40), ops, memory.large)
    const answers = [0, 1, 2].map(() => {
      memory.begin()
      const [{ data }] = program.run([page])
      return { isInside: memory.holds(data as Float32Array), data: [...(data as Float32Array)] }
    })
    // The first run finds no room, and the arena is what it asked for; the next ones fit into that.
    expect(answers.map(({ isInside }) => isInside)).toEqual([false, true, true])
    expect(answers[1].data).toEqual(answers[0].data)
    // The first value, the one before and the one that is made; what is copied in while values lie outside; a quarter more.
    expect(memory.wasm.buffer.byteLength).toBeLessThanOrEqual(8 << 16)
  })

  test('is given back by each step that makes what nobody reads', async () => {
    const { memory, ops } = await engine(1 << 20, 0)
    const b = new Builder()
    const x = b.parameter()
    for (const op of ['Tanh', 'Abs']) b.op(op, [x])
    const program = new Program(b.graph(b.op('Neg', [x])), ops, memory.large)
    memory.begin()
    const { top } = memory
    program.run([page])
    // What was given, copied to where a kernel reads it, and what is made of it: not what was made of it before.
    expect(memory.top - top).toBe(8 * (1 << 14))
  })

  describe('told by hand', () => {
    const given = async () => {
      const memory = new Memory(1 << 20)
      const large = new LargeValues(memory, 0)
      memory.large = large
      memory.begin()
      const bottom = memory.top
      const made = (): Tensor => tensor('float32', [64], memory.room(64) as Float32Array)
      /** A step that reads and makes these, of which the last are not read again. */
      const settle = (inputs: readonly Tensor[], results: readonly Tensor[], last: readonly Tensor[]): void => {
        const slots = (of: readonly Tensor[], from: number) => of.map((_, i) => from + i)
        const [output, end] = [inputs.length, inputs.length + results.length]
        large.settle({ inputs: slots(inputs, 0), output, count: results.length, last: slots(last, end) }, [
          ...inputs,
          ...results,
          ...last,
        ])
      }
      return { large, settle, made, taken: () => memory.top - bottom }
    }

    test('is taken while a part of it is read', async () => {
      const { settle, made, taken } = await given()
      const part = tensor('float32', [32], (made().data as Float32Array).subarray(32))
      settle([], [part], [])
      expect(taken()).toBe(256)
      settle([part], [], [part])
      expect(taken()).toBe(0)
    })

    test('is given back by the step around a run: its own, and what the run left', async () => {
      const { large, settle, made, taken } = await given()
      made()
      large.enter()
      settle([], [made()], [])
      large.leave()
      expect(taken()).toBe(512)
      settle([], [], [])
      expect(taken()).toBe(0)
    })

    test('is not, where a run within gave it to what keeps it', async () => {
      const { large, settle, made, taken } = await given()
      large.enter()
      settle([{ dtype: 'resource', shape: [], data: [] }], [made()], [])
      large.leave()
      settle([], [], [])
      expect(taken()).toBe(256)
    })
  })

  test('is not where no program tells that it may be', async () => {
    const { memory, ops } = await engine(1 << 20, 1 << 14)
    memory.begin()
    const [x] = [tensor('float32', [1 << 14], page.data as Float32Array)]
    const node = { name: 'n', op: 'Tanh', attrs: Attrs.none, inputs: [], controls: [] }
    const places = [0, 1, 2].map(() => {
      const made = ops.get('Tanh')?.evaluate({ inputs: [x], attrs: Attrs.none, node, files: new Map(), run: () => [] })
      return ((made as Tensor).data as Float32Array).byteOffset
    })
    expect(new Set(places).size).toBe(3)
  })
})
