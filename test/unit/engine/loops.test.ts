import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { bindingsFor } from '../../../src/engine/bindings.ts'
import { instantiate } from '../../../src/engine/kernels.ts'
import { elementsOf } from '../../../src/engine/looprun.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { withKernels } from '../../../src/engine/table.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { Attrs, type Graph, type OpTable, Program } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { TensorList } from '../../../src/ops/tensorlist.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'
import {
  type Amiss,
  dropping,
  dynamic,
  gru,
  inputsOf,
  ints,
  layer,
  lstm,
  mixed,
  type Shape,
  swap,
  UNITS,
  weightsFor,
} from './recurrent.ts'

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
  // What the cells hold of the ops whose kernels few towers have.
  const cells = ['MatMul', 'Erf']
  byStep = await made(cells)
  byLoop = await made([...cells, 'TensorArrayReadV3'])
})

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

const shapes = fc.record({
  // From 32 rows of all steps on, matrices are laid in panels first.
  rows: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(16, 33)),
  steps: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 9 }),
  masked: fc.boolean(),
  all: fc.boolean(),
})

describe('a loop of TF 1 in one call', () => {
  /** Rows end one after the other, the last steps' none: the loop stops before them. */
  const endsOf = ({ rows, steps }: Shape): Tensor =>
    ints(...Array.from({ length: rows }, (_, i) => Math.max(1, (i * 3) % steps)))
  const given = (shape: Shape, ends = endsOf(shape)): Tensor[] => {
    const [x, , first] = inputsOf(shape, (i) => Math.sin(i * 78.233) * 2)
    return [x, ends, first]
  }

  test.each([
    ['an LSTM', lstm],
    ['a GRU', gru],
    ['cells that are the state before', swap],
  ])('is what its steps are: %s', (_, cell) => {
    fc.assert(
      fc.property(shapes, fc.boolean(), (shape, clears) => {
        const graph = dynamic(cell, shape, weightsFor(shape.width), { clears, rereads: !clears })
        expect(expectSame(graph, given(shape)), 'products of single steps').toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  const shape = { rows: 2, steps: 3, width: 2, masked: true, all: true }

  test('that gives less than it takes is what the ops one by one make of it', () => {
    const graph = dynamic(lstm, shape, weightsFor(2), { clears: true, rereads: true })
    for (const node of graph.nodes.filter(({ op }) => op === 'While')) {
      const body = node.attrs.graph('body')
      const less = { ...body, outputs: body.outputs.slice(0, -1) }
      Object.assign(node, { attrs: new Attrs({ cond: { graph: node.attrs.graph('cond') }, body: { graph: less } }) })
    }
    const told = [byStep, byLoop].map((table) => {
      memory.begin()
      try {
        return new Program(graph, table).run(given(shape)).length
      } catch (error) {
        return (error as Error).message
      }
    })
    expect(told[1]).toEqual(told[0])
  })

  test('takes whatever lengths come, none above 0 and more than there are steps too', () => {
    const graph = dynamic(lstm, { ...shape, rows: 3 }, weightsFor(2), { clears: true, rereads: true })
    const programs = new Map<OpTable, Program>()
    for (const ends of [
      [0, 0, 0],
      [2, 1, 2],
      [1, -4, 1],
    ])
      expect(expectSame(graph, given({ ...shape, rows: 3 }, ints(...ends)), programs), `${ends}`).toBe(0)
    const whole = dynamic(lstm, { ...shape, rows: 3 }, weightsFor(2))
    expect(expectSame(whole, given({ ...shape, rows: 3 }, ints(3, 9, 1)))).toBe(0)
  })

  test('leaves an element that is not there to the reference: zeros', () => {
    const graph = dynamic(lstm, { ...shape, masked: false }, weightsFor(2), { missing: 1 })
    expect(expectSame(graph, given(shape))).toBeGreaterThan(0)
  })

  test.each<[string, Amiss, string]>([
    [
      'an element that was set before',
      { set: 1 },
      'Could not write to TensorArray index 1 because it has already been written',
    ],
    ['more elements than there is room for', { size: 2 }, 'Tried to write to index 2 but array is not resizeable'],
    ['to write to the array that it reads', { same: true }, 'because it has already been written'],
    ['to read what was read once already', { rereads: true }, 'Could not read index 2 twice'],
    ['to read before the first', { from: -1 }, 'Tried to read from index -1 but array size is: 3'],
    ['to read the same twice in a step', { twice: true }, 'Could not read index 0 twice'],
  ])('has the reference refuse %s', (_, amiss, message) => {
    const whole = { ...shape, masked: false, width: UNITS }
    const program = new Program(dynamic(lstm, whole, weightsFor(UNITS), amiss), byLoop)
    memory.begin()
    // It names the node in the loop's body.
    expect(() => program.run(given(whole))).toThrow(new RegExp(`node "TensorArray(Read|Write)V3_.*${message}`))
  })
})

test('elements that only seem to lie one after the other are put together', () => {
  const element = (buffer: ArrayBuffer, from: number): Tensor =>
    tensor('float32', [2], new Float32Array(buffer, from, 2))
  const [a, b] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)]
  const both = (...elements: Tensor[]) => elementsOf(new TensorList('float32', null, elements), 0, 2)?.data
  expect(both(element(a.buffer, 0), element(b.buffer, 8))).toEqual(Float32Array.of(1, 2, 7, 8))
  expect(both(element(a.buffer, 8), element(a.buffer, 0))).toEqual(Float32Array.of(3, 4, 1, 2))
  const row = both(element(a.buffer, 0), element(a.buffer, 8)) as Float32Array
  expect([row.buffer, [...row]]).toEqual([a.buffer, [1, 2, 3, 4]])
})

describe('a loop along a sequence in one call', () => {
  test.each([
    ['an LSTM', lstm],
    ['an LSTM that might drop some of its inputs', dropping],
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
