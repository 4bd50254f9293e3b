import { type Json, parseJson } from '../../json/parse.ts'
import { concatBytes } from '../../tensor/index.ts'
import { AvroReader, AvroWriter } from './bytes.ts'
import { CODECS, type Codec, MOST_BLOCK } from './codecs.ts'
import { type Decode, decoderOf } from './schema.ts'

// Avro's object container file: a head with the schema, the codec and a mark of sixteen bytes, then blocks of records, each
// with their count, their size, and the mark behind them.

const MAGIC = [0x4f, 0x62, 0x6a, 1]
const MARK = 16
/** A head is a schema and little else. */
const MOST_HEAD = 1 << 24

/** A record, and its number in the file from 1. */
export interface AvroRecord {
  readonly number: number
  readonly json: Json
}

/**
 * The records of a file that comes in blocks of any size; no more than a block of it is held.
 * @throws {RangeError | TypeError} where it is no Avro file, is cut short or is damaged
 */
export async function* readAvro(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<AvroRecord> {
  const stream = new ByteStream(blocks)
  const { codec, decode, mark } = await headOf(stream)
  let [number, block] = [0, 0]
  while (await stream.more()) {
    block++
    const [count, size] = [await stream.long(), await stream.long()]
    if (count < 0 || size < 0 || size > MOST_BLOCK)
      throw new RangeError(`block ${block} has ${size} bytes: it is damaged`)
    const packed = await stream.take(size, `in block ${block}`)
    const end = await stream.take(MARK, `behind block ${block}`)
    if (end.some((byte, i) => byte !== mark[i]))
      throw new RangeError(`block ${block} does not end in the file's mark: it is damaged`)
    const reader = new AvroReader(await codec.unpack(packed).catch((error: unknown) => damaged(block, error)))
    // A record has an id, so a byte at least; those of a schema without any would never end.
    if (count > reader.left)
      throw new RangeError(`block ${block} counts ${count} records in ${reader.left} bytes: it is damaged`)
    for (let i = 0; i < count; i++) {
      number++
      let json: Json
      try {
        json = decode(reader)
      } catch (error) {
        return damaged(block, error)
      }
      yield { number, json }
    }
    if (reader.left > 0)
      throw new RangeError(`block ${block} has ${reader.left} bytes behind its last record: it is damaged`)
  }
}

function damaged(block: number, error: unknown): never {
  throw new RangeError(`block ${block} is damaged: ${(error as Error).message}`)
}

interface Head {
  readonly codec: Codec
  readonly decode: Decode
  readonly mark: Uint8Array
}

async function headOf(stream: ByteStream): Promise<Head> {
  const magic = await stream.upTo(MAGIC.length)
  if (MAGIC.some((byte, i) => magic[i] !== byte))
    throw new RangeError('it is no Avro file: it does not begin with "Obj" and 1')
  const entries = new Map<string, Uint8Array>()
  for (let count = await stream.long(); count !== 0; count = await stream.long()) {
    if (count < 0) await stream.long()
    for (let i = 0; i < Math.abs(count); i++) entries.set(textOf(await stream.bytes()), await stream.bytes())
  }
  const schema = entries.get('avro.schema')
  if (schema === undefined) throw new RangeError('the head of the file has no schema')
  const name = textOf(entries.get('avro.codec') ?? new TextEncoder().encode('null'))
  if (!Object.hasOwn(CODECS, name))
    throw new RangeError(`the file is packed by ${JSON.stringify(name)}; ${Object.keys(CODECS).join(', ')} are read`)
  const decode = decoderOf(parseJson(textOf(schema)))
  return { codec: CODECS[name as keyof typeof CODECS], decode, mark: await stream.take(MARK, 'in its head') }
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Bytes that are asked for out of blocks that come. */
class ByteStream {
  private readonly blocks: AsyncIterator<Uint8Array>
  private held: Uint8Array = new Uint8Array(0)

  constructor(blocks: AsyncIterable<Uint8Array>) {
    this.blocks = blocks[Symbol.asyncIterator]()
  }

  async more(): Promise<boolean> {
    return (await this.fill(1)) > 0
  }

  /** As many of `count` bytes as there are. */
  async upTo(count: number): Promise<Uint8Array> {
    return this.cut(Math.min(count, await this.fill(count)))
  }

  async take(count: number, where: string): Promise<Uint8Array> {
    const there = await this.fill(count)
    if (there < count)
      throw new RangeError(`the file ends ${where}: ${count} bytes are wanted, ${there} are left; it was cut short`)
    return this.cut(count)
  }

  /** A count. */
  async long(): Promise<number> {
    await this.fill(10)
    const reader = new AvroReader(this.held)
    let value: number | bigint
    try {
      value = reader.long()
    } catch {
      throw new RangeError('the file ends where a count is wanted: it was cut short')
    }
    this.cut(this.held.length - reader.left)
    if (typeof value === 'bigint') throw new RangeError(`a block counts ${value}: it is damaged`)
    return value
  }

  async bytes(): Promise<Uint8Array> {
    const size = await this.long()
    if (size < 0 || size > MOST_HEAD) throw new RangeError(`an entry of the head has ${size} bytes: it is damaged`)
    return (await this.take(size, 'in its head')).slice()
  }

  private cut(count: number): Uint8Array {
    const taken = this.held.subarray(0, count)
    this.held = this.held.subarray(count)
    return taken
  }

  /** Holds `count` bytes where there are so many; gives how many are held. */
  private async fill(count: number): Promise<number> {
    const pieces = [this.held]
    let length = this.held.length
    while (length < count) {
      const { done, value } = await this.blocks.next()
      if (done === true) break
      pieces.push(value)
      length += value.length
    }
    if (pieces.length > 1) this.held = concatBytes(pieces)
    return length
  }
}

/** The head of a file. @param mark sixteen bytes, of no other file */
export function avroHead(schema: Json, codec: string, mark: Uint8Array): Uint8Array {
  const writer = new AvroWriter()
  writer.raw(Uint8Array.from(MAGIC))
  writer.long(2)
  writer.string('avro.schema')
  writer.string(JSON.stringify(schema))
  writer.string('avro.codec')
  writer.string(codec)
  writer.long(0)
  writer.raw(mark)
  return writer.take()
}

/** A block of `count` records, which are encoded in `bytes`. */
export async function avroBlock(
  count: number,
  bytes: Uint8Array<ArrayBuffer>,
  codec: Codec,
  mark: Uint8Array,
): Promise<Uint8Array> {
  const packed = await codec.pack(bytes)
  const writer = new AvroWriter()
  writer.long(count)
  writer.long(packed.length)
  writer.raw(packed)
  writer.raw(mark)
  return writer.take()
}
