// Folders that a browser's user picks or drops, and those of its private file system.
import { type ByteSource, checkRange, type Folder, folderOf, safePath } from './folder.ts'

/**
 * The folder that `files` are of, as `<input type="file" webkitdirectory>` gives them: each path starts with the picked
 * folder's own name. Files without a path lie in the folder itself.
 * @throws {RangeError} where a path is not safe
 */
export function filesFolder(files: Iterable<File>): Folder {
  const contents = new Map<string, File>()
  let name = 'the files'
  for (const file of files) {
    const [folder, ...rest] = (file.webkitRelativePath || '').split('/')
    if (rest.length > 0) name = folder
    contents.set(safePath(rest.length > 0 ? rest.join('/') : file.name), file)
  }
  return folderOf(name, contents, blobSource)
}

/** The folder behind `handle`, which `showDirectoryPicker` or `navigator.storage.getDirectory` gave. */
export function handleFolder(handle: FileSystemDirectoryHandle): Folder {
  const folder = async (names: readonly string[]): Promise<FileSystemDirectoryHandle | null> => {
    let found: FileSystemDirectoryHandle | null = handle
    for (const name of names) found = found && (await orNull(found.getDirectoryHandle(name)))
    return found
  }
  return {
    name: handle.name,
    async open(path) {
      const names = safePath(path).split('/')
      const file = names.pop()
      const found = file ? await orNull((await folder(names))?.getFileHandle(file)) : null
      return found && blobSource(await found.getFile())
    },
    async list(path) {
      const safe = safePath(path)
      const found = await folder(safe === '' ? [] : safe.split('/'))
      const names: string[] = []
      if (found !== null) for await (const [name, entry] of found.entries()) if (entry.kind === 'file') names.push(name)
      return names.sort()
    },
  }
}

/** A file, or bytes that a page holds. */
export const blobSource = (blob: Blob): ByteSource => ({
  byteLength: blob.size,
  async slice(start, end) {
    checkRange(start, end, blob.size)
    return new Uint8Array(await blob.slice(start, end).arrayBuffer())
  },
})

/** What `work` gives, or null where there is no entry of that name and kind. */
async function orNull<T>(work: Promise<T> | undefined): Promise<T | null> {
  try {
    return (await work) ?? null
  } catch (error) {
    if (['NotFoundError', 'TypeMismatchError'].includes((error as Error).name)) return null
    throw error
  }
}
