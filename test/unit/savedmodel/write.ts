// Writes checkpoints and SavedModel messages for the tests, from the formats' descriptions and on its own: it shares no
// code with the reader, so that a misreading cannot cancel itself out.

import protobuf from 'protobufjs/minimal.js'
import { compress } from 'snappyjs'

/** DataType numbers of types.proto. */
export const DT = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int16: 5,
  int8: 6,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  uint16: 17,
  complex128: 18,
  float16: 19,
  variant: 21,
  uint32: 22,
  uint64: 23,
  /** Which twotower does not read. */
  float8_e5m2: 24,
} as const

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
export const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))
/** The little-endian bytes of a typed array. */
export const raw = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice()

/** CRC-32C a bit at a time, the definition. */
export function crc(bytes: Uint8Array): number {
  let register = 0xffffffff
  for (const byte of bytes) {
    register ^= byte
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ 0x82f63b78 : register >>> 1
  }
  return ~register >>> 0
}

export function mask(value: number): number {
  const wide = BigInt(value)
  const rotated = ((wide >> 15n) | (wide << 17n)) & 0xffffffffn
  return Number((rotated + 0xa282ead8n) & 0xffffffffn)
}

export function fixed32(value: number): Uint8Array {
  return raw(Uint32Array.of(value))
}

export function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Uint8Array.from([...bytes, Number(rest)])
}

export interface TableOptions {
  /** A data block is closed once it has this many bytes. */
  blockBytes?: number
  restartEvery?: number
  snappy?: boolean
  /** Changes the contents of a block before its checksum is made. */
  alter?: (contents: Uint8Array, kind: 'data' | 'index') => Uint8Array
}

/** A sorted table of `pairs`, which are in order. */
export function table(pairs: readonly (readonly [Uint8Array, Uint8Array])[], options: TableOptions = {}): Uint8Array {
  const { blockBytes = 4096, restartEvery = 16, snappy = false, alter = (contents) => contents } = options
  const file: Uint8Array[] = []
  let length = 0
  const add = (contents: Uint8Array, kind: 'data' | 'index'): Uint8Array => {
    const altered = alter(contents, kind)
    const body = join(snappy ? compress(altered) : altered, Uint8Array.of(snappy ? 1 : 0))
    const handle = join(varint(length), varint(body.length - 1))
    file.push(body, fixed32(mask(crc(body))))
    length += body.length + 4
    return handle
  }
  const index: [Uint8Array, Uint8Array][] = []
  let open: (readonly [Uint8Array, Uint8Array])[] = []
  let size = 0
  const close = (): void => {
    if (open.length > 0) index.push([open[open.length - 1][0], add(block(open, restartEvery), 'data')])
    open = []
    size = 0
  }
  for (const pair of pairs) {
    open.push(pair)
    size += pair[0].length + pair[1].length + 3
    if (size >= blockBytes) close()
  }
  close()
  const metaindex = add(block([], 1), 'index')
  const handles = join(metaindex, add(block(index, 1), 'index'))
  return join(...file, handles, new Uint8Array(40 - handles.length), hex('57fb808b247547db'))
}

function block(pairs: readonly (readonly [Uint8Array, Uint8Array])[], restartEvery: number): Uint8Array {
  const parts: Uint8Array[] = []
  const restarts: number[] = []
  let length = 0
  let previous = new Uint8Array(0)
  pairs.forEach(([key, value], i) => {
    let shared = 0
    if (i % restartEvery === 0) restarts.push(length)
    else while (shared < Math.min(key.length, previous.length) && key[shared] === previous[shared]) shared++
    const rest = key.slice(shared)
    const entry = join(varint(shared), varint(rest.length), varint(value.length), rest, value)
    parts.push(entry)
    length += entry.length
    previous = Uint8Array.from(key)
  })
  if (restarts.length === 0) restarts.push(0)
  return join(...parts, ...restarts.map(fixed32), fixed32(restarts.length))
}

/** A slice's dimension: start and length, or null for all of it. */
export type Span = readonly [number, number] | null

/** A tensor to write: its bytes as they lie in the data file and the checksum (not masked) that goes with them. */
export interface Stored {
  dtype: number
  shape: readonly number[]
  bytes: Uint8Array
  crc: number
  shard?: number
}

export const stored = (dtype: number, shape: readonly number[], data: ArrayBufferView, shard = 0): Stored => {
  const bytes = raw(data)
  return { dtype, shape, bytes, crc: crc(bytes), shard }
}

export function storedStrings(shape: readonly number[], strings: readonly Uint8Array[], shard = 0): Stored {
  const lengths = join(...strings.map(({ length }) => fixed32(length)))
  const checksum = fixed32(mask(crc(lengths)))
  return {
    dtype: DT.string,
    shape,
    bytes: join(...strings.map(({ length }) => varint(length)), checksum, ...strings),
    crc: crc(join(lengths, checksum, ...strings)),
    shard,
  }
}

/** A tensor in slices, each with the spans that it is stored under. */
export interface Partitioned {
  dtype: number
  shape: readonly number[]
  slices: readonly { spans: readonly Span[]; part: Stored }[]
}

