import type { Folder } from './folder.ts'

/** The folder at `source`: a path on a runtime with a file system, or one that is open already. */
export async function folderAt(source: string | Folder): Promise<Folder> {
  return typeof source === 'string' ? (await import('./node.ts')).nodeFolder(source) : source
}
