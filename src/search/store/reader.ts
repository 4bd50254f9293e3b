import type { Checksum } from '../../checksum/xxh32.ts'
import { CorruptModelError } from '../../errors.ts'
import { similarityOf } from '../../graph/index.ts'
import type { ByteSource } from '../../platform/folder.ts'
import {
  ARRAYS,
  aligned,
  FORMAT,
  type IndexManifest,
  isDtype,
  MAGIC,
  PREFIX,
  type SectionArray,
  type SectionRecord,
  type Sections,
  VERSION,
} from './format.ts'

/** Sections up to that are checked whenever they are read; larger ones where it is asked for. */
const SMALL = 1 << 20
const MOST_MANIFEST = 1 << 28

/** The file of an index, open: its manifest is read, its sections are read by name. */
export class IndexFile {
  readonly name: string
  readonly manifest: IndexManifest
  private readonly source: ByteSource
  private readonly first: number
  private readonly checksum: Checksum
  private readonly left: SectionRecord[] = []

  private constructor(name: string, source: ByteSource, manifest: IndexManifest, first: number, checksum: Checksum) {
    this.name = name
    this.source = source
    this.manifest = manifest
    this.first = first
    this.checksum = checksum
  }

  /**
   * @param name for messages
   * @throws {CorruptModelError} where it is no index, of a newer version, cut short, or says what cannot be
   */
  static async open(name: string, source: ByteSource, checksum: Checksum): Promise<IndexFile> {
    const corrupt = (problem: string) => new CorruptModelError(name, problem)
    const { byteLength } = source
    const prefix = await source.slice(0, Math.min(PREFIX, byteLength))
    if (MAGIC.some((byte, i) => prefix[i] !== byte))
      throw corrupt('is no index: it does not begin as one; `twotower index` makes one')
    if (prefix.length < PREFIX) throw corrupt(`is cut short: it has ${byteLength} bytes`)
    const view = new DataView(prefix.buffer, prefix.byteOffset)
    const length = view.getUint32(MAGIC.length, true)
    if (length > MOST_MANIFEST || PREFIX + length > byteLength)
      throw corrupt(`is cut short or damaged: its manifest is to have ${length} bytes, the file has ${byteLength}`)
    const text = await source.slice(PREFIX, PREFIX + length)
    const json = jsonIn(text)
    checkVersion(json, corrupt)
    if (checksum().add(text).value !== view.getUint32(MAGIC.length + 4, true))
      throw corrupt('the checksum of its manifest differs')
    const first = aligned(PREFIX + length)
    const manifest = manifestOf(json, corrupt)
    for (const { name: section, offset, byteLength: bytes } of manifest.sections) {
      if (first + offset + bytes > byteLength)
        throw corrupt(
          `is cut short: section "${section}" ends at byte ${first + offset + bytes}, the file has ${byteLength}`,
        )
    }
    return new IndexFile(name, source, manifest, first, checksum)
  }

  /** The sections that were read and whose checksums were not looked at. */
  get unchecked(): readonly SectionRecord[] {
    return this.left
  }

  has(name: string): boolean {
    return this.manifest.sections.some((section) => section.name === name)
  }

  /**
   * The array of a section, the caller's own.
   * @param verify whether a large one is checked too
   * @throws {CorruptModelError} where there is none, it is of another dtype or length, or its checksum differs
   */
  async read<D extends keyof typeof ARRAYS>(
    name: string,
    dtype: D,
    { length, verify = false }: { readonly length?: number; readonly verify?: boolean } = {},
  ): Promise<InstanceType<(typeof ARRAYS)[D]>> {
    const record = this.record(name)
    if (record.dtype !== dtype || (length !== undefined && record.length !== length))
      throw new CorruptModelError(
        this.name,
        `section "${name}" must be ${dtype}${length === undefined ? '' : `[${length}]`}, is ${record.dtype}[${record.length}]`,
      )
    return (await this.array(record, verify)) as InstanceType<(typeof ARRAYS)[D]>
  }

  /** All sections whose names begin so, by the rest of their names. */
  async all(prefix: string, verify = false): Promise<Sections> {
    const arrays: Record<string, SectionArray> = {}
    for (const record of this.manifest.sections)
      if (record.name.startsWith(prefix)) arrays[record.name.slice(prefix.length)] = await this.array(record, verify)
    return arrays
  }

  async close(): Promise<void> {
    await this.source.close?.()
  }

  private async array(record: SectionRecord, verify: boolean): Promise<SectionArray> {
    const from = this.first + record.offset
    const bytes = await this.source.slice(from, from + record.byteLength)
    if (verify || bytes.length <= SMALL) this.check(record, bytes)
    else this.left.push(record)
    const whole = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
    return new ARRAYS[record.dtype](whole.buffer as ArrayBuffer, whole.byteOffset, record.length)
  }

  /** @throws {CorruptModelError} where the checksum of `array` is not that of the section */
  check({ name, xxh32 }: SectionRecord, { buffer, byteOffset, byteLength }: SectionArray): void {
    if (this.checksum().add(new Uint8Array(buffer, byteOffset, byteLength)).value !== xxh32)
      throw new CorruptModelError(this.name, `the checksum of section "${name}" differs: the file is damaged`)
  }

  private record(name: string): SectionRecord {
    const found = this.manifest.sections.find((section) => section.name === name)
    if (found === undefined) throw new CorruptModelError(this.name, `has no section "${name}"`)
    return found
  }
}

/** What the bytes say as JSON; nothing where they are none. */
function jsonIn(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(text))
  } catch {
    return null
  }
}

/** Before the checksum, which another version may make in another way. */
function checkVersion(json: unknown, corrupt: (problem: string) => Error): void {
  const { format, version } = (json ?? {}) as Partial<IndexManifest>
  if (format !== FORMAT || version === VERSION) return
  const advice = Number(version) > VERSION ? 'update twotower, or make the index again' : 'make the index again'
  throw corrupt(`is of version ${version}, this twotower reads version ${VERSION}: ${advice}`)
}

function manifestOf(json: unknown, corrupt: (problem: string) => Error): IndexManifest {
  const { format, rows, width, similarity, generation, sections } = (json ?? {}) as Partial<IndexManifest>
  if (format !== FORMAT) throw corrupt(`is no index: "format" must be "${FORMAT}"`)
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  if (!isCount(rows) || !isCount(width) || typeof generation !== 'string' || !Array.isArray(sections))
    throw corrupt('its manifest must have rows, width, generation and sections')
  for (const { name, dtype, length, offset, byteLength } of sections as SectionRecord[]) {
    const fits = isDtype(dtype) && isCount(length) && isCount(offset) && isCount(byteLength)
    if (!fits || typeof name !== 'string' || byteLength !== length * ARRAYS[dtype].BYTES_PER_ELEMENT)
      throw corrupt(`section ${JSON.stringify(name)}: its dtype, length and bytes do not go together`)
  }
  try {
    similarityOf(similarity as IndexManifest['similarity'])
  } catch (error) {
    throw corrupt((error as Error).message)
  }
  return json as IndexManifest
}
