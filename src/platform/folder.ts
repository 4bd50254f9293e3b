/** A file that is read by ranges: a disk file, bytes in memory, a remote object. */
export interface ByteSource {
  readonly byteLength: number
  /**
   * The bytes `[start, end)`, an array of the caller's own.
   * @throws {RangeError} where the range is not inside the file
   */
  slice(start: number, end: number): Promise<Uint8Array>
  /** Fills `bytes` with the file's from `start` on, without an array between. A source that cannot is asked for slices. */
  fill?(start: number, bytes: Uint8Array): Promise<void>
  /** Gives back what the source holds (a file handle). Whoever opened the source closes it. */
  close?(): Promise<void>
}

/** The folder a model lies in. Paths are relative, with `/` between the names, and never leave the folder. */
export interface Folder {
  /** For messages: the path or address that the caller gave. */
  readonly name: string
  /** The file at `path`, or null where there is no such file. */
  open(path: string): Promise<ByteSource | null>
  /**
   * The sorted names of the files directly in sub-folder `path` ('' is the folder itself); [] where there is none, and
   * where the folder cannot be listed, as over HTTP.
   */
  list(path: string): Promise<string[]>
}

/**
 * `path` without empty and `.` segments; '' for the folder itself.
 * @throws {RangeError} where `path` could lead out of the folder: absolute, `..`, a backslash, a drive letter, a NUL
 */
export function safePath(path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (/^\/|^[A-Za-z]:|[\\\0]/.test(path) || segments.includes('..')) {
    throw new RangeError(`path ${JSON.stringify(path)} leaves the model's folder; paths must be relative and go down`)
  }
  return segments.join('/')
}

/**
 * A folder of files that are already in memory: an unpacked archive, an upload, a test.
 * @param files contents by path, for example `saved_model.pb` and `variables/variables.index`
 * @throws {RangeError} where a path is not safe
 */
export function memoryFolder(name: string, files: Map<string, Uint8Array> | Record<string, Uint8Array>): Folder {
  const contents = new Map<string, Uint8Array>()
  for (const [path, bytes] of files instanceof Map ? files : Object.entries(files)) contents.set(safePath(path), bytes)
  return folderOf(name, contents, memorySource)
}

/** A folder of `contents` by path, each a file as `source` opens it. Its paths are safe. */
export function folderOf<T>(name: string, contents: ReadonlyMap<string, T>, source: (file: T) => ByteSource): Folder {
  return {
    name,
    async open(path) {
      const file = contents.get(safePath(path))
      return file === undefined ? null : source(file)
    },
    async list(path) {
      const folder = safePath(path)
      const prefix = folder === '' ? '' : `${folder}/`
      return [...contents.keys()]
        .filter((file) => file.startsWith(prefix) && !file.includes('/', prefix.length))
        .map((file) => file.slice(prefix.length))
        .sort()
    },
  }
}

/** Bytes in memory as a file. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    byteLength: bytes.length,
    async slice(start, end) {
      checkRange(start, end, bytes.length)
      // Not bytes.slice: a Buffer's slice is a view, and a Buffer.
      return new Uint8Array(bytes.subarray(start, end))
    },
  }
}

/** @throws {RangeError} where `[start, end)` is not a range inside `byteLength` bytes */
export function checkRange(start: number, end: number, byteLength: number): void {
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= byteLength)) {
    throw new RangeError(`bytes ${start} to ${end} are not inside a file of ${byteLength} bytes`)
  }
}

/** How much is sliced at a time, so that filling takes little memory of its own. */
const CHUNK = 16 << 20

/**
 * Fills `bytes` with `source`'s from `start` on.
 * @throws {RangeError} where the file ends before
 */
export async function fill(source: ByteSource, start: number, bytes: Uint8Array): Promise<void> {
  checkRange(start, start + bytes.length, source.byteLength)
  if (source.fill !== undefined) return source.fill(start, bytes)
  for (let at = 0; at < bytes.length; at += CHUNK)
    bytes.set(await source.slice(start + at, start + Math.min(at + CHUNK, bytes.length)), at)
}

/** The whole of `source`. */
export const readAll = (source: ByteSource): Promise<Uint8Array> => source.slice(0, source.byteLength)

/** The whole file at `path`, closed again, or null where there is no such file. */
export async function readFile(folder: Folder, path: string): Promise<Uint8Array | null> {
  const source = await folder.open(path)
  if (source === null) return null
  try {
    return await readAll(source)
  } finally {
    await source.close?.()
  }
}
