import { describe, expect, test } from 'vitest'
import { bindingsFor } from '../../../src/engine/bindings.ts'
import { Engine } from '../../../src/engine/engine.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { Attrs, constant, type ModelDefinition, type Node } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { packPanels, type Tensor, tensor } from '../../../src/tensor/index.ts'
// Turns relaxed SIMD on where this Node has it behind a flag, so that there is a choice.
import '../kernels/instance.ts'

const ops = await loadAllOps()
const none: ModelDefinition = {
  source: 'test',
  signatures: [],
  towers: { query: null, candidate: null, similarity: null, joint: null, notes: [] },
}

async function answer(deterministic: boolean, op: string, inputs: readonly Tensor[], attrs = Attrs.none) {
  const engine = new Engine(none, ops, await compileKernels({ deterministic }), { deterministic })
  engine.memory.begin()
  const node = { name: 'n', op, attrs, inputs: [], controls: [] }
  const result = engine.ops.get(op)?.evaluate({ inputs, attrs, node, files: new Map(), run: () => [] }) as Tensor
  return (result.data as Float32Array).slice()
}

describe('deterministic kernels', () => {
  // Each product is rounded before it is added, and the sum again: what one rounding would say is 2^-24 away.
  const [k, n] = [2, 1]
  const x = tensor('float32', [1, k], Float32Array.of(1 + 2 ** -12, 1))
  const w = Float32Array.of(1 + 2 ** -12, -1 - 2 ** -11)
  const panels = tensor('float32', [1, k, 16], packPanels(w, k, n))
  const dense = [x, panels]
  const attrs = new Attrs({ k, n })

  test('round a product before it is added', async () => {
    expect(await answer(true, 'twotower>Dense', dense, attrs)).toEqual(Float32Array.of(0))
  })

  test('take even a few elements through a kernel', async () => {
    const few = tensor('float32', [3], Float32Array.of(0.3, -1.7, 11.1))
    const many = tensor(
      'float32',
      [96],
      Float32Array.from({ length: 96 }, (_, i) => few.data[i % 3]),
    )
    for (const op of ['Exp', 'Tanh', 'Sigmoid', 'Log1p', 'Erf']) {
      const [a, b] = [await answer(true, op, [few]), await answer(true, op, [many])]
      expect(a, op).toEqual(b.slice(0, 3))
    }
  })

  test('are compiled once', () => {
    expect(compileKernels({ deterministic: true })).toBe(compileKernels({ deterministic: true }))
  })
})

/** A model of one op that reads `weights`, twice. */
function reading(op: string, weights: Node): ModelDefinition {
  const value = { node: weights, index: 0 }
  const product = { name: 'product', op, attrs: Attrs.none, inputs: [value, value], controls: [] }
  const graph = { parameters: [], nodes: [weights, product], outputs: [] }
  return { ...none, signatures: [{ name: 's', method: '', inputs: [], outputs: [], graph }] }
}

test("an engine keeps a convolution's filter once, in panels, and runs by them", async () => {
  const [rows, columns] = [5, 18]
  const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i))
  const filter = constant('w', tensor('float32', [1, 1, rows, columns], values))
  const bindings = await bindingsFor(new Set(['Conv2D']))
  const { memory, ops: table } = new Engine(reading('Conv2D', filter), ops, await compileKernels(), { bindings })
  memory.begin()
  const arena = memory.room(1)?.byteOffset as number
  const panels = packPanels(values, rows, columns)
  const kept = new Float32Array(memory.wasm.buffer, 0, arena / 4)
  expect(kept.subarray(-panels.length)).toEqual(panels)
  expect(memory.keptAt(values)).toBe(null)
  // What lies there is what is multiplied by, not the filter of the graph.
  kept.fill(2, kept.length - panels.length)
  const x = tensor('float32', [1, 1, 1, rows], Float32Array.of(1, 2, 3, 4, 5))
  const attrs = new Attrs({ strides: [1, 1, 1, 1], padding: 'VALID' })
  const answer = (w: Tensor) => {
    const node = { name: 'n', op: 'Conv2D', attrs, inputs: [], controls: [] }
    return table.get('Conv2D')?.evaluate({ inputs: [x, w], attrs, node, files: new Map(), run: () => [] }) as Tensor
  }
  expect(answer(filter.attrs.tensor('value')).data).toEqual(new Float32Array(columns).fill(30))
  // The same numbers as a filter of another shape are not those panels.
  const other = answer(tensor('float32', [1, 1, rows, columns], values.slice()))
  expect((other.data as Float32Array)[0]).toBeCloseTo(
    [1, 2, 3, 4, 5].reduce((s, v, i) => s + v * values[i * columns], 0),
  )
})

test('an engine has room for a run beside weights of any size', async () => {
  const weights = constant('w', tensor('float32', [1024, 1000], new Float32Array(1_024_000)))
  const { memory } = new Engine(reading('MatMul', weights), ops, await compileKernels())
  memory.begin()
  expect(memory.keptAt(weights.attrs.tensor('value').data as Float32Array)).not.toBe(null)
  for (let megabyte = 0; megabyte < 3; megabyte++) expect(memory.room(1 << 18)).not.toBe(null)
})
