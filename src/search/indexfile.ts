import { xxh32 } from '../checksum/xxh32.ts'
import { xxh32By } from '../engine/checksum.ts'
import { compileKernels } from '../engine/variants.ts'
import { CorruptModelError } from '../errors.ts'
import { builtin } from '../platform/builtin.ts'
import { type ByteSource, memorySource } from '../platform/folder.ts'
import { Strings } from '../tensor/strings.ts'
import { type PartitionArrays, Partitions } from './approximate/partitions.ts'
import { type AttributeArrays, Attributes } from './attributes.ts'
import { ExactIndex } from './exact.ts'
import type { Base } from './itemset.ts'
import type { ScanArrays } from './rounding.ts'
import type { IndexManifest, Sections } from './store/format.ts'
import { IndexFile } from './store/reader.ts'
import { isAddress, sourceAt } from './store/source.ts'
import { writeIndex } from './store/writer.ts'

// Items as the sections of an index's file, and back.

export interface ReadIndex {
  readonly base: Base
  readonly manifest: IndexManifest
  /** Where it lies on a disk, and may have a log beside it; null elsewhere. */
  readonly path: string | null
  /**
   * Looks at the sums that opening left out, by what was read: the file need not be read again, nor be there.
   * @throws {CorruptModelError} where one differs
   */
  readonly check: () => void
}

/** How an index is read: as `OpenOptions` say. */
interface ReadingIndex {
  readonly kernels: WebAssembly.Module | undefined
  readonly verify: boolean
  readonly searched: boolean
}

/**
 * Reads the file of an index, without its log.
 * @throws {CorruptModelError} where it is no index, is damaged, or is of a newer version
 * @throws {RangeError} where there is none
 */
export async function readIndex(source: string | URL | Uint8Array, reading: ReadingIndex): Promise<ReadIndex> {
  return reads(source, checksumBy(reading.kernels), async (file, path) => {
    const base = await baseOf(file, reading)
    return { base, manifest: file.manifest, path, check: () => checkBase(base, file) }
  })
}

/** What `read` takes from a file that is open as long. */
async function reads<T>(
  source: string | URL | Uint8Array,
  checksum: typeof xxh32,
  read: (file: IndexFile, path: string | null) => Promise<T>,
): Promise<T> {
  const { name, path, bytes } = await fileAt(source)
  const file = await IndexFile.open(name, bytes, checksum)
  try {
    return await read(file, path)
  } finally {
    await file.close()
  }
}

/** Sees that the items are laid out again as the file has them, where it was not looked at when they were read. */
function checkBase(base: Base, file: IndexFile): void {
  const { unchecked } = file
  // A scan that was not read is not made only to be looked at.
  const scan = unchecked.some(({ name }) => name.startsWith('scan.')) ? base.exact.ranker.scanArrays : null
  const sections = sectionsOf(base, scan)
  for (const record of unchecked) {
    const array = sections[record.name]
    // What had no room in memory is not written either.
    if (array !== undefined) file.check(record, array)
  }
}

async function baseOf(file: IndexFile, { kernels, verify, searched }: ReadingIndex): Promise<Base> {
  const { rows, width, similarity } = file.manifest
  const ids = new Strings(
    await file.read('ids.bytes', 'uint8', { verify }),
    await file.read('ids.offsets', 'uint32', { length: rows + 1, verify }),
  )
  const vectors = await file.read('vectors', 'float32', { length: rows * width, verify })
  const attributes = Attributes.from((await file.all('attributes.', verify)) as AttributeArrays)
  const isScanned = searched && kernels !== undefined && file.has('scan.items')
  const scan = isScanned ? ((await file.all('scan.', verify)) as unknown as ScanArrays) : 'later'
  const exact = new ExactIndex(
    Array.from({ length: rows }, (_, row) => ids.text(row)),
    vectors,
    similarity,
    { ...(kernels && { kernels }), attributes, scan },
  )
  if (!file.has('partitions.shape')) return { exact, partitions: null }
  const arrays = (await file.all('partitions.', verify)) as PartitionArrays
  return { exact, partitions: partitionsOf(file.name, rows, arrays, kernels ?? (await compileKernels())) }
}

/** @throws {CorruptModelError} where they are none, as those of an older twotower, or of other items */
function partitionsOf(name: string, rows: number, arrays: PartitionArrays, kernels: WebAssembly.Module): Partitions {
  let partitions: Partitions
  try {
    partitions = Partitions.from(arrays, kernels)
  } catch (error) {
    throw new CorruptModelError(name, `${(error as Error).message}; make the index again`)
  }
  if (partitions.rows !== rows)
    throw new CorruptModelError(name, `it has ${rows} items, and partitions of ${partitions.rows}`)
  return partitions
}

/** The file of an index of these items, in pieces. @param width numbers of a vector, which no items do not say */
export function indexPieces(
  base: Base,
  { width, source }: Pick<IndexManifest, 'width' | 'source'>,
  generation: string,
  kernels: WebAssembly.Module | undefined,
): readonly Uint8Array[] {
  const { ids, ranker, similarity } = base.exact
  const head = { rows: ids.length, width, similarity, source }
  return writeIndex(head, sectionsOf(base, ranker.scanArrays), generation, checksumBy(kernels)).pieces
}

/** @param scan what a scan goes by; null where it is not wanted, as it can be made again */
function sectionsOf({ exact: { ids, ranker, attributes }, partitions }: Base, scan: ScanArrays | null): Sections {
  const names = Strings.from(ids)
  return {
    'ids.bytes': names.bytes,
    'ids.offsets': names.offsets,
    vectors: ranker.vectors,
    ...under('attributes', (attributes ?? Attributes.of([])).arrays()),
    ...under('scan', (scan ?? {}) as Sections),
    ...under('partitions', (partitions?.arrays() ?? {}) as Sections),
  }
}

const under = (name: string, arrays: Sections): Sections =>
  Object.fromEntries(Object.entries(arrays).map(([key, array]) => [`${name}.${key}`, array]))

const checksumBy = (kernels: WebAssembly.Module | undefined) => (kernels === undefined ? xxh32 : xxh32By(kernels))

/** Sixteen digits, so that no two files have the same. */
export const newGeneration = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** The generation of the file that lies there now. */
export async function generationOf(path: string): Promise<string> {
  return reads(path, xxh32, async (file) => file.manifest.generation)
}

interface OpenedFile {
  /** For messages. */
  readonly name: string
  /** On a disk, where a log may lie beside it. */
  readonly path: string | null
  readonly bytes: ByteSource
}

async function fileAt(source: string | URL | Uint8Array): Promise<OpenedFile> {
  if (source instanceof Uint8Array) return { name: 'the index', path: null, bytes: memorySource(source) }
  const text = String(source)
  const bytes = await sourceAt(text)
  if (bytes === null) throw new RangeError(`there is no index at ${JSON.stringify(text)}`)
  return { name: text, path: builtin('node:fs') !== undefined && !isAddress(text) ? text : null, bytes }
}
