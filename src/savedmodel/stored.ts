// One stored tensor out of a data file: BundleReader::GetValue of tensorflow/core/util/tensor_bundle/tensor_bundle.cc.

import { crc32c, masked } from '../checksum/crc32c.ts'
import { CorruptModelError } from '../errors.ts'
import type { ByteSource } from '../platform/folder.ts'
import { BYTES, type Strings, sizeOf, type Tensor } from '../tensor/index.ts'
import { Cursor } from './cursor.ts'
import { damageOf } from './damage.ts'
import { elementsOf, type StoredDType, stringLengths, stringsOf, tensorFrom } from './elements.ts'
import type { CheckpointEntry } from './entry.ts'
import type { Shards } from './shards.ts'

type Failure = (problem: string) => Error

/**
 * The tensor that lies where `entry` says, whole, its checksum verified.
 * @throws {CorruptModelError} where the data file is missing, too short or damaged, or `entry` contradicts itself
 * @throws {TypeError} for a dtype that twotower does not read from checkpoints
 */
export async function readStored(shards: Shards, entry: CheckpointEntry): Promise<Tensor> {
  const dtype = readableType(entry)
  const failure = failureOf(shards, entry)
  const shard = await locate(shards, entry)
  const bytes = await shard.slice(entry.offset, entry.offset + entry.size)
  if (dtype === 'string') return tensorFrom(dtype, entry.shape, readStrings(bytes, entry, failure))
  verify(crc32c(bytes), entry, bytes, failure)
  return tensorFrom(dtype, entry.shape, elementsOf(dtype, bytes))
}

/**
 * Checks, before anything is allocated for them, that the data files have room for all of `entries` beside each other.
 * @throws {CorruptModelError} where they have not
 */
export async function checkRoom(shards: Shards, entries: readonly CheckpointEntry[]): Promise<void> {
  const used = new Map<number, number>()
  for (const entry of entries) {
    const { byteLength } = await locate(shards, entry)
    const sum = (used.get(entry.shard) ?? 0) + entry.size
    if (sum > byteLength) throw failureOf(shards, entry)('it lies over other slices of its tensor')
    used.set(entry.shard, sum)
  }
}

/** The file that holds `entry`, once its size fits its shape and its place is inside the file. */
async function locate(shards: Shards, entry: CheckpointEntry): Promise<ByteSource> {
  const dtype = readableType(entry)
  const failure = failureOf(shards, entry)
  const count = sizeOf(entry.shape)
  if (dtype === 'string' ? !(count <= entry.size) : entry.size !== count * BYTES[dtype]) {
    const least = dtype === 'string' ? `at least ${count}` : count * BYTES[dtype]
    throw failure(`its shape needs ${least} bytes, the index says ${entry.size}`)
  }
  const shard = await shards.open(entry.shard)
  const end = entry.offset + entry.size
  if (end > shard.byteLength) {
    throw failure(`it lies at bytes ${entry.offset} to ${end}, the file has ${shard.byteLength}`)
  }
  return shard
}

const failureOf =
  (shards: Shards, entry: CheckpointEntry): Failure =>
  (problem) =>
    new CorruptModelError(
      shards.file(entry.shard),
      `tensor ${JSON.stringify(entry.key)}, ${entry.dtype}[${entry.shape}]: ${problem}`,
    )

/**
 * The dtype of `entry`.
 * @throws {TypeError} where its elements cannot be read from a checkpoint
 */
export function readableType(entry: CheckpointEntry): StoredDType | 'string' {
  if (entry.dtype !== null && entry.dtype !== 'resource' && entry.dtype !== 'variant') return entry.dtype
  throw new TypeError(
    `tensor ${JSON.stringify(entry.key)} of the checkpoint has ${entry.dtype ?? 'an unknown dtype'} (DataType ${entry.dtypeNumber} of types.proto); numbers, bools and strings are read`,
  )
}

/**
 * Varint lengths, a masked checksum of the lengths (each as a fixed32), then the bytes of all strings. The tensor's own
 * checksum goes over the fixed32 lengths, the stored checksum and the bytes (ReadStringTensor).
 */
function readStrings(bytes: Uint8Array, entry: CheckpointEntry, failure: Failure): Strings {
  if (bytes.length === 0) {
    verify(0, entry, bytes, failure)
    return stringsOf(bytes, [], failure)
  }
  const cursor = new Cursor(bytes, failure)
  const lengths = stringLengths(cursor, sizeOf(entry.shape), failure)
  if (lengths.some((length) => length > bytes.length)) throw failure('a string is longer than all its bytes')
  const lengthsCrc = crc32c(new Uint8Array(Uint32Array.from(lengths).buffer))
  const checksum = cursor.take(4)
  if (new Cursor(checksum, failure).fixed(4) !== masked(lengthsCrc)) {
    throw failure(`the checksum of its strings' lengths does not match${damageOf(bytes)}`)
  }
  const text = cursor.take(cursor.left)
  verify(crc32c(text, crc32c(checksum, lengthsCrc)), entry, bytes, failure)
  return stringsOf(text, lengths, failure)
}

function verify(crc: number, entry: CheckpointEntry, bytes: Uint8Array, failure: Failure): void {
  if (masked(crc) === entry.crc32c) return
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`
  throw failure(
    `damaged: the index says checksum ${hex(entry.crc32c)}, its bytes give ${hex(masked(crc))}${damageOf(bytes)}`,
  )
}
