import { builtin } from './builtin.ts'
import type { Folder } from './folder.ts'
import { type Fetch, httpFolder } from './http.ts'

/**
 * Where a folder is: a path, where the runtime has a file system; an address, in a browser also one relative to the page;
 * the files of a folder that a browser's user picked, or a handle of it; or a folder of the caller's own making.
 */
export type FolderSource = string | URL | Iterable<File> | FileSystemDirectoryHandle | Folder

export interface FetchOptions {
  /** What fetches an address, for one that needs a header or a binding; by default the runtime's own. */
  readonly fetch?: Fetch
}

/** A scheme; one letter is a drive of Windows. */
const ADDRESS = /^[a-z][a-z\d+.-]+:/i

/**
 * The folder at `source`.
 * @throws {RangeError} where there is none, or where the runtime cannot reach it
 * @throws {TypeError} where `source` is of another kind
 */
export async function folderAt(source: FolderSource, { fetch }: FetchOptions = {}): Promise<Folder> {
  if (typeof source === 'string' && !ADDRESS.test(source)) return folderAtPath(source, fetch)
  if (typeof source === 'string' || source instanceof URL) return folderAtAddress(new URL(source), fetch)
  if (typeof source === 'object' && source !== null) {
    if ('open' in source) return source
    if ('getFileHandle' in source) return (await import('./files.ts')).handleFolder(source)
    if (Symbol.iterator in source) return (await import('./files.ts')).filesFolder(source)
  }
  throw new TypeError(`a model is at a path, at an address, or in the files of a folder; got ${kindOf(source)}`)
}

async function folderAtPath(path: string, fetch: Fetch | undefined): Promise<Folder> {
  if (builtin('node:fs') !== undefined) return (await import('./node.ts')).nodeFolder(path)
  const page = (globalThis as { location?: Location }).location?.href
  if (page !== undefined && URL.canParse(path, page)) return httpFolder(new URL(path, page), fetch)
  throw new RangeError(
    `${JSON.stringify(path)} is a path, and this runtime has no file system; give an address (https://…) or { manifest, weights }`,
  )
}

async function folderAtAddress(address: URL, fetch: Fetch | undefined): Promise<Folder> {
  return address.protocol === 'file:' ? (await import('./node.ts')).nodeFolder(address) : httpFolder(address, fetch)
}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'object' ? `an object with ${Object.keys(value).join(', ')}` : typeof value
