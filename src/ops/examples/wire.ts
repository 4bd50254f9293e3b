// The wire format of tf.Example as core/util/example_proto_fast_parsing.cc reads it. That reader is not a protobuf
// library: a length that runs past its surroundings is cut there, what follows a list inside its feature is ignored,
// and of several packed chunks only the first counts.

/** What a feature holds, by the dtype of its tensors. */
export type FeatureKind = 'string' | 'float32' | 'int64'

/** One entry of an Example's map. `bytes` is the serialized Feature; empty where the entry has no value. */
export interface Feature {
  /** The name's bytes, one character a byte (see {@link nameOf}). */
  readonly name: string
  readonly bytes: Uint8Array
}

/** Wire type of a field: the low three bits of its tag. */
const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5

const tag = (field: number, wire: number): number => (field << 3) | wire

/** A feature's name as a map's key: each byte is one character, so names that are not UTF-8 stay apart. */
export function nameOf(bytes: Uint8Array): string {
  let name = ''
  for (const byte of bytes) name += String.fromCharCode(byte)
  return name
}

/** Reads forward through `bytes`; every method answers null or false at a malformed place. */
export class Reader {
  private at = 0
  private end: number
  private readonly bytes: Uint8Array
  private readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.end = bytes.length
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get done(): boolean {
    return this.at >= this.end
  }

  peek(): number {
    return this.done ? -1 : this.bytes[this.at]
  }

  /** The next tag, which stays the next; null where it is malformed. */
  peekTag(): number | null {
    const { at } = this
    const tag = this.varint32()
    this.at = at
    return tag
  }

  expect(tag: number): boolean {
    if (this.peek() !== tag) return false
    this.at++
    return true
  }

  /** A varint of at most ten bytes, of which the low 64 bits count. */
  varint64(): bigint | null {
    let low = 0
    let high = 0n
    for (let i = 0; i < 10; i++) {
      if (this.done) return null
      const byte = this.bytes[this.at++]
      if (i < 4) low += (byte & 0x7f) * 2 ** (7 * i)
      else high |= BigInt(byte & 0x7f) << BigInt(7 * i)
      if (byte < 0x80) return i < 4 ? BigInt(low) : BigInt.asUintN(64, high | BigInt(low))
    }
    return null
  }

  /** A varint of which the low 32 bits count: lengths and tags. */
  varint32(): number | null {
    let value = 0
    for (let i = 0; i < 10; i++) {
      if (this.done) return null
      const byte = this.bytes[this.at++]
      if (i < 5) value = (value | ((byte & 0x7f) << (7 * i))) >>> 0
      if (byte < 0x80) return value
    }
    return null
  }

  float(): number | null {
    if (this.end - this.at < 4) return null
    const value = this.view.getFloat32(this.at, true)
    this.at += 4
    return value
  }

  /** `length` bytes, a view; null where so many do not follow. */
  take(length: number): Uint8Array | null {
    if (this.end - this.at < length) return null
    const taken = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    return taken
  }

  /** A length and as many bytes, all of which must be there. */
  delimited(): Uint8Array | null {
    const length = this.varint32()
    return length === null ? null : this.take(length)
  }

  /** What a length announces, or as much of it as there is. */
  within(): Reader | null {
    const length = this.varint32()
    if (length === null) return null
    const available = Math.min(length, this.end - this.at)
    return new Reader(this.take(available) ?? new Uint8Array(0))
  }

  /** Passes over a field whose tag comes next. Groups are not supported; a malformed tag counts as a varint's. */
  skip(): boolean {
    const tag = this.varint32() ?? 0
    switch (tag & 7) {
      case VARINT:
        return this.varint32() !== null
      case FIXED64:
        return this.take(8) !== null
      case DELIMITED:
        return this.within() !== null
      case FIXED32:
        return this.take(4) !== null
      default:
        return false
    }
  }
}

/** The entries of a serialized Example in their order, or null where it is malformed. */
export function readFeatures(example: Uint8Array): Feature[] | null {
  const reader = new Reader(example)
  const features: Feature[] = []
  // Examples may be concatenated, which merges them.
  while (!reader.done) {
    if (!reader.expect(tag(1, DELIMITED))) {
      if (!reader.skip()) return null
      continue
    }
    const map = reader.within()
    if (map === null) return null
    while (!map.done) {
      if (!map.expect(tag(1, DELIMITED))) return null
      const feature = readEntry(map.within())
      if (feature === null) return null
      features.push(feature)
    }
  }
  return features
}

