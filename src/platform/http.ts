import { type ByteSource, type Folder, memorySource, safePath } from './folder.ts'

export type Fetch = (url: URL) => Promise<Response>

/** What a server answers where it has no such file. */
const ABSENT = [404, 410]

/**
 * The folder at `address`. A file is fetched whole when it is opened; a query, such as a signature of a storage service,
 * is sent with each. There is no listing: whoever reads must know the names, as a bundle's and a SavedModel's reader do.
 */
export function httpFolder(address: URL, get: Fetch = (url) => fetch(url)): Folder {
  return {
    name: address.href,
    async open(path) {
      const file = new URL(address)
      file.hash = ''
      file.pathname = `${address.pathname.replace(/\/$/, '')}/${safePath(path).split('/').map(encodeURIComponent).join('/')}`
      return openFile(file, get)
    },
    list: async () => [],
  }
}

/** @throws {Error} that names the address, also where the answer breaks off */
async function openFile(file: URL, get: Fetch): Promise<ByteSource | null> {
  const failed = (error: Error) => {
    // `fetch failed` says nothing without what it failed by.
    const { message } = (error.cause ?? {}) as Partial<Error>
    throw new Error(`${file} cannot be fetched: ${error.message}${message ? ` (${message})` : ''}`, { cause: error })
  }
  const response = await get(file).catch(failed)
  // Servers of one-page applications answer any address with their page; no file of a model is one.
  const isPage = response.headers.get('content-type')?.startsWith('text/html') ?? false
  if (response.ok && !isPage) return memorySource(new Uint8Array(await response.arrayBuffer().catch(failed)))
  // Not awaited: it may wait for whoever else reads a copy.
  response.body?.cancel().catch(() => undefined)
  if (isPage || ABSENT.includes(response.status)) return null
  throw new Error(`${file} cannot be fetched: the server answered ${response.status} ${response.statusText}`.trimEnd())
}
