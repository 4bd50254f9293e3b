import { CorruptModelError } from '../errors.ts'
import type { ByteSource, Folder } from '../platform/folder.ts'

/** The data files of a checkpoint, `<prefix>.data-00000-of-00002` and so on, opened when first read. */
export class Shards {
  private readonly folder: Folder
  private readonly prefix: string
  private readonly count: number
  private readonly opened = new Map<number, ByteSource>()

  constructor(folder: Folder, prefix: string, count: number) {
    this.folder = folder
    this.prefix = prefix
    this.count = count
  }

  /** The file name of shard `id`. */
  file(id: number): string {
    return `${this.prefix}.data-${digits(id)}-of-${digits(this.count)}`
  }

  /** @throws {CorruptModelError} where the file is missing */
  async open(id: number): Promise<ByteSource> {
    let source = this.opened.get(id)
    if (source === undefined) {
      const found = await this.folder.open(this.file(id))
      if (found === null) {
        throw new CorruptModelError(
          this.file(id),
          `missing in ${this.folder.name}; the checkpoint keeps its values in ${this.count} data file(s) beside its index`,
        )
      }
      source = found
      this.opened.set(id, source)
    }
    return source
  }

  async close(): Promise<void> {
    for (const source of this.opened.values()) await source.close?.()
    this.opened.clear()
  }
}

const digits = (number: number): string => String(number).padStart(5, '0')
