import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { CorruptModelError } from '../../../src/errors.ts'
import { Attrs, type Graph, handle, type ModelDefinition, type Node, Program } from '../../../src/graph/index.ts'
import { MutableTable } from '../../../src/ops/tables/mutable.ts'
import { StaticTable } from '../../../src/ops/tables/static.ts'
import { ops as tables } from '../../../src/ops/tables.ts'
import { writeFolder } from '../../../src/platform/nodewrite.ts'
import { Strings, type Tensor, tensor } from '../../../src/tensor/index.ts'
import { type Manifest, readManifest, unflatten } from '../../../src/weights/index.ts'
import { flatten } from '../../../src/weights/writer.ts'

const constant = (value: Tensor, name = 'c'): Node => ({
  name,
  op: 'Const',
  attrs: new Attrs({ value: { tensor: value } }),
  inputs: [],
  controls: [],
})
const out = (...nodes: Node[]): Graph => ({
  parameters: [],
  nodes,
  outputs: [{ node: nodes[nodes.length - 1], index: 0 }],
})
const model = (graph: Graph): ModelDefinition => ({
  source: 'a test',
  signatures: [{ name: 's', method: '', inputs: [], outputs: [{ name: 'y', dtype: 'float32', shape: null }], graph }],
  towers: { query: null, candidate: null, similarity: null, joint: null, notes: ['none'] },
})

/** As it comes back from a file. */
function through(definition: ModelDefinition): ModelDefinition {
  const { manifest, pieces } = flatten(definition, 'test')
  return unflatten(readManifest(JSON.stringify(manifest)), Buffer.concat(pieces).subarray())
}
const copyOf = (pieces: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(pieces))

