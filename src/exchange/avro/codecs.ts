import { crc32 } from '../../checksum/crc32.ts'
import { unsnap } from '../../savedmodel/snappy.ts'
import { concatBytes } from '../../tensor/index.ts'

/** How the blocks of a file are packed. */
export interface Codec {
  pack(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
  /** @throws {RangeError} where the bytes are not what was packed */
  unpack(bytes: Uint8Array): Promise<Uint8Array>
}

/** Behind a block that snappy packed stands the CRC-32 of what it held. */
const CHECKSUM = 4
/** Most bytes that a block holds. */
export const MOST_BLOCK = 1 << 28

export const CODECS = {
  null: { pack: async (bytes) => bytes, unpack: async (bytes) => bytes },
  deflate: {
    pack: (bytes) => collected(new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate-raw'))),
    async unpack(bytes) {
      const packed = new Blob([new Uint8Array(bytes)]).stream()
      return collected(packed.pipeThrough(new DecompressionStream('deflate-raw'))).catch((error: unknown) => {
        throw new RangeError(`its packed bytes are damaged (${(error as Error).message})`)
      })
    },
  },
  snappy: {
    async pack(bytes) {
      const packed = (await import('snappyjs')).compress(bytes)
      const block = new Uint8Array(packed.length + CHECKSUM)
      block.set(packed)
      new DataView(block.buffer).setUint32(packed.length, crc32(bytes))
      return block
    },
    async unpack(block) {
      const end = block.length - CHECKSUM
      if (end < 0) throw new RangeError('its packed bytes are cut short')
      const bytes = unsnap(block.subarray(0, end), (problem) => new RangeError(problem))
      const stored = new DataView(block.buffer, block.byteOffset).getUint32(end)
      if (crc32(bytes) !== stored) throw new RangeError("its checksum is not its bytes'")
      return bytes
    },
  },
} as const satisfies Readonly<Record<string, Codec>>

export type CodecName = keyof typeof CODECS

async function collected(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > MOST_BLOCK) throw new RangeError(`it holds more than ${MOST_BLOCK} bytes`)
    pieces.push(value)
  }
  return concatBytes(pieces)
}
