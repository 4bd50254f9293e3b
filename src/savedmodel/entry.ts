import { CorruptModelError } from '../errors.ts'
import { dtypeOf } from '../tensor/datatypes.ts'
import type { ReadDType, Shape } from '../tensor/index.ts'
import { decodeMessage } from './message.ts'
import { tensorflow } from './proto/generated.js'
import type { Extent } from './slices.ts'
import type { Int64 } from './tensorproto.ts'

/** Where and what a tensor of a checkpoint is (BundleEntryProto of tensor_bundle.proto). */
export interface CheckpointEntry {
  readonly key: string
  /** null for a dtype that twotower does not read; `dtypeNumber` tells which. */
  readonly dtype: ReadDType | null
  /** The DataType number of types.proto. */
  readonly dtypeNumber: number
  /** Of the whole tensor, also where it is stored in slices. */
  readonly shape: Shape
  /** Empty for a tensor that is stored in one piece; else the pieces, and shard, offset, size and crc32c mean nothing. */
  readonly slices: readonly (readonly Extent[])[]
  /** The number of the data file. */
  readonly shard: number
  /** The first byte in the data file. */
  readonly offset: number
  /** The number of bytes in the data file. */
  readonly size: number
  /** Masked, as it is stored. */
  readonly crc32c: number
}

/**
 * The entry that `bytes` encode.
 * @param shards how many data files the checkpoint has
 * @throws {CorruptModelError} where it is not a message, or has an impossible shape, position or slice
 */
export function decodeEntry(key: string, bytes: Uint8Array, shards: number, file: string): CheckpointEntry {
  const proto = decodeMessage((value) => tensorflow.BundleEntryProto.decode(value), bytes, file, 'BundleEntryProto')
  const failure = (problem: string): CorruptModelError =>
    new CorruptModelError(file, `the entry ${JSON.stringify(key)} ${problem}`)
  const natural = (value: Int64 | null | undefined, what: string): number => {
    const number = value?.toNumber() ?? 0
    if (number < 0 || !Number.isSafeInteger(number)) throw failure(`has ${number} for its ${what}`)
    return number
  }
  const shape = (proto.shape?.dim ?? []).map((dim) => natural(dim.size, 'dimension'))
  if (proto.shape?.unknownRank) throw failure('has a shape of unknown rank')
  const slices = proto.slices.map(({ extent }) =>
    (extent ?? []).map(({ start, length }) => ({
      start: natural(start, "slice's start"),
      length: length == null ? null : natural(length, "slice's length"),
    })),
  )
  if (slices.length === 0 && (proto.shardId < 0 || proto.shardId >= shards)) {
    throw failure(`lies in data file ${proto.shardId} of ${shards}`)
  }
  return {
    key,
    dtype: readable(proto.dtype),
    dtypeNumber: proto.dtype,
    shape,
    slices,
    shard: proto.shardId,
    offset: natural(proto.offset, 'offset'),
    size: natural(proto.size, 'size'),
    crc32c: proto.crc32c,
  }
}

function readable(number: number): ReadDType | null {
  try {
    return dtypeOf(number)
  } catch {
    return null
  }
}
