import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bind } from '../../../src/engine/gather.ts'
import { instantiate } from '../../../src/engine/kernels.ts'
import { Memory } from '../../../src/engine/memory.ts'
import type { Place } from '../../../src/engine/place.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { Attrs, type Call, constant, type Graph, type Node, type Op } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/gather.ts'
import { scalar, type Tensor, tensor } from '../../../src/tensor/index.ts'

const kernelModule = await compileKernels()
const gatherV2 = ops.GatherV2

/** The op where `tables` are a graph's, and what it gives for a table and indices. */
function gatherOf(tables: readonly Tensor[]) {
  const nodes = tables.flatMap((table): Node[] => {
    const held = constant('table', table)
    return [held, { name: 'n', op: 'GatherV2', attrs: Attrs.none, inputs: [{ node: held, index: 0 }], controls: [] }]
  })
  const graph: Graph = { nodes, parameters: [], outputs: [] }
  const memory = new Memory(1 << 16)
  let own: Op['evaluate'] | null = null
  const place: Place = (_, run) => {
    own = (call) => run(call, gatherV2.evaluate) ?? gatherV2.evaluate(call)
  }
  bind(place, memory, instantiate(kernelModule, memory.wasm), 1, [graph])
  return {
    memory,
    gather: (table: Tensor, indices: Tensor) => memory.run(() => own?.(callOf(table, indices)) as Tensor),
  }
}

const callOf = (table: Tensor, indices: Tensor): Call => {
  const node: Node = { name: 'n', op: 'GatherV2', attrs: Attrs.none, inputs: [], controls: [] }
  return { inputs: [table, indices, scalar('int32', 0)], attrs: Attrs.none, node, files: new Map(), run: () => [] }
}

const ODD = [Number.NaN, -0, Number.POSITIVE_INFINITY, 1e-45]
const tableOf = (rows: number, width: number): Tensor =>
  tensor(
    'float32',
    [rows, width],
    Float32Array.from({ length: rows * width }, (_, i) => (i % 5 === 0 ? ODD[i % 4] : i)),
  )

test('rows of a table that stays in linear memory and of one that does not are the reference’s, of every width', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      fc.boolean(),
      (width, rows, count, isLong, isKept) => {
        const table = tableOf(rows, width)
        const wanted = Array.from({ length: 2 * count }, (_, i) => (i * 7) % rows)
        const indices: Tensor = isLong
          ? tensor('int64', [2, count], BigInt64Array.from(wanted, BigInt))
          : tensor('int32', [2, count], Int32Array.from(wanted))
        const { gather, memory } = gatherOf(isKept ? [table] : [])
        const ours = gather(table, indices)
        expect(ours).toEqual(gatherV2.evaluate(callOf(table, indices)))
        if (2 * count * width >= 64) expect(memory.holds(ours.data as Float32Array)).toBe(true)
      },
    ),
  )
})

test('an index of no row is refused in the reference’s words', () => {
  const table = tableOf(5, 40)
  for (const tables of [[table], []])
    for (const wrong of [-1, 5, 2 ** 31 - 1]) {
      const { gather } = gatherOf(tables)
      expect(() => gather(table, tensor('int32', [3], Int32Array.of(0, wrong, 1)))).toThrow(
        `indices[1] = ${wrong} is not in [0, 5)`,
      )
      expect(() => gather(table, tensor('int64', [2], BigInt64Array.of(1n, BigInt(wrong) + (1n << 32n))))).toThrow(
        `indices[1] = ${BigInt(wrong) + (1n << 32n)} is not in [0, 5)`,
      )
    }
})

test('tables stay in linear memory as far as all of them are a million numbers', () => {
  const [small, other, large] = [tableOf(3, 8), tableOf(1 << 18, 2), tableOf(1 << 19, 2)]
  const { memory } = gatherOf([large, other, small])
  expect([small, other, large].map(({ data }) => memory.keptAt(data as Float32Array) !== null)).toEqual([
    true,
    true,
    false,
  ])
})
