import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { bindingsFor } from '../../../src/engine/bindings.ts'
import { Engine } from '../../../src/engine/engine.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { type Features, Model, type PublicTensor } from '../../../src/engine/model.ts'
import { compileKernels, compileSharedKernels } from '../../../src/engine/variants.ts'
import {
  Attrs,
  constant,
  type ModelDefinition,
  type Node,
  type OpTable,
  type Port,
  type Value,
} from '../../../src/graph/index.ts'
import { type LayerType, lower } from '../../../src/lower/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'
import { normal } from '../seeded.ts'

// A plan is a run written down: it answers as the run does, to the last bit, whatever comes between its calls.

let ops: OpTable

beforeAll(async () => {
  ops = await loadAllOps()
})

const floatsOf = (shape: readonly number[], seed: number): Float32Array =>
  Float32Array.from({ length: shape.reduce((size, dim) => size * dim, 1) }, normal(seed))

/** What a test's graph is built with. */
class Builder {
  readonly nodes: Node[] = []
  readonly parameters: Node[] = []
  readonly ports: Port[] = []
  private seed = 1

  add(op: string, inputs: readonly Value[], attrs: ConstructorParameters<typeof Attrs>[0] = {}): Value {
    const node = { name: `${op}_${this.nodes.length}`, op, attrs: new Attrs(attrs), inputs, controls: [] }
    this.nodes.push(node)
    return { node, index: 0 }
  }

  held(value: Tensor): Value {
    const node = constant(`held_${this.nodes.length}`, value)
    this.nodes.push(node)
    return { node, index: 0 }
  }

  floats(...shape: number[]): Value {
    return this.held(tensor('float32', shape, floatsOf(shape, this.seed++)))
  }

  ints(...values: number[]): Value {
    return this.held(tensor('int32', [values.length], Int32Array.from(values)))
  }

  axis(value: number): Value {
    return this.held(tensor('int32', [], Int32Array.of(value)))
  }

  input(name: string, shape: Port['shape'], dtype: Port['dtype'] = 'float32'): Value {
    const value = this.add('Parameter', [])
    this.parameters.push(value.node)
    this.ports.push({ name, dtype, shape })
    return value
  }

  dense(x: Value, k: number, n: number, activation: string | null): Value {
    const sums = this.add('BiasAdd', [this.add('MatMul', [x, this.floats(k, n)]), this.floats(n)])
    return activation === null ? sums : this.add(activation, [sums])
  }

  tower(output: Value, width: number, dtype: LayerType = 'float32'): ModelDefinition {
    const { parameters, nodes, ports: inputs } = this
    const graph = { parameters, nodes, outputs: [output] }
    const port: Port = { name: 'embedding', dtype: 'float32', shape: [null, width] }
    const towers = { candidate: null, similarity: null, joint: null, notes: [] }
    const definition: ModelDefinition = {
      source: 'a test',
      signatures: [{ name: 'serving_default', method: '', inputs, outputs: [port], graph }],
      towers: { ...towers, query: { signature: 'serving_default', inputs, output: port, graph } },
    }
    return lower(definition, ops, dtype)
  }
}

/** The model by plans, and one that never has any. */
async function both(definition: ModelDefinition): Promise<{ planned: Model; engine: Engine; plain: Model }> {
  const names = new Set(definition.signatures.flatMap(({ graph }) => graph.nodes.map(({ op }) => op)))
  const bindings = await bindingsFor(names)
  const module = await compileKernels({}, bindings.length === 0 ? 'core' : 'all')
  const engine = new Engine(definition, ops, module, { bindings })
  const without = new Engine(definition, ops, module, { bindings, around: (table) => table })
  await Promise.all([engine.loadPlanner(), without.loadPlanner()])
  expect(engine.planner).not.toBeNull()
  expect(without.planner).toBeNull()
  return { engine, planned: new Model(definition, engine), plain: new Model(definition, without) }
}

/** Held by their bytes: a million numbers one by one take long. */
function expectSame(ours: PublicTensor, theirs: PublicTensor): void {
  expect(ours.shape).toEqual(theirs.shape)
  const [a, b] = [ours.data, theirs.data].map((data) => Buffer.from((data as Float32Array).buffer))
  expect(Buffer.compare(a, b)).toBe(0)
}

/** How many shapes have a plan. */
function plansOf(tower: object): number {
  const { runner } = tower as { runner: { planned: { planned: { plan: unknown }[] } | null } }
  return runner.planned?.planned.filter(({ plan }) => plan !== null).length ?? 0
}

