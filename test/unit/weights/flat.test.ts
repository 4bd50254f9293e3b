import { mkdtempSync, promises, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { definitionIn, openBundle, placeBundle } from '../../../src/bundle.ts'
import { Bundle } from '../../../src/convert.ts'
import { xxh32By } from '../../../src/engine/checksum.ts'
import { Engine } from '../../../src/engine/engine.ts'
import { ARENA_START } from '../../../src/engine/kernels.ts'
import { TILE_ROWS } from '../../../src/engine/linear.ts'
import { graphsOf, residentsOf } from '../../../src/engine/residents.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { CorruptModelError } from '../../../src/errors.ts'
import { Attrs, type Graph, handle, type ModelDefinition, type Node, Program } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { MutableTable } from '../../../src/ops/tables/mutable.ts'
import { StaticTable } from '../../../src/ops/tables/static.ts'
import { ops as tables } from '../../../src/ops/tables.ts'
import { memoryFolder } from '../../../src/platform/folder.ts'
import { writeFolder } from '../../../src/platform/nodewrite.ts'
import { Strings, type Tensor, tensor } from '../../../src/tensor/index.ts'
import { type Manifest, readManifest } from '../../../src/weights/index.ts'
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

const unflatten = async (manifest: Manifest, weights: Uint8Array): Promise<ModelDefinition> =>
  definitionIn(placeBundle(manifest, weights))

/** As it comes back from a file. */
function through(definition: ModelDefinition): Promise<ModelDefinition> {
  const { manifest, pieces } = flatten(definition, 'test', [])
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
  { dtype: 'complex64', shape: [2], data: Float32Array.of(1, -2, Number.NaN, -0) },
  { dtype: 'complex128', shape: [], data: Float64Array.of(0.1, 2) },
  tensor('string', [3], Strings.from(['', 'é', Uint8Array.of(0xff, 0)])),
  tensor('int32', [0, 5], new Int32Array(0)),
]

describe('the flat format', () => {
  test.each(values.map((value) => [value.dtype, value] as const))('gives back a constant of %s', async (_, value) => {
    const graph = (await through(model(out(constant(value))))).signatures[0].graph
    const back = graph.outputs[0].node.attrs.tensor('value')
    expect([back.dtype, back.shape]).toEqual([value.dtype, value.shape])
    const elements = (t: Tensor) =>
      t.dtype === 'string'
        ? Array.from({ length: t.data.length }, (_, i) => [...t.data.at(i)])
        : Array.from(t.data as Float32Array)
    expect(elements(back)).toEqual(elements(value))
  })

  test('gives back every kind of attribute', async () => {
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
    const back = (await through(model(out(node)))).signatures[0].graph.nodes[0].attrs
    expect(Object.fromEntries(back.entries().filter(([name]) => name !== 'branch'))).toEqual({
      ...attrs,
      branch: undefined,
    })
    expect(back.graph('branch').nodes[0].attrs.tensor('value').data).toEqual(values[0].data)
  })

  test('aligns every array to 64 bytes and writes a shared one once', () => {
    const [a, b] = [constant(values[0], 'a'), constant(values[0], 'b')]
    const { manifest } = flatten(model(out(a, constant(values[6], 'c'), b)), 'test', [])
    expect(manifest.arrays.map((array) => array.name)).toEqual(['a', 'c'])
    expect(manifest.arrays.every((array) => array.offset % 64 === 0)).toBe(true)
  })

  test('has what kernels read first, once and where they see it, and reads it there however memory grows', async () => {
    const numbers = Float32Array.from({ length: 6 * 7 }, (_, i) => i - 20)
    const [other, weights] = [constant(values[6], 'other'), constant(tensor('float32', [6, 7], numbers), 'w')]
    const x: Node = { name: 'x', op: 'Parameter', attrs: Attrs.none, inputs: [], controls: [] }
    const inputs = [x, weights].map((node) => ({ node, index: 0 }))
    const product: Node = { name: 'y', op: 'MatMul', attrs: Attrs.none, inputs, controls: [] }
    const definition = model({ ...out(other, x, weights, product), parameters: [x] })
    const { manifest, pieces } = flatten(definition, 'test', residentsOf(graphsOf(definition)))
    expect(manifest.arrays.map(({ name, offset }) => [name, offset])).toEqual([
      ['w', 0],
      ['other', 192],
    ])
    expect(manifest.weights).toMatchObject({ linear: 192, byteLength: 195 })
    for (const source of ['bytes', 'folder'] as const) {
      const files = {
        'manifest.json': new TextEncoder().encode(JSON.stringify(manifest)),
        'weights.bin': copyOf(pieces),
      }
      const bundle =
        source === 'bytes' ? placeBundle(manifest, copyOf(pieces)) : await openBundle(memoryFolder('m', files))
      if (bundle === null) throw new Error('no bundle')
      const { memory } = bundle
      const read = await definitionIn(bundle, xxh32By(await compileKernels(), memory))
      const [small, , kept, last] = read.signatures[0].graph.nodes
      const { memory: used, ops } = new Engine(read, await loadAllOps(), await compileKernels(), { memory })
      expect(used).toBe(memory)
      const program = new Program(read.signatures[0].graph, ops)
      const given = tensor('float32', [2, 6], new Float32Array(12).fill(1))
      const product = () => memory.run(() => (program.run([given])[0].data as Float32Array).slice())
      const before = product()
      expect(before.subarray(0, 7)).toEqual(Float32Array.from({ length: 7 }, (_, i) => 6 * (i - 20) + 7 * 15))
      // Nothing was copied to stay: the arena begins where the weights end, past a tile's rows.
      expect(memory.run(() => memory.room(1)?.byteOffset)).toBe(ARENA_START + 192 + TILE_ROWS)
      const { growths } = memory
      memory.run(() => memory.room(1 << 21))
      expect(memory.growths).toBeGreaterThan(growths)
      expect(kept.attrs.tensor('value').data).toEqual(numbers)
      expect(memory.keptAt(kept.attrs.tensor('value').data as Float32Array)).toBe(ARENA_START)
      expect(small.attrs.tensor('value').data).toEqual(values[6].data)
      expect(last.op).toBe('MatMul')
      expect(product()).toEqual(before)
    }
  })

  test('without anything for kernels is read as it was before there was', async () => {
    const { manifest, pieces } = flatten(model(out(constant(values[0]))), 'test', [])
    const { linear, ...weights } = manifest.weights
    expect(linear).toBe(0)
    const back = await unflatten({ ...manifest, weights }, copyOf(pieces))
    expect(back.signatures[0].graph.nodes[0].attrs.tensor('value').data).toEqual(values[0].data)
  })

  test('writes the graph of a tower that is a whole signature once', async () => {
    const [whole, other] = [1, 2].map((value) => out(constant(tensor('float32', [1], Float32Array.of(value)))))
    const tower = (graph: Graph) => {
      const { inputs, outputs } = model(graph).signatures[0]
      // Lowered by itself, a tower's graph is equal to its signature's and another object.
      return { signature: 's', inputs, output: outputs[0], graph: { ...graph } }
    }
    const definition = model(whole)
    const towers = { ...definition.towers, query: tower(whole), candidate: tower(other) }
    const { manifest, pieces } = flatten({ ...definition, towers }, 'test', [])
    expect([manifest.towers.query?.graph, typeof manifest.towers.candidate?.graph]).toEqual([0, 'object'])
    const back = await unflatten(readManifest(JSON.stringify(manifest)), copyOf(pieces))
    expect(back.towers.query?.graph).toBe(back.signatures[0].graph)
    const held = back.towers.candidate?.graph.outputs[0].node.attrs.tensor('value')
    expect(held?.data).toEqual(Float32Array.of(2))
    const wrong = { ...manifest, towers: { ...manifest.towers, query: { ...manifest.towers.query, graph: 7 } } }
    await expect(unflatten(readManifest(JSON.stringify(wrong)), copyOf(pieces))).rejects.toThrow(
      'signature 7 is referred to, but there are only 1',
    )
  })

  test('gives back tables that find the same, without building an index', async () => {
    const words = new StaticTable('words', 'string', 'int64')
    words.insert(
      tensor('string', [3], Strings.from(['a', '', Uint8Array.of(0xff)])),
      tensor('int64', [3], BigInt64Array.of(5n, 6n, 7n)),
    )
    const ids = new MutableTable('ids', 'int64', 'float32', [2], [tensor('int64', [], BigInt64Array.of(-1n))])
    ids.insert(tensor('int64', [1], BigInt64Array.of(9n)), tensor('float32', [1, 2], Float32Array.of(1, 2)))
    const find = async (table: StaticTable | MutableTable, keys: Tensor, fallback: Tensor) => {
      const nodes = [constant(handle(table)), constant(keys), constant(fallback)]
      const lookup: Node = {
        name: 'find',
        op: 'LookupTableFindV2',
        attrs: Attrs.none,
        inputs: nodes.map((node) => ({ node, index: 0 })),
        controls: [],
      }
      const graph = (await through(model(out(...nodes, lookup)))).signatures[0].graph
      return new Program(graph, new Map(Object.entries(tables))).run([])[0].data
    }
    const keys = tensor('string', [4], Strings.from([Uint8Array.of(0xff), 'b', 'a', '']))
    expect(await find(words, keys, tensor('int64', [], BigInt64Array.of(-1n)))).toEqual(
      BigInt64Array.of(7n, -1n, 5n, 6n),
    )
    const fallback = tensor('float32', [2], Float32Array.of(0, 0))
    expect(await find(ids, tensor('int64', [2], BigInt64Array.of(9n, 8n)), fallback)).toEqual(
      Float32Array.of(1, 2, 0, 0),
    )
    await expect(find(ids, tensor('int64', [1], BigInt64Array.of(-1n)), fallback)).rejects.toThrow(/not allowed/)
  })
})

describe('a damaged bundle', () => {
  const { manifest, pieces } = flatten(model(out(constant(values[8]), constant(values[0]))), 'test', [])
  const text = JSON.stringify(manifest)

  test('with any bit of an array flipped is refused by its checksum', async () => {
    const whole = copyOf(pieces)
    for (const { offset, byteLength } of manifest.arrays) {
      for (let bit = 0; bit < byteLength * 8; bit++) {
        const damaged = whole.slice()
        damaged[offset + (bit >> 3)] ^= 1 << (bit & 7)
        await expect(unflatten(readManifest(text), damaged)).rejects.toThrow(CorruptModelError)
      }
    }
  })

  test('that is cut short says how many bytes are missing', async () => {
    const whole = copyOf(pieces)
    await expect(unflatten(readManifest(text), whole.subarray(0, whole.length - 1))).rejects.toThrow(
      `weights.bin: has ${whole.length - 1} bytes, the manifest says ${whole.length}`,
    )
  })

  test.each([
    ['a newer version', { version: 3 }, /version 3, this twotower reads version 2: update twotower/],
    ['an older version', { version: 1 }, /version 1, this twotower reads version 2: convert the model again/],
    ['more for kernels than there is', { weights: { ...manifest.weights, linear: 1 << 20 } }, /is no part of/],
    ['for kernels what is not aligned', { weights: { ...manifest.weights, linear: 4 } }, /is no part of/],
    [
      'an array across the end of what is for kernels',
      {
        weights: { ...manifest.weights, linear: 64 },
        arrays: manifest.arrays.map((array) => ({ ...array, offset: 0, byteLength: 65 })),
      },
      /bytes 0 to 65 are not in weights.bin/,
    ],
    ['another format', { format: 'x' }, /"format" must be "twotower"/],
    ['no arrays', { arrays: null }, /misses a part/],
    ['no resources', { resources: {} }, /misses a part/],
    ['no weights', { weights: undefined }, /misses a part/],
    ['no towers', { towers: null }, /misses a part/],
    ['no signatures', { signatures: 7 }, /misses a part/],
    ['an array past the end', { arrays: [{ ...manifest.arrays[1], offset: 1 << 20 }] }, /are not in weights.bin/],
    ['an array of a huge shape', { arrays: [{ ...manifest.arrays[1], shape: [1e9, 1e9] }] }, /bytes are not float32/],
    ['an array that is not aligned', { arrays: [{ ...manifest.arrays[1], offset: 4 }] }, /are not in weights.bin/],
    [
      'a node that reads a later one',
      { signatures: [{ ...manifest.signatures[0], graph: { parameters: [], nodes: [], outputs: [[3, 0]] } }] },
      /node 3 is referred to/,
    ],
    ['a signature without inputs', { signatures: [{ ...manifest.signatures[0], inputs: undefined }] }, /misses a part/],
    ['a tower that is not said to be none', { towers: { ...manifest.towers, query: undefined } }, /misses a part/],
    ['a resource that is null', { resources: [null] }, /misses a part/],
    [
      'an attribute of a wrong kind',
      {
        signatures: [
          {
            ...manifest.signatures[0],
            graph: { parameters: [], nodes: [{ name: 'n', op: 'Add', attrs: { N: { int: 'many' } } }], outputs: [] },
          },
        ],
      },
      /misses a part, or has one of a wrong kind/,
    ],
  ] as const)('with %s is refused', async (_, change, message) => {
    const changed = { ...manifest, ...change } as unknown as Manifest
    const read = async () => unflatten(readManifest(JSON.stringify(changed)), copyOf(pieces))
    await expect(read()).rejects.toThrow(message)
  })

  test('with a part of a wrong kind has as its cause what was amiss', async () => {
    const changed = { ...manifest, signatures: 7 } as unknown as Manifest
    const read = unflatten(readManifest(JSON.stringify(changed)), copyOf(pieces))
    await expect(read).rejects.toMatchObject({ cause: expect.any(TypeError) })
  })

  test('with any byte of its manifest changed is refused, or is the same model', async () => {
    const whole = new TextEncoder().encode((await Bundle.of(model(out(constant(values[8]))))).manifest)
    const weights = copyOf(pieces).subarray(0, 16)
    const read = async (bytes: Uint8Array) => unflatten(readManifest(new TextDecoder().decode(bytes)), weights)
    const sound = await read(whole)
    for (const at of whole.keys()) {
      const damaged = whole.slice()
      damaged[at] ^= 1 << (at % 7)
      const found = await read(damaged).catch((error: unknown) => error)
      if (!(found instanceof CorruptModelError)) expect(found, `byte ${at}`).toEqual(sound)
    }
  })

  test('whose manifest was edited says what to do, and is read once that is done or another wrote it anew', async () => {
    const { manifest: text } = await Bundle.of(model(out(constant(values[8]))))
    const read = (text: string) => unflatten(readManifest(text), copyOf(pieces).subarray(0, 16))
    const edited = text.replace('a test', 'another')
    await expect(read(edited)).rejects.toThrow('was edited: then remove its first member, "xxh32"')
    expect((await read(edited.replace(/ "xxh32": \d+,\n/, ''))).source).toBe('another')
    expect((await read(JSON.stringify(JSON.parse(edited), null, 2))).source).toBe('another')
  })

  test('with a hash index that has no end is refused', async () => {
    const table = new StaticTable('words', 'string', 'int64')
    table.insert(tensor('string', [1], Strings.from(['a'])), tensor('int64', [1], BigInt64Array.of(5n)))
    for (const slots of [Int32Array.of(1, 1, 1, 1), Int32Array.of(0, 1, 1), new Int32Array(0)]) {
      const full = Object.create(table, { slots: { value: slots } })
      const { manifest, pieces } = flatten(model(out(constant(handle(full)))), 'test', [])
      await expect(unflatten(manifest, copyOf(pieces))).rejects.toThrow(
        'table "words" is of no known kind, or has no index',
      )
    }
  })

  test('whose functions lie in each other without end is refused', async () => {
    const depth = 20_000
    const node = '{"parameters":[],"outputs":[],"nodes":[{"name":"n","op":"If","attrs":{"f":{"graph":'
    const graph = `${node.repeat(depth)}{"parameters":[],"outputs":[],"nodes":[]}${'}}}]}'.repeat(depth)}`
    const deep = text.replace(JSON.stringify(manifest.signatures[0].graph), graph)
    await expect(unflatten(readManifest(deep), copyOf(pieces))).rejects.toThrow('manifest.json: misses a part')
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
    for (const place of ['c', 'c/d'])
      await expect(writeFolder(join(root, place), file('1'), isBundle)).rejects.toThrow(
        `${join(root, place)} is a file, or lies in one; choose a folder`,
      )
  })

  test('that cannot be put where the old one was puts that back', async () => {
    const { rename } = promises
    const renamed = vi.spyOn(promises, 'rename').mockImplementation((from, to) => {
      return String(from).endsWith('.new') ? Promise.reject(new Error('no leave')) : rename(from, to)
    })
    await expect(writeFolder(join(root, 'a'), file('3'), isBundle)).rejects.toThrow('no leave')
    renamed.mockRestore()
    expect(readFileSync(join(root, 'a', 'manifest.json'), 'utf8')).toBe('2')
    expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('that fails on the way leaves the old one whole', async () => {
    const broken = [...file('3'), { name: 'no\0name.bin', pieces: [new Uint8Array(1)] }]
    await expect(writeFolder(join(root, 'a'), broken, isBundle)).rejects.toThrow()
    expect(readFileSync(join(root, 'a', 'manifest.json'), 'utf8')).toBe('2')
    expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([])
  })
})
