import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { bindInputs, type Features } from '../../../src/engine/inputs.ts'
import type { Port } from '../../../src/graph/index.ts'
import { memoryFolder } from '../../../src/platform/folder.ts'
import { inlineVocabularies, Preprocessor } from '../../../src/preprocess/index.ts'
import { expectEqual, type GoldenTensor } from '../ops/goldens.ts'

interface Case {
  readonly name: string
  readonly declaration: object
  readonly rows: readonly (string | number | readonly number[] | { readonly b64: string })[]
  readonly expected: GoldenTensor
  readonly port: { readonly dtype: Port['dtype']; readonly shape: Port['shape'] }
}

const file = fileURLToPath(new URL('../../fixtures/preprocess/cases.json', import.meta.url))
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }

const preprocess = (inputs: object) => new Preprocessor({ version: 1, inputs })
const port = (name: string, dtype: Port['dtype'] = 'int64', shape: Port['shape'] = [null]): Port => ({
  name,
  dtype,
  shape,
})

describe('declared preprocessing equals TensorFlow', () => {
  test.each(cases.map((example) => [example.name, example] as const))('%s', (_, example) => {
    const ports = [{ name: 'x', ...example.port }]
    const rows = example.rows.map((row) =>
      typeof row === 'object' && 'b64' in row ? new Uint8Array(Buffer.from(row.b64, 'base64')) : row,
    )
    const made = preprocess({ x: example.declaration }).apply({ x: rows } as Features, ports)
    expectEqual(bindInputs(ports, made, 'x')[0], { ...example.expected, dtype: example.port.dtype }, 'x')
  })
})