const LAYER = fc.oneof(
  fc.record({
    kind: fc.constant('dense' as const),
    n: fc.integer({ min: 1, max: 70 }),
    activation: fc.constantFrom(null, 'Relu', 'Tanh', 'Sigmoid', 'Elu', 'LeakyRelu', 'Softplus'),
  }),
  fc.record({ kind: fc.constantFrom('norm', 'unit', 'softmax', 'shift', 'square', 'join', 'again', 'flat') }),
)

/** A tower of two inputs, of such layers in turn. */
function built(
  layers: readonly (typeof LAYER extends fc.Arbitrary<infer L> ? L : never)[],
  widths: readonly number[],
  dtype: LayerType,
) {
  const b = new Builder()
  const [first, second] = [b.input('first', [null, widths[0]]), b.input('second', [null, widths[1]])]
  let n = widths[0] + widths[1]
  let x = b.add('ConcatV2', [first, second, b.axis(1)])
  for (const layer of layers) {
    if (layer.kind === 'dense') {
      x = b.dense(x, n, layer.n, layer.activation)
      n = layer.n
    } else if (layer.kind === 'norm') {
      x = b.add('twotower>LayerNorm', [x, b.floats(n), b.floats(n)], { first: 1, last: 1, epsilon: 0.001 })
    } else if (layer.kind === 'unit') x = b.add('twotower>L2Normalize', [x], { epsilon: 1e-12 })
    else if (layer.kind === 'softmax') x = b.add('Softmax', [x])
    else if (layer.kind === 'shift') x = b.add('AddV2', [x, b.floats(n)])
    else if (layer.kind === 'square') x = b.add('Mul', [x, x])
    else if (layer.kind === 'join') {
      x = b.add('ConcatV2', [x, second, b.axis(-1)])
      n += widths[1]
    } else if (layer.kind === 'again') x = b.add('Identity', [x])
    else x = b.add('Reshape', [b.add('ExpandDims', [x, b.axis(1)]), b.ints(-1, n)])
  }
  return b.tower(x, n, dtype)
}

test('towers of any layers answer by plans as without, to the last bit, whatever the batches come to in turn', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(LAYER, { minLength: 1, maxLength: 6 }),
      fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 })),
      fc.constantFrom<LayerType>('float32', 'int8'),
      async (layers, widths, dtype) => {
        const { planned, plain } = await both(built(layers, widths, dtype))
        for (const [turn, rows] of [1, 1, 1, 33, 33, 1, 2, 2, 33, 0, 7, 7, 7, 1].entries()) {
          const features: Features = {
            first: floatsOf([rows, widths[0]], turn),
            second: { dtype: 'float32', shape: [rows, widths[1]], data: floatsOf([rows, widths[1]], turn + 50) },
          }
          if (rows > 0 && turn % 3 === 2) (features.first as Float32Array).set([Number.NaN])
          const answer = plain.query.embed(features)
          expectSame(planned.query.embed(features), answer)
          expectSame(planned.run('serving_default', features).embedding, answer)
        }
      },
    ),
    { numRuns: 40 },
  )
})

/** Two layers on one input, as a tower of floats is. */
function simple(dtype: LayerType = 'float32', k = 20) {
  const b = new Builder()
  const x = b.input('x', [null, k])
  const y = b.dense(b.dense(x, k, 48, 'Relu'), 48, 40, null)
  return b.tower(b.add('twotower>L2Normalize', [y], { epsilon: 1e-12 }), 40, dtype)
}

test('two calls of the same shape are worth a plan, and of many shapes the last eight are kept', async () => {
  const { planned, plain } = await both(simple())
  const embed = (rows: number) => {
    const x = floatsOf([rows, 20], rows)
    expectSame(planned.query.embed({ x }), plain.query.embed({ x }))
  }
  // The first run is a start, which has no use for plans.
  for (let turn = 0; turn < 3; turn++) embed(1)
  expect(plansOf(planned.query)).toBe(0)
  embed(1)
  expect(plansOf(planned.query)).toBe(1)
  for (let rows = 1; rows < 30; rows++) for (let turn = 0; turn < 4; turn++) embed(rows)
  expect(plansOf(planned.query)).toBe(8)
})

test('a plan outlives the growth of the memory, and two towers that share it', async () => {
  const [query, candidate] = [simple('float32', 20), simple('float32', 24)]
  const other = { ...(candidate.towers.query as NonNullable<typeof candidate.towers.query>), signature: 'other' }
  const definition: ModelDefinition = {
    ...query,
    signatures: [...query.signatures, { ...candidate.signatures[0], name: 'other' }],
    towers: { ...query.towers, candidate: other },
  }
  const { planned, plain, engine } = await both(definition)
  const turn = (rows: number, seed: number) => {
    const [x, y] = [floatsOf([rows, 20], seed), floatsOf([rows, 24], seed + 1)]
    expectSame(planned.query.embed({ x }), plain.query.embed({ x }))
    expectSame(planned.candidate.embed({ x: y }), plain.candidate.embed({ x: y }))
  }
  for (let i = 0; i < 5; i++) turn(1, i)
  const before = engine.memory.wasm.buffer.byteLength
  for (let i = 0; i < 4; i++) turn(9000, i)
  expect(engine.memory.wasm.buffer.byteLength).toBeGreaterThan(before)
  expect(plansOf(planned.query)).toBe(2)
  for (let i = 0; i < 5; i++) turn(1, i)
  turn(9000, 7)
})