/** A map's entry: two fields, of which the name is 1 and the value 2 in either order, and nothing else. */
function readEntry(entry: Reader | null): Feature | null {
  if (entry === null) return null
  const fields: Uint8Array[] = [EMPTY, EMPTY]
  for (let n = 0; n < 2; n++) {
    const field = entry.expect(tag(1, DELIMITED)) ? 0 : entry.expect(tag(2, DELIMITED)) ? 1 : null
    const bytes = field === null ? null : entry.delimited()
    if (field === null || bytes === null) return null
    fields[field] = bytes
  }
  return entry.done ? { name: nameOf(fields[0]), bytes: fields[1] } : null
}

const EMPTY = new Uint8Array(0)

/** What a SequenceExample holds: features, and lists of features that {@link readRows} parts. */
export interface SequenceEntries {
  readonly context: Feature[]
  readonly lists: Feature[]
}

/** The entries of a serialized SequenceExample in their order, or null where it is malformed. */
export function readSequence(example: Uint8Array): SequenceEntries | null {
  const reader = new Reader(example)
  const entries: SequenceEntries = { context: [], lists: [] }
  while (!reader.done) {
    const into = reader.expect(tag(1, DELIMITED))
      ? entries.context
      : reader.expect(tag(2, DELIMITED))
        ? entries.lists
        : null
    if (into === null) {
      if (!reader.skip()) return null
      continue
    }
    const map = reader.within()
    if (map === null) return null
    while (!map.done) {
      const entry = map.expect(tag(1, DELIMITED)) ? map.within() : null
      // Unlike an Example's, the name comes first.
      const name = entry?.expect(tag(1, DELIMITED)) ? entry.delimited() : null
      const bytes = name !== null && entry?.expect(tag(2, DELIMITED)) ? entry.delimited() : null
      if (name === null || bytes === null || !entry?.done) return null
      into.push({ name: nameOf(name), bytes })
    }
  }
  return entries
}

/** The features of a serialized FeatureList, or null where it is malformed. */
export function readRows({ name, bytes }: Feature): Feature[] | null {
  const reader = new Reader(bytes)
  const rows: Feature[] = []
  while (!reader.done) {
    const row = reader.expect(tag(1, DELIMITED)) ? reader.delimited() : null
    if (row === null || row.length === 1) return null
    rows.push({ name, bytes: row })
  }
  return rows
}

const KINDS: Readonly<Record<number, FeatureKind>> = {
  [tag(1, DELIMITED)]: 'string',
  [tag(2, DELIMITED)]: 'float32',
  [tag(3, DELIMITED)]: 'int64',
}

/** What `feature` holds; null where it is empty, undefined where it is of a kind that TensorFlow refuses. */
export const kindOf = (feature: Feature): FeatureKind | null | undefined =>
  feature.bytes.length === 0 ? null : KINDS[feature.bytes[0]]

/** The reader of a feature's list: past the tag that names its kind. */
function listOf(feature: Feature): Reader | null {
  const reader = new Reader(feature.bytes)
  return reader.expect(feature.bytes[0]) ? reader.within() : null
}

/** The strings of a bytes list, or null where it is malformed. */
export function readBytes(feature: Feature): Uint8Array[] | null {
  const list = listOf(feature)
  if (list === null) return null
  const values: Uint8Array[] = []
  while (!list.done) {
    const value = list.expect(tag(1, DELIMITED)) ? list.delimited() : null
    if (value === null) return null
    values.push(value)
  }
  return values
}

/** The numbers of a float list, packed or not. Bytes of a packed list that make no whole number are ignored. */
export function readFloats(feature: Feature): number[] | null {
  const list = listOf(feature)
  if (list === null) return null
  if (list.peek() !== tag(1, DELIMITED)) return readEach(list, tag(1, FIXED32), (reader) => reader.float())
  list.expect(tag(1, DELIMITED))
  const length = list.varint32()
  const packed = length === null ? null : list.take(length - (length % 4))
  if (packed === null) return null
  const values = new Array<number>(packed.length / 4)
  const view = new DataView(packed.buffer, packed.byteOffset)
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true)
  return values
}

/** The numbers of an int64 list, packed or not. */
export function readInts(feature: Feature): bigint[] | null {
  const list = listOf(feature)
  if (list === null) return null
  const next = (reader: Reader) => reader.varint64()
  if (list.peek() !== tag(1, DELIMITED)) return readEach(list, tag(1, VARINT), next)
  list.expect(tag(1, DELIMITED))
  const packed = list.within()
  return packed === null ? null : readEach(packed, null, next)
}

/** The values up to the reader's end, each behind `tag` where there is one. */
function readEach<T>(reader: Reader, tag: number | null, next: (reader: Reader) => T | null): T[] | null {
  const values: T[] = []
  while (!reader.done) {
    if (tag !== null && !reader.expect(tag)) return null
    const value = next(reader)
    if (value === null) return null
    values.push(value)
  }
  return values
}
