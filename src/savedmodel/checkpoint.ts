// A TensorFlow checkpoint in the V2 format ("tensor bundle"): an index of where each tensor lies, and data files.
// Follows BundleReader of tensorflow/core/util/tensor_bundle/tensor_bundle.cc.

import { CorruptModelError } from '../errors.ts'
import { type Folder, readFile } from '../platform/folder.ts'
import { type Tensor, utf8 } from '../tensor/index.ts'
import { damageOf } from './damage.ts'
import { type CheckpointEntry, decodeEntry } from './entry.ts'
import { gather, type Piece } from './gather.ts'
import { decodeMessage } from './message.ts'
import { sliceKey } from './orderedcode.ts'
import { tensorflow } from './proto/generated.js'
import { Shards } from './shards.ts'
import { boxOf, parseShapeAndSlice, type Span, sharedSize, wholeOf } from './slices.ts'
import { readTable } from './sstable.ts'
import { checkRoom, readableType, readStored } from './stored.ts'

/** The tensors of a checkpoint, each read when it is asked for. Holds no file open between calls. */
export class Checkpoint {
  /** Every tensor by its key; the keys of a TF2 export are paths such as `layer/kernel/.ATTRIBUTES/VARIABLE_VALUE`. */
  readonly entries: ReadonlyMap<string, CheckpointEntry>
  /** The slices of partitioned tensors, by the bytes of their internal keys as one character each. */
  private readonly slices: ReadonlyMap<string, CheckpointEntry>
  private readonly folder: Folder
  private readonly prefix: string
  private readonly shards: number

  private constructor(folder: Folder, prefix: string, index: Uint8Array) {
    const file = `${prefix}.index`
    const [header, ...rest] = readTable(index, file)
    if (header === undefined || header.key.length > 0) {
      throw new CorruptModelError(file, 'the checkpoint header, whose key is empty, is missing')
    }
    const decode = (bytes: Uint8Array) => tensorflow.BundleHeaderProto.decode(bytes)
    const { numShards, endianness } = decodeMessage(decode, header.value, file, 'BundleHeaderProto')
    if (endianness !== tensorflow.BundleHeaderProto.Endianness.LITTLE) {
      throw new CorruptModelError(
        file,
        'the checkpoint was written on a big-endian machine; only little-endian is read: save it anew on a little-endian one',
      )
    }
    const entries = new Map<string, CheckpointEntry>()
    const slices = new Map<string, CheckpointEntry>()
    for (const { key, value } of rest) {
      if (key[0] === 0) {
        slices.set(latin(key), decodeEntry(latin(key), value, numShards, file))
      } else {
        const name = utf8(key)
        if (name === null) throw new CorruptModelError(file, `the key ${JSON.stringify(latin(key))} is not UTF-8`)
        entries.set(name, decodeEntry(name, value, numShards, file))
      }
    }
    this.folder = folder
    this.prefix = prefix
    this.entries = entries
    this.slices = slices
    this.shards = numShards
  }

  /**
   * Reads the index of the checkpoint whose files begin with `prefix`, and nothing of its data.
   * @throws {CorruptModelError} where the index is missing, damaged, or of a big-endian machine
   */
  static async open(folder: Folder, prefix = 'variables/variables'): Promise<Checkpoint> {
    const checkpoint = await Checkpoint.find(folder, prefix)
    if (checkpoint !== null) return checkpoint
    throw new CorruptModelError(`${prefix}.index`, `missing in ${folder.name}; a checkpoint is an index and data files`)
  }

  /** As `open`, but null where there is no index. */
  static async find(folder: Folder, prefix = 'variables/variables'): Promise<Checkpoint | null> {
    const index = await readFile(folder, `${prefix}.index`)
    if (index === null) return null
    try {
      return new Checkpoint(folder, prefix, index)
    } catch (error) {
      const damage = damageOf(index)
      if (damage === '' || !(error instanceof CorruptModelError)) throw error
      throw new CorruptModelError(`${prefix}.index`, `not a checkpoint index${damage}`)
    }
  }