test('plans of threads that share a memory hold, wherever the arenas go when they grow', async () => {
  const definition = simple()
  const module = await compileSharedKernels()
  const first = new Memory(1 << 20, { shared: true })
  const memories = [first, new Memory(1 << 20, { beside: first.wasm })]
  const models = await Promise.all(
    memories.map(async (memory) => {
      const engine = new Engine(definition, ops, module, { memory })
      await engine.loadPlanner()
      return new Model(definition, engine)
    }),
  )
  const { plain } = await both(definition)
  const sizes = [1, 1, 1, 1, 5000, 5000, 5000, 5000, 1, 9000, 9000, 9000, 9000, 1, 5000, 5000, 1, 1, 3, 3, 3, 3, 9000]
  for (const [turn, rows] of sizes.entries()) {
    const x = floatsOf([rows, 20], turn)
    for (const model of models) expectSame(model.query.embed({ x }), plain.query.embed({ x }))
  }
  expect(models.map(({ query }) => plansOf(query))).toEqual([4, 4])
})

test('what comes before the layers keeps its values out of the way of a plan', async () => {
  const b = new Builder()
  const [x, names] = [b.input('x', [null, 40]), b.input('names', [null, null], 'string')]
  // Values in linear memory that a run makes before the layers, as many as the strings are.
  const hashed = b.add('StringToHashBucketFast', [names], { num_buckets: 9n })
  const many = b.add('Exp', [b.add('Cast', [hashed], { DstT: 'float32' })])
  const summed = b.add('Sum', [b.add('Square', [many]), b.ints(1)], { keep_dims: true })
  const scaled = b.add('Mul', [b.add('Square', [x]), b.add('Tanh', [summed])])
  const y = b.dense(b.add('ConcatV2', [scaled, x, summed, b.axis(1)]), 81, 64, 'Relu')
  const { planned, plain } = await both(b.tower(y, 64))
  for (const [turn, [rows, length]] of [
    [1, 1],
    [1, 1],
    [1, 3],
    [1, 900],
    [1, 2],
    [33, 40],
    [33, 40],
    [33, 9],
    [1, 2000],
    [33, 70],
  ].entries()) {
    const names = Array.from({ length: rows }, (_, r) => Array.from({ length }, (_, i) => `${turn} ${r} ${i}`))
    const features = { x: floatsOf([rows, 40], turn), names }
    expectSame(planned.query.embed(features), plain.query.embed(features))
  }
  expect(plansOf(planned.query)).toBe(2)
})

test('shapes that a graph computes of the batch are known for its size, and those that it computes of numbers are not', async () => {
  const b = new Builder()
  const [x, width] = [b.input('x', [null]), b.input('width', [], 'int32')]
  const y = b.input('y', [null, 3])
  const part = (of: Value, at: number) =>
    b.add('StridedSlice', [of, b.ints(at), b.ints(at + 1), b.ints(1)], { shrink_axis_mask: 1 })
  const size = part(b.add('Shape', [b.add('Square', [x])], { out_type: 'int32' }), 0)
  const column = b.add('Reshape', [x, b.add('Pack', [size, b.axis(1)])])
  // As many columns as a number says: the same shapes in, others within.
  const wide = b.add('Tile', [column, b.add('Pack', [b.axis(1), width])])
  const columns = part(b.add('Shape', [wide], { out_type: 'int32' }), 1)
  const scale = b.add('Cast', [b.add('Mul', [columns, size])], { DstT: 'float32' })
  const scaled = b.add('Mul', [b.add('ConcatV2', [column, y, b.axis(1)]), scale])
  const { planned, plain } = await both(b.tower(b.dense(scaled, 4, 40, 'Tanh'), 40))
  for (const [turn, [rows, columns]] of [
    [1, 2],
    [1, 2],
    [1, 2],
    [1, 5],
    [1, 5],
    [3, 5],
    [3, 2],
    [3, 2],
    [1, 7],
  ].entries()) {
    const features = { x: floatsOf([rows], turn), y: floatsOf([rows, 3], turn), width: Int32Array.of(columns) }
    expectSame(planned.query.embed(features), plain.query.embed(features))
  }
})

