import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { CorruptModelError } from '../../../src/errors.ts'
import { memoryFolder } from '../../../src/platform/folder.ts'
import { nodeFolder } from '../../../src/platform/node.ts'
import { readSavedModel, shapeOf, tensorOf } from '../../../src/savedmodel/index.ts'
import { sizeOf } from '../../../src/tensor/index.ts'
import { bytesOf, checkpoint, DT, hex, join, savedModelBytes, stored, varint } from './write.ts'

const read = (files: Record<string, Uint8Array>) => readSavedModel(memoryFolder('export', files))
const graph = savedModelBytes()

test('a folder gives its graphs, its variables and its assets', async () => {
  const model = await read({
    'saved_model.pb': graph,
    ...checkpoint({ w: stored(DT.float32, [2], Float32Array.of(1, 2)) }),
    'assets/vocabulary.txt': bytesOf('a\nb\n'),
    'assets/other.txt': bytesOf('c'),
    'fingerprint.pb': bytesOf('x'),
  })
  expect(model.folder.name).toBe('export')
  expect(model.metaGraphs).toHaveLength(1)
  expect(model.metaGraphs[0].metaInfoDef).toMatchObject({ tags: ['serve'], tensorflowVersion: '2.15.0' })
  expect(model.metaGraphs[0].graphDef?.node).toMatchObject([
    { name: 'x', op: 'Placeholder' },
    { name: 'y', op: 'Identity', input: ['x'] },
  ])
  expect((await model.checkpoint?.read('w'))?.data).toEqual(Float32Array.of(1, 2))
  expect(model.assets).toEqual([
    { name: 'other.txt', byteLength: 1 },
    { name: 'vocabulary.txt', byteLength: 4 },
  ])
  expect(await model.asset('vocabulary.txt')).toEqual(bytesOf('a\nb\n'))
})

test('a model without variables and assets has neither', async () => {
  expect(await read({ 'saved_model.pb': graph })).toMatchObject({ checkpoint: null, assets: [] })
})

test('an asset that is not there is named, and one outside the folder is refused', async () => {
  const model = await read({ 'saved_model.pb': graph })
  await expect(model.asset('v.txt')).rejects.toMatchObject({ name: 'CorruptModelError', file: 'assets/v.txt' })
  for (const name of ['../saved_model.pb', '/etc/passwd', 'a\\b', 'C:x', 'a\0']) {
    await expect(model.asset(name)).rejects.toThrow(RangeError)
  }
})

describe('what is wrong is said', () => {
  const nested = (levels: number): Uint8Array => {
    // StructuredValue: list_value (51) of values (1), again and again.
    let message: Uint8Array = new Uint8Array(0)
    for (let i = 0; i < levels; i++) {
      const list = join(hex('0a'), varint(message.length), message)
      message = join(hex('9a03'), varint(list.length), list)
    }
    const wrapped = [hex('22'), hex('12'), hex('12'), hex('3a'), hex('12')]
    // output_signature of a concrete function (a map's value) of the object graph of a meta graph.
    return wrapped.reduce((inner, tag) => join(tag, varint(inner.length), inner), message)
  }

  test.each([
    ['an empty file', new Uint8Array(0), /holds no graph in its 0 bytes/],
    ['a file of a schema version only', hex('0801'), /holds no graph in its 2 bytes/],
    ['zeros at the end', join(graph, new Uint8Array(16)), /unknown field 0 at byte/],
    ['text at the end', join(graph, bytesOf('and so on')), /not a SavedModel message/],
    ['another field at the end', join(graph, hex('1801')), /unknown field 3 at byte/],
    ['a graph as a number', hex('1001'), /unknown field 2 at byte 0/],
    [
      'a cut',
      graph.subarray(0, graph.length - 1),
      /not a SavedModel message .*it is cut short, damaged or something else: copy/,
    ],
    ['a frozen graph instead', hex('0a030a0161'), /^saved_model.pb: begins with a node, as a frozen graph/],
    ['text instead', bytesOf('<!DOCTYPE html>'), /not a SavedModel message/],
    ['a pointer instead', bytesOf('version https://git-lfs.github.com/spec/v1\n'), /Git LFS pointer/],
    ['a hundred thousand nested groups', join(hex('12a08d06'), new Uint8Array(100_000).fill(0x0b)), /depth|index/],
    ['two thousand nested messages', nested(2000), /depth/],
    ['bytes read as text', join(hex('12'), hex('efbfbd').slice(), hex('efbfbd efbfbd efbfbd efbfbd')), /EF BF BD/],
  ])('%s', async (_, bytes, message) => {
    const failure = await read({ 'saved_model.pb': bytes }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(CorruptModelError)
    expect(failure).toMatchObject({ file: 'saved_model.pb', message: expect.stringMatching(message) })
  })

  test('nesting that TensorFlow reads too is read', async () => {
    await expect(read({ 'saved_model.pb': nested(30) })).resolves.toBeDefined()
  })

  test.each([
    ['nothing', {}, 'saved_model.pb', /missing in export; a SavedModel's folder holds saved_model.pb/],
    ['the text format', { 'saved_model.pbtxt': bytesOf('x') }, 'saved_model.pbtxt', /text format is not read: load/],
    [
      'a tower in a folder of its own',
      { 'query_model/saved_model.pb': bytesOf('x') },
      'query_model/saved_model.pb',
      /both together, by --query/,
    ],
    ['a bundle', { 'manifest.json': bytesOf('{}') }, 'manifest.json', /bundle, which is converted already: load it/],
    ['the chunked format', { 'saved_model.cpb': bytesOf('x') }, 'saved_model.cpb', /chunked format is not read: save/],
    [
      'data without an index',
      { 'saved_model.pb': graph, 'variables/variables.data-00000-of-00001': new Uint8Array(4) },
      'variables/variables.index',
      /missing beside variables.data-00000-of-00001/,
    ],
  ])('a folder with %s', async (_, files, file, message) => {
    const failure = await read(files).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(CorruptModelError)
    expect(failure).toMatchObject({ file, message: expect.stringMatching(message) })
  })
})

// Public models that nobody here made, where they are at hand beside the repository.
const wild = fileURLToPath(new URL('../../../../shared/wild/', import.meta.url))
const models = existsSync(wild) ? readdirSync(wild).filter((name) => existsSync(`${wild}${name}/saved_model.pb`)) : []

for (const name of models) {
  test(`every variable, constant and asset of ${name} is read and verified`, async () => {
    const model = await readSavedModel(nodeFolder(wild + name))
    for (const { name: file, byteLength } of model.assets) expect(await model.asset(file)).toHaveLength(byteLength)

    expect(model.checkpoint?.entries.size).toBeGreaterThan(0)
    for (const { key, dtype, shape } of model.checkpoint?.entries.values() ?? []) {
      const tensor = await model.checkpoint?.read(key)
      expect(tensor).toMatchObject({ dtype, shape })
      expect(tensor?.data).toHaveLength(sizeOf(shape))
    }

    const { graphDef } = model.metaGraphs[0]
    const nodes = [...(graphDef?.node ?? []), ...(graphDef?.library?.function ?? []).flatMap((f) => f.nodeDef ?? [])]
    for (const { op, attr } of nodes) {
      if (op !== 'Const' || !attr?.value?.tensor) continue
      const { data, shape } = tensorOf(attr.value.tensor)
      expect(shape).toEqual(shapeOf(attr.value.tensor.tensorShape))
      expect(data).toHaveLength(sizeOf(shape))
    }
  })
}