const values: Tensor[] = [
  tensor('float32', [2, 2], Float32Array.of(1, -0, Number.NaN, Number.NEGATIVE_INFINITY)),
  tensor('float64', [1], Float64Array.of(Math.PI)),
  tensor('float16', [1], Float32Array.of(0.5)),
  tensor('bfloat16', [], Float32Array.of(256)),
  tensor('int64', [2], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
  tensor('uint64', [1], BigUint64Array.of(2n ** 64n - 1n)),
  tensor('int8', [3], Int8Array.of(-128, 0, 127)),
  tensor('bool', [2], Uint8Array.of(0, 1)),
  tensor('string', [3], Strings.from(['', 'é', Uint8Array.of(0xff, 0)])),
  tensor('int32', [0, 5], new Int32Array(0)),
]

describe('the flat format', () => {
  test.each(values.map((value) => [value.dtype, value] as const))('gives back a constant of %s', (_, value) => {
    const graph = through(model(out(constant(value)))).signatures[0].graph
    const back = graph.outputs[0].node.attrs.tensor('value')
    expect([back.dtype, back.shape]).toEqual([value.dtype, value.shape])
    const elements = (t: Tensor) =>
      t.dtype === 'string'
        ? Array.from({ length: t.data.length }, (_, i) => [...t.data.at(i)])
        : Array.from(t.data as Float32Array)
    expect(elements(back)).toEqual(elements(value))
  })

  test('gives back every kind of attribute', () => {
    const inner = out(constant(values[0]))
    const attrs = {
      text: 'é',
      bytes: Uint8Array.of(0xff),
      big: 2n ** 60n,
      nan: Number.NaN,
      zero: -0,
      yes: true,
      shape: { shape: [null, 3] },
      open: { shape: null },
      list: [1, 'a', [2]],
      branch: { graph: inner },
    }
    const node: Node = { name: 'n', op: 'Anything', attrs: new Attrs(attrs), inputs: [], controls: [] }
    const back = through(model(out(node))).signatures[0].graph.nodes[0].attrs
    expect(Object.fromEntries(back.entries().filter(([name]) => name !== 'branch'))).toEqual({
      ...attrs,
      branch: undefined,
    })
    expect(back.graph('branch').nodes[0].attrs.tensor('value').data).toEqual(values[0].data)
  })

  test('aligns every array to 64 bytes and writes a shared one once', () => {
    const [a, b] = [constant(values[0], 'a'), constant(values[0], 'b')]
    const { manifest } = flatten(model(out(a, constant(values[6], 'c'), b)), 'test')
    expect(manifest.arrays.map((array) => array.name)).toEqual(['a', 'c'])
    expect(manifest.arrays.every((array) => array.offset % 64 === 0)).toBe(true)
  })

  test('writes the graph of a tower that is a whole signature once', () => {
    const [whole, other] = [1, 2].map((value) => out(constant(tensor('float32', [1], Float32Array.of(value)))))
    const tower = (graph: Graph) => {
      const { inputs, outputs } = model(graph).signatures[0]
      // Lowered by itself, a tower's graph is equal to its signature's and another object.
      return { signature: 's', inputs, output: outputs[0], graph: { ...graph } }
    }
    const definition = model(whole)
    const towers = { ...definition.towers, query: tower(whole), candidate: tower(other) }
    const { manifest, pieces } = flatten({ ...definition, towers }, 'test')
    expect([manifest.towers.query?.graph, typeof manifest.towers.candidate?.graph]).toEqual([0, 'object'])
    const back = unflatten(readManifest(JSON.stringify(manifest)), copyOf(pieces))
    expect(back.towers.query?.graph).toBe(back.signatures[0].graph)
    const held = back.towers.candidate?.graph.outputs[0].node.attrs.tensor('value')
    expect(held?.data).toEqual(Float32Array.of(2))
    const wrong = { ...manifest, towers: { ...manifest.towers, query: { ...manifest.towers.query, graph: 7 } } }
    expect(() => unflatten(readManifest(JSON.stringify(wrong)), copyOf(pieces))).toThrow(
      'signature 7 is referred to, but there are only 1',
    )
  })

  test('gives back tables that find the same, without building an index', () => {
    const words = new StaticTable('words', 'string', 'int64')
    words.insert(
      tensor('string', [3], Strings.from(['a', '', Uint8Array.of(0xff)])),
      tensor('int64', [3], BigInt64Array.of(5n, 6n, 7n)),
    )
    const ids = new MutableTable('ids', 'int64', 'float32', [2], [tensor('int64', [], BigInt64Array.of(-1n))])
    ids.insert(tensor('int64', [1], BigInt64Array.of(9n)), tensor('float32', [1, 2], Float32Array.of(1, 2)))
    const find = (table: StaticTable | MutableTable, keys: Tensor, fallback: Tensor) => {
      const nodes = [constant(handle(table)), constant(keys), constant(fallback)]
      const lookup: Node = {
        name: 'find',
        op: 'LookupTableFindV2',
        attrs: Attrs.none,
        inputs: nodes.map((node) => ({ node, index: 0 })),
        controls: [],
      }
      const graph = through(model(out(...nodes, lookup))).signatures[0].graph
      return new Program(graph, new Map(Object.entries(tables))).run([])[0].data
    }
    const keys = tensor('string', [4], Strings.from([Uint8Array.of(0xff), 'b', 'a', '']))
    expect(find(words, keys, tensor('int64', [], BigInt64Array.of(-1n)))).toEqual(BigInt64Array.of(7n, -1n, 5n, 6n))
    const fallback = tensor('float32', [2], Float32Array.of(0, 0))
    expect(find(ids, tensor('int64', [2], BigInt64Array.of(9n, 8n)), fallback)).toEqual(Float32Array.of(1, 2, 0, 0))
    expect(() => find(ids, tensor('int64', [1], BigInt64Array.of(-1n)), fallback)).toThrow(/not allowed/)
  })
})

describe('a damaged bundle', () => {
  const { manifest, pieces } = flatten(model(out(constant(values[8]), constant(values[0]))), 'test')
  const text = JSON.stringify(manifest)

  test('with any bit of an array flipped is refused by its checksum', () => {
    const whole = copyOf(pieces)
    for (const { offset, byteLength } of manifest.arrays) {
      for (let bit = 0; bit < byteLength * 8; bit++) {
        const damaged = whole.slice()
        damaged[offset + (bit >> 3)] ^= 1 << (bit & 7)
        expect(() => unflatten(readManifest(text), damaged)).toThrow(CorruptModelError)
      }
    }
  })

  test('that is cut short says how many bytes are missing', () => {
    const whole = copyOf(pieces)
    expect(() => unflatten(readManifest(text), whole.subarray(0, whole.length - 1))).toThrow(
      `weights.bin: has ${whole.length - 1} bytes, the manifest says ${whole.length}`,
    )
  })

  test.each([
    ['a newer version', { version: 3 }, /version 3, this twotower reads version 2: update twotower/],
    ['an older version', { version: 1 }, /version 1, this twotower reads version 2: convert the model again/],
    ['another format', { format: 'x' }, /"format" must be "twotower"/],
    ['no arrays', { arrays: null }, /"arrays" must be a list/],
    ['an array past the end', { arrays: [{ ...manifest.arrays[1], offset: 1 << 20 }] }, /are not in weights.bin/],
    ['an array of a huge shape', { arrays: [{ ...manifest.arrays[1], shape: [1e9, 1e9] }] }, /bytes are not float32/],
    ['an array that is not aligned', { arrays: [{ ...manifest.arrays[1], offset: 4 }] }, /are not in weights.bin/],
    [
      'a node that reads a later one',
      { signatures: [{ ...manifest.signatures[0], graph: { parameters: [], nodes: [], outputs: [[3, 0]] } }] },
      /node 3 is referred to/,
    ],
  ] as const)('with %s is refused', (_, change, message) => {
    const changed = { ...manifest, ...change } as unknown as Manifest
    expect(() => unflatten(readManifest(JSON.stringify(changed)), copyOf(pieces))).toThrow(message)
  })

  test('whose manifest is cut anywhere is refused as damaged', () => {
    for (let length = 0; length < text.length; length += 7)
      expect(() => readManifest(text.slice(0, length))).toThrow(CorruptModelError)
  })
})

describe('writing a folder', () => {
  const root = mkdtempSync(join(tmpdir(), 'twotower-'))
  afterAll(() => rmSync(root, { recursive: true }))
  const file = (content: string) => [{ name: 'manifest.json', pieces: [new TextEncoder().encode(content)] }]
  const isBundle = (names: readonly string[]) => names.includes('manifest.json')

  test('replaces a folder that may be replaced and leaves nothing beside it', async () => {
    await writeFolder(join(root, 'a'), file('1'), isBundle)
    await writeFolder(join(root, 'a'), file('2'), isBundle)
    expect(readFileSync(join(root, 'a', 'manifest.json'), 'utf8')).toBe('2')
    expect(readdirSync(root)).toEqual(['a'])
  })

  test('leaves a folder of other files alone', async () => {
    await writeFolder(join(root, 'b'), [{ name: 'mine.txt', pieces: [] }], isBundle)
    await expect(writeFolder(join(root, 'b'), file('1'), isBundle)).rejects.toThrow(/exists and holds other files/)
    expect(readdirSync(join(root, 'b'))).toEqual(['mine.txt'])
  })

  test('refuses the place of a file', async () => {
    writeFileSync(join(root, 'c'), 'x')
    await expect(writeFolder(join(root, 'c'), file('1'), isBundle)).rejects.toThrow(/is a file; choose a folder/)
  })

  test('that fails on the way leaves the old one whole', async () => {
    const broken = [...file('3'), { name: 'no\0name.bin', pieces: [new Uint8Array(1)] }]
    await expect(writeFolder(join(root, 'a'), broken, isBundle)).rejects.toThrow()
    expect(readFileSync(join(root, 'a', 'manifest.json'), 'utf8')).toBe('2')
    expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([])
  })
})
