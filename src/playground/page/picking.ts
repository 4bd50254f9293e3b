import type { Picked } from '../protocol.ts'

// Files that the visitor drops or picks. They stay on this machine: the worker reads of them what it needs.

/** What a model's folder has at most; a folder with more is the wrong one. */
const [MOST_FILES, MOST_BYTES] = [4000, 4e9]

/** @throws {RangeError} where there is more than a model could be */
function checked(picked: readonly Picked[]): readonly Picked[] {
  const bytes = picked.reduce((sum, { file }) => sum + file.size, 0)
  if (bytes > MOST_BYTES)
    throw new RangeError(
      `these files are ${(bytes / 1e9).toFixed(1)} GB together, a page can hold ${MOST_BYTES / 1e9} GB: drop the model's own folder, or serve it with twotower serve`,
    )
  return picked
}

const tooMany = (): RangeError =>
  new RangeError(`this folder holds more than ${MOST_FILES} files: drop the model's own folder, not one around it`)

/** What `<input type="file">` gives. */
export function filesOf(list: FileList): readonly Picked[] {
  if (list.length > MOST_FILES) throw tooMany()
  return checked(Array.from(list, (file) => ({ path: file.webkitRelativePath || file.name, file })))
}

/** What was dropped: files, and folders with all that is in them. Must be called while the event is handled. */
export async function droppedFiles(transfer: DataTransfer): Promise<readonly Picked[]> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  // A drop that a script made has files without entries.
  if (entries.length === 0) return filesOf(transfer.files)
  const picked: Picked[] = []
  for (const entry of entries) await gather(entry, picked)
  return checked(picked)
}

async function gather(entry: FileSystemEntry, picked: Picked[]): Promise<void> {
  if (picked.length > MOST_FILES) throw tooMany()
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    picked.push({ path: entry.fullPath.replace(/^\//, ''), file })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  // It gives some at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return
    for (const each of some) await gather(each, picked)
  }
}