export function shapeBytes(shape: readonly number[]): Uint8Array {
  const writer = protobuf.Writer.create()
  for (const dim of shape) writer.uint32(0x12).fork().uint32(0x08).int64(dim).ldelim()
  return writer.finish()
}

export interface EntryFields {
  dtype: number
  shape: readonly number[]
  shard?: number
  offset?: number
  size?: number
  crc32c?: number
  slices?: readonly (readonly Span[])[]
}

export function entryBytes({ dtype, shape, shard = 0, offset = 0, size = 0, crc32c = 0, slices = [] }: EntryFields) {
  const writer = protobuf.Writer.create()
  writer.uint32(0x08).int32(dtype).uint32(0x12).bytes(shapeBytes(shape))
  writer.uint32(0x18).int32(shard).uint32(0x20).int64(offset).uint32(0x28).int64(size).uint32(0x35).fixed32(crc32c)
  for (const spans of slices) {
    writer.uint32(0x3a).fork()
    for (const span of spans) {
      writer.uint32(0x0a).fork()
      if (span !== null) writer.uint32(0x08).int64(span[0]).uint32(0x10).int64(span[1])
      writer.ldelim()
    }
    writer.ldelim()
  }
  return writer.finish()
}

export function headerBytes(shards: number, bigEndian = false): Uint8Array {
  const writer = protobuf.Writer.create().uint32(0x08).int32(shards)
  if (bigEndian) writer.uint32(0x10).int32(1)
  return writer.uint32(0x1a).bytes(hex('0801')).finish()
}

/** The internal key of a slice: ordered code, by way of strings of bits. */
export function internalKey(name: string, spans: readonly Span[]): Uint8Array {
  const escaped = [...bytesOf(name)].flatMap((byte) => (byte === 0 ? [0, 255] : byte === 255 ? [255, 0] : [byte]))
  const numbers = spans.flatMap((span) => [...orderedSigned(span?.[0] ?? 0), ...orderedSigned(span?.[1] ?? -1)])
  return Uint8Array.from([0, ...escaped, 0, 1, 1, spans.length, ...numbers])
}

function orderedSigned(value: number): number[] {
  const flip = value < 0 ? 255 : 0
  const bits = (value < 0 ? -value - 1 : value).toString(2)
  let length = 1
  while (7 * length - 1 < bits.length && bits !== '0') length++
  const code = `${'1'.repeat(length)}0${bits.padStart(7 * length - 1, '0')}`
  return Array.from({ length }, (_, i) => Number.parseInt(code.slice(8 * i, 8 * i + 8), 2) ^ flip)
}

/** The files of a checkpoint, by path. */
export function checkpoint(
  tensors: Readonly<Record<string, Stored | Partitioned>>,
  { shards = 1, prefix = 'variables/variables', ...options }: TableOptions & { shards?: number; prefix?: string } = {},
): Record<string, Uint8Array> {
  const data: Uint8Array[][] = Array.from({ length: shards }, () => [])
  const ends = new Array<number>(shards).fill(0)
  const pairs: [Uint8Array, Uint8Array][] = [[new Uint8Array(0), headerBytes(shards)]]
  const put = (key: Uint8Array, { dtype, shape, bytes, crc, shard = 0 }: Stored): void => {
    const fields = { dtype, shape, shard, offset: ends[shard], size: bytes.length, crc32c: mask(crc) }
    pairs.push([key, entryBytes(fields)])
    data[shard].push(bytes)
    ends[shard] += bytes.length
  }
  for (const [name, tensor] of Object.entries(tensors)) {
    if ('bytes' in tensor) {
      put(bytesOf(name), tensor)
    } else {
      const slices = tensor.slices.map(({ spans }) => spans)
      pairs.push([bytesOf(name), entryBytes({ dtype: tensor.dtype, shape: tensor.shape, slices })])
      for (const { spans, part } of tensor.slices) put(internalKey(name, spans), part)
    }
  }
  pairs.sort(([a], [b]) => Buffer.compare(a, b))
  const files: Record<string, Uint8Array> = { [`${prefix}.index`]: table(pairs, options) }
  data.forEach((parts, shard) => {
    files[`${prefix}.data-0000${shard}-of-0000${shards}`] = join(...parts)
  })
  return files
}

/** A small SavedModel message: one graph of two nodes under the tag `serve`. */
export function savedModelBytes(): Uint8Array {
  const writer = protobuf.Writer.create().uint32(0x08).int64(1)
  writer.uint32(0x12).fork() // meta_graphs
  writer.uint32(0x0a).fork().uint32(0x22).string('serve').uint32(0x2a).string('2.15.0').ldelim() // meta_info_def
  writer.uint32(0x12).fork() // graph_def
  writer.uint32(0x0a).fork().uint32(0x0a).string('x').uint32(0x12).string('Placeholder').ldelim()
  writer.uint32(0x0a).fork().uint32(0x0a).string('y').uint32(0x12).string('Identity').uint32(0x1a).string('x').ldelim()
  writer.ldelim().ldelim()
  return writer.finish()
}