describe('a preprocess.json', () => {
  test('makes several inputs of one raw feature, and leaves others as they are', () => {
    const tokens = [{ step: 'split' }, { step: 'lookup', vocabulary: ['a', 'b'] }]
    const made = preprocess({
      ids: { from: 'text', steps: [...tokens, { step: 'pad', length: 3 }] },
      mask: { from: 'text', steps: [...tokens, { step: 'fill', value: 1 }, { step: 'pad', length: 3 }] },
    })
    const ports = [port('ids', 'int64', [null, 3]), port('mask', 'int64', [null, 3]), port('age', 'float32')]
    expect(made.features(ports).map((feature) => feature.name)).toEqual(['text', 'age'])
    expect(made.apply({ text: ['b x'], age: [3] }, ports)).toEqual({ ids: [[2, 0, 0]], mask: [[1, 1, 0]], age: [3] })
  })

  test('takes an input that is given itself as it is', () => {
    const made = preprocess({ ids: { from: 'text', steps: [{ step: 'count' }] } })
    expect(made.apply({ ids: [7] }, [port('ids')])).toEqual({ ids: [7] })
  })

  test('reads a vocabulary from the file beside it', async () => {
    const folder = memoryFolder('there', { 'v.txt': new TextEncoder().encode('a\r\nb\n') })
    const spec = await inlineVocabularies(
      { version: 1, inputs: { x: { type: 'Categorical', vocabulary: { file: 'v.txt' } } } },
      folder,
    )
    expect(new Preprocessor(spec).apply({ x: ['b'] }, [port('x')])).toEqual({ x: [2] })
    await expect(
      inlineVocabularies({ version: 1, inputs: { x: { type: 'Categorical', vocabulary: { file: 'w.txt' } } } }, folder),
    ).rejects.toThrow(/"w.txt" is not beside preprocess.json/)
  })

  test('keeps the tokens of a file as they are but for the ends of lines, and refuses what is no text', async () => {
    const json = { version: 1, inputs: { x: { steps: [{ step: 'lookup', vocabulary: { file: 'v.txt' } }] } } }
    const read = (bytes: Uint8Array) => inlineVocabularies(json, memoryFolder('there', { 'v.txt': bytes }))
    const spec = await read(new TextEncoder().encode('\ufeffa\r\nb\rc\n\nd'))
    expect(spec.inputs.x).toMatchObject({ steps: [{ vocabulary: ['a', 'b\rc', '', 'd'] }] })
    await expect(read(Uint8Array.of(97, 10, 0xff))).rejects.toThrow('"v.txt" in there is not UTF-8')
  })

  test('puts NaN above all boundaries, as tf.raw_ops.Bucketize of TensorFlow 2.15 does', () => {
    const made = preprocess({ x: { steps: [{ step: 'buckets', boundaries: [1, 2] }] } })
    const x = [Number.NaN, 1, 2.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    expect(made.apply({ x }, [port('x')])).toEqual({ x: [2, 1, 2, 2, 0] })
  })

  test('makes an input of any name that it takes', () => {
    const made = new Preprocessor(JSON.parse('{ "version": 1, "inputs": { "toString": { "type": "Numeric" } } }'))
    expect(made.apply({ toString: ['1'] } as Features, [port('toString', 'float32')])).toEqual({ toString: [1] })
  })

  test.each([
    [null, /feature "x" must be a list with one value a row/],
    [[[1, 2]], /row 0, step "one_hot": one id is wanted, got 2/],
    [[null], /row 0, step "one_hot": there is no value/],
  ])('says what is wrong with %j for an id', (x, message) => {
    const made = preprocess({ x: { steps: [{ step: 'one_hot', depth: 3 }] } })
    expect(() => made.apply({ x } as never, [port('x', 'float32', [null, 3])])).toThrow(message)
  })

  const wrong: [string, unknown, RegExp][] = [
    [
      'with an input whose name would be left out',
      JSON.parse('{ "version": 1, "inputs": { "constructor": { "type": "Numeric" } } }'),
      /no input can be called "constructor" here/,
    ],
    ['of another version', { version: 2, inputs: {} }, /version/],
    [
      'with a step that there is not',
      { version: 1, inputs: { x: { steps: [{ step: 'lowercase' }] } } },
      /inputs.x.steps.0.step/,
    ],
    ['with an option that there is not', { version: 1, inputs: { x: { steps: [{ step: 'split', by: ' ' }] } } }, /by/],
    ['with a length of nothing', { version: 1, inputs: { x: { steps: [{ step: 'pad', length: 0 }] } } }, /length/],
    ['with an empty vocabulary', { version: 1, inputs: { x: { type: 'Categorical', vocabulary: [] } } }, /vocabulary/],
    [
      'with a token twice',
      { version: 1, inputs: { x: { type: 'Categorical', vocabulary: ['a', 'a'] } } },
      /input "x", step "lookup": lookup: a token comes twice/,
    ],
    [
      'with boundaries that fall',
      { version: 1, inputs: { x: { steps: [{ step: 'buckets', boundaries: [2, 1] }] } } },
      /boundaries must rise/,
    ],
    [
      'with a pattern that is none',
      { version: 1, inputs: { x: { steps: [{ step: 'regex_split', delimiter: '(' }] } } },
      /Invalid pattern/,
    ],
    [
      'with an Id of two kinds',
      { version: 1, inputs: { x: { type: 'Id', buckets: 3, vocabulary: ['a'] } } },
      /either a vocabulary or a number of buckets/,
    ],
  ]
  test.each(wrong)('%s is refused with the place', (_, json, message) => {
    expect(() => new Preprocessor(json)).toThrow(message)
  })

  test('gives one value an instance in the shape that the input has, be it bare or a list of one', () => {
    const made = preprocess({
      flat: { from: 'genre', steps: [{ step: 'lookup', vocabulary: ['a', 'b'] }] },
      column: { from: 'genre', steps: [{ step: 'lookup', vocabulary: ['a', 'b'] }] },
    })
    const ports = [port('flat', 'int64', [null]), port('column', 'int64', [null, 1])]
    for (const genre of [
      ['b', 'c'],
      [['b'], ['c']],
    ])
      expect(made.apply({ genre }, ports)).toEqual({ flat: [2, 0], column: [[2], [0]] })
  })

  test.each([
    ['a missing feature', {}, /feature "text" is missing: preprocess.json makes the input "x" of it/],
    ['a number for text', { text: ['a', 3] }, /feature "text", row 1, step "split": text is wanted, got the number 3/],
    [
      'more tokens than fit',
      { text: ['a b c d'] },
      /row 0, step "pad": 4 values do not fit into the length 3: truncate/,
    ],
  ] as const)('names %s with its row and step', (_, raw, message) => {
    const made = preprocess({
      x: { from: 'text', steps: [{ step: 'split' }, { step: 'hash', buckets: 9 }, { step: 'pad', length: 3 }] },
    })
    expect(() => made.apply(raw as unknown as Features, [port('x', 'int64', [null, 3])])).toThrow(message)
  })
})