  /**
   * The tensor `key`, whole, put together where it is stored in slices; every checksum is verified.
   * @throws {RangeError} where there is no such key
   * @throws {TypeError} for a dtype that is not read: variants and what twotower does not have
   * @throws {CorruptModelError} where a data file is missing, cut short or damaged, or the index contradicts itself
   */
  async read(key: string): Promise<Tensor> {
    const entry = this.entry(key)
    return this.readBox(entry, wholeOf(entry.shape))
  }

  /**
   * The part of tensor `key` that a `shape_and_slices` string of RestoreV2 asks for; '' asks for the whole.
   * @param spec the full shape, then the slice: `10 4 0,5:-`
   * @throws {RangeError} also where `spec` is malformed or its full shape is not the tensor's
   */
  async readSlice(key: string, spec: string): Promise<Tensor> {
    if (spec === '') return this.read(key)
    const entry = this.entry(key)
    const { shape, box } = parseShapeAndSlice(spec)
    if (shape.join() !== entry.shape.join()) {
      throw new RangeError(
        `shape_and_slices ${JSON.stringify(spec)} is for shape [${shape}], ${JSON.stringify(key)} has [${entry.shape}]`,
      )
    }
    return this.readBox(entry, box)
  }

  private entry(key: string): CheckpointEntry {
    const entry = this.entries.get(key)
    if (entry !== undefined) return entry
    const some = [...this.entries.keys()].slice(0, 5).map((name) => JSON.stringify(name))
    throw new RangeError(
      `the checkpoint has no tensor ${JSON.stringify(key)}; it has ${this.entries.size}, such as ${some.join(', ')}`,
    )
  }

  private async readBox(entry: CheckpointEntry, target: readonly Span[]): Promise<Tensor> {
    const dtype = readableType(entry)
    const failure = (problem: string): CorruptModelError =>
      new CorruptModelError(`${this.prefix}.index`, `tensor ${JSON.stringify(entry.key)} ${problem}`)
    const shards = new Shards(this.folder, this.prefix, this.shards)
    try {
      if (entry.slices.length === 0) {
        const tensor = await readStored(shards, entry)
        if (target.every(({ length }, d) => length === entry.shape[d])) return tensor
        return await gather(dtype, [{ box: wholeOf(entry.shape), read: async () => tensor }], target, failure)
      }
      const parts = this.parts(entry, failure).filter(({ box }) => sharedSize(box, target) > 0)
      const found = parts.reduce((sum, { box }) => sum + sharedSize(box, target), 0)
      if (found !== sharedSize(target, target)) {
        throw failure(`is stored in slices that hold ${found} of the ${sharedSize(target, target)} elements asked for`)
      }
      await checkRoom(
        shards,
        parts.map(({ part }) => part),
      )
      const pieces = parts.map(({ box, part }): Piece => ({ box, read: () => readStored(shards, part) }))
      return await gather(dtype, pieces, target, failure)
    } finally {
      await shards.close()
    }
  }

  /** The slices that `entry` is stored in: where each lies in the tensor, and its own entry. */
  private parts(entry: CheckpointEntry, failure: (problem: string) => Error): { box: Span[]; part: CheckpointEntry }[] {
    return entry.slices.map((extents) => {
      const written = extents.map(({ start, length }) => (length === null ? '-' : `${start},${length}`)).join(':')
      const box = boxOf(entry.shape, extents)
      if (box === null) throw failure(`of shape [${entry.shape}] has a slice ${written}, which is not inside it`)
      const part = this.slices.get(latin(sliceKey(entry.key, extents)))
      if (part === undefined || part.slices.length > 0) throw failure(`has a slice ${written} that is stored nowhere`)
      const shape = box.map(({ length }) => length)
      if (part.dtypeNumber !== entry.dtypeNumber || part.shape.join() !== shape.join()) {
        throw failure(
          `has a slice ${written} of [${shape}] that is stored as [${part.shape}], DataType ${part.dtypeNumber}`,
        )
      }
      return { box, part }
    })
  }
}

const latin = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
