import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { GrowingFile } from '../../../src/embed/sink.ts'
import { datapointsOf, type ReadOptions } from '../../../src/exchange/datapoints.ts'
import type { ExportFormat, ExportPlan } from '../../../src/exchange/export.ts'
import { similarityOf } from '../../../src/graph/index.ts'
import type { Datapoint, NumericRestrict, Restrict } from '../../../src/search/datapoint.ts'

export const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/exchange/${name}`, import.meta.url)))

/** `bytes` in blocks of `size`. */
export async function* blocks(bytes: Uint8Array, size = bytes.length || 1): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export async function readAll(
  name: string,
  bytes: Uint8Array | string,
  options: ReadOptions = {},
  size?: number,
): Promise<Datapoint[]> {
  const all: Datapoint[] = []
  const data = typeof bytes === 'string' ? bytesOf(bytes) : bytes
  for await (const datapoint of datapointsOf(name, blocks(data, size), options)) all.push(datapoint)
  return all
}

/** The bytes of the files that `format` writes. */
export async function written(
  format: ExportFormat,
  datapoints: readonly Datapoint[],
  plan: Partial<ExportPlan> = {},
): Promise<Uint8Array[]> {
  const files = format.paths('items').map(() => new MemoryFile())
  const sink = format.sink(files, {
    size: datapoints.length,
    width: datapoints[0]?.embedding.length ?? 3,
    similarity: similarityOf('dot'),
    name: 'items',
    ...plan,
  })
  for (const datapoint of datapoints) await sink.write(datapoint)
  await sink.end()
  return files.map(({ bytes }) => bytes)
}

class MemoryFile implements GrowingFile {
  bytes = new Uint8Array(0)

  get size(): number {
    return this.bytes.length
  }

  async append(bytes: Uint8Array): Promise<void> {
    const whole = new Uint8Array(this.size + bytes.length)
    whole.set(this.bytes)
    whole.set(bytes, this.size)
    this.bytes = whole
  }

  async replace(bytes: Uint8Array): Promise<void> {
    this.bytes.set(bytes)
  }
}

/** A datapoint by what it means: an empty list is none. */
export function meant({ id, embedding, restricts = [], numericRestricts = [], crowdingTag }: Datapoint) {
  return {
    id,
    embedding,
    restricts: restricts
      .map(({ namespace, allow = [], deny = [] }) => ({ namespace, allow, deny }))
      .filter(({ allow, deny }) => allow.length + deny.length > 0),
    numericRestricts: numericRestricts.map(({ namespace, type, value }) => ({
      namespace,
      type,
      value: type === 'float' ? Math.fround(value) : value,
    })),
    crowdingTag,
  }
}

// Text with what each syntax could stumble over.
const text = fc.oneof(
  fc.constantFrom(
    '',
    'red',
    '!',
    '!x',
    '#',
    'a=b',
    'a,b',
    'a"b',
    '"',
    ' a ',
    'a\nb',
    'a\r\n',
    'Ω',
    '🎬',
    '\u2028',
    '\uFEFFx',
    '\\N',
    "it's",
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const name = text.filter((value) => value !== '')
const finite = fc.float({ noNaN: true, noDefaultInfinity: true })

export interface Kinds {
  /** Text that the format can hold as a namespace of tokens, an allowed token, a namespace of a number. */
  readonly namespace?: (text: string) => boolean
  readonly token?: (text: string) => boolean
  readonly numeric?: (text: string) => boolean
  /** Bits of an int. */
  readonly bits?: bigint
}

/** Items of three dimensions, each of another id. */
export function items(kinds: Kinds = {}): fc.Arbitrary<Datapoint[]> {
  const { namespace = () => true, token = () => true, numeric = () => true, bits = 64n } = kinds
  const most = 2n ** (bits - 1n)
  const tokens = (of: fc.Arbitrary<string>) => fc.array(of, { maxLength: 3 })
  const restrict: fc.Arbitrary<Restrict> = fc.record(
    { namespace: name.filter(namespace), allow: tokens(text.filter(token)), deny: tokens(text) },
    { requiredKeys: ['namespace'] },
  )
  const number: fc.Arbitrary<NumericRestrict> = fc.oneof(
    fc.record({
      namespace: name.filter(numeric),
      type: fc.constant('int' as const),
      value: fc.bigInt({ min: -most, max: most - 1n }),
    }),
    fc.record({ namespace: name.filter(numeric), type: fc.constant('float' as const), value: finite }),
    fc.record({
      namespace: name.filter(numeric),
      type: fc.constant('double' as const),
      value: fc.double({ noNaN: true, noDefaultInfinity: true }),
    }),
  )
  const datapoint: fc.Arbitrary<Datapoint> = fc.record(
    {
      id: name,
      embedding: fc.array(finite, { minLength: 3, maxLength: 3 }).map((values) => Float32Array.from(values)),
      restricts: fc.uniqueArray(restrict, { selector: (one) => one.namespace, maxLength: 3 }),
      numericRestricts: fc.uniqueArray(number, { selector: (one) => one.namespace, maxLength: 3 }),
      crowdingTag: text,
    },
    { requiredKeys: ['id', 'embedding'] },
  )
  return fc.uniqueArray(datapoint, { selector: ({ id }) => id, maxLength: 5 })
}