test('outputs that layers do not make come beside theirs', async () => {
  const b = new Builder()
  const x = b.input('x', [null, 40])
  const early = b.add('Square', [x])
  const y = b.dense(b.add('ConcatV2', [early, x, b.axis(1)]), 80, 33, 'Tanh')
  const z = b.add('Softmax', [y])
  const tower = b.tower(z, 33)
  const [{ graph, ...signature }] = tower.signatures
  const find = (op: string) => ({ node: graph.nodes.find((node) => node.op === op) as Node, index: 0 })
  const outputs = [find('Square'), find('Softmax'), find('twotower>Dense'), graph.outputs[0], find('Parameter')]
  const ports = outputs.map((_, i) => ({ name: `output_${i}`, dtype: 'float32' as const, shape: null }))
  const definition = { ...tower, signatures: [{ ...signature, outputs: ports, graph: { ...graph, outputs } }] }
  const { planned, plain } = await both(definition)
  for (let turn = 0; turn < 4; turn++) {
    const inputs = { x: floatsOf([2, 40], turn) }
    const [ours, theirs] = [planned.run(undefined, inputs), plain.run(undefined, inputs)]
    for (const { name } of ports) expectSame(ours[name], theirs[name])
  }
})

test("an answer is the caller's own: what he does to it or to his input changes no later one", async () => {
  const { planned, plain } = await both(simple())
  const x = floatsOf([1, 20], 1)
  for (let turn = 0; turn < 4; turn++) {
    const answer = planned.query.embed({ x })
    expectSame(answer, plain.query.embed({ x }))
    ;(answer.shape as number[]).push(7)
    ;(answer.data as Float32Array).fill(9)
    structuredClone(answer, { transfer: [(answer.data as Float32Array).buffer] })
    x[turn] = 5
  }
})

test("a plan is of the shape that it was made for, whatever becomes of the caller's list", async () => {
  const { planned, plain } = await both(simple())
  const x = { dtype: 'float32' as const, shape: [1, 20], data: floatsOf([1, 20], 1) }
  for (let turn = 0; turn < 4; turn++) expectSame(planned.query.embed({ x }), plain.query.embed({ x }))
  expect(plansOf(planned.query)).toBe(1)
  x.shape[0] = 3
  x.data = floatsOf([3, 20], 2)
  expectSame(planned.query.embed({ x }), plain.query.embed({ x }))
})

test('what is wrong is refused after a plan was made, too', async () => {
  const { planned } = await both(simple())
  const x = floatsOf([1, 20], 1)
  for (let turn = 0; turn < 3; turn++) planned.query.embed({ x })
  expect(() => planned.query.embed({ x, y: x })).toThrow('has no input "y"')
  expect(() => planned.query.embed({})).toThrow('input "x" is missing')
  expect(() => planned.query.embed({ y: x })).toThrow('has no input "y"')
  expect(() => planned.query.embed(Object.create({ x }))).toThrow('input "x" is missing')
  expect(() => planned.query.embed(Object.assign(Object.create({ x }), { y: x }))).toThrow('has no input "y"')
  expect(() => planned.query.embed({ x: x.subarray(1) })).toThrow('do not fill it')
  expect(() => planned.query.embed({ x: Float64Array.from(x) })).toThrow('got a Float64Array')
  expect(planned.query.embed({ x: [[...x]] }).shape).toEqual([1, 40])
})

describe('a call by a plan', () => {
  for (const dtype of ['float32', 'int8'] as const) {
    test(`allocates nothing in the heap but its result, in ${dtype}`, async () => {
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      const { planned, plain } = await both(simple(dtype))
      const features = { x: floatsOf([1, 20], 1) }
      let kept: unknown
      const alone = () => ({ dtype: 'float32', shape: [1, 40].slice(), data: new Float32Array(40) })
      // Until the compiler is done with it, which runs beside on a thread that others may keep from the core.
      const bytes = async (call: () => unknown, enough = 0, patience = 0) => {
        let least = Number.POSITIVE_INFINITY
        const end = performance.now() + patience
        for (let round = 0; round < 2 || (least > enough && performance.now() < end); round++) {
          for (let i = 0; i < 10_000; i++) kept = call()
          await new Promise(setImmediate)
          collect()
          const before = process.memoryUsage().heapUsed
          for (let i = 0; i < 200; i++) kept = call()
          least = Math.min(least, (process.memoryUsage().heapUsed - before) / 200)
        }
        return least
      }
      // A number or two is put into a box where the compiler has met other calls before; a view or a list are more.
      const enough = (await bytes(alone)) + 96
      expect(await bytes(() => planned.query.embed(features), enough, 60_000)).toBeLessThanOrEqual(enough)
      expect(await bytes(() => plain.query.embed(features))).toBeGreaterThan(enough + 1000)
      expect(kept).toBeDefined()
    })
  }
})
