import { afterEach, describe, expect, test, vi } from 'vitest'
import { load } from '../../../src/load.ts'
import { filesFolder, handleFolder } from '../../../src/platform/files.ts'
import { type Folder, readFile } from '../../../src/platform/folder.ts'
import { type Fetch, httpFolder } from '../../../src/platform/http.ts'
import { type FolderSource, folderAt } from '../../../src/platform/open.ts'
import { bytesOf } from '../savedmodel/write.ts'

afterEach(() => vi.unstubAllGlobals())

/** A server that answers with what `answers` has, by path, and remembers what it was asked. */
function server(answers: Readonly<Record<string, Response>>): { readonly fetch: Fetch; readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async fetch(url) {
      asked.push(url.href)
      return answers[url.pathname]?.clone() ?? new Response('nothing', { status: 404 })
    },
  }
}

/** What a browser calls a folder handle, over files by path. */
const handle = (name: string, files: Readonly<Record<string, Uint8Array>>): FileSystemDirectoryHandle => {
  const refusal = (kind: string) => Object.assign(new Error(kind), { name: kind })
  const paths = Object.keys(files)
  const inner = (folder: string) => paths.filter((path) => path.startsWith(`${folder}/`))
  return {
    kind: 'directory',
    name,
    async getDirectoryHandle(folder: string) {
      if (folder in files) throw refusal('TypeMismatchError')
      if (inner(folder).length === 0) throw refusal('NotFoundError')
      return handle(
        folder,
        Object.fromEntries(inner(folder).map((path) => [path.slice(folder.length + 1), files[path]])),
      )
    },
    async getFileHandle(file: string) {
      if (inner(file).length > 0) throw refusal('TypeMismatchError')
      if (!(file in files)) throw refusal('NotFoundError')
      return { kind: 'file', getFile: async () => new File([new Uint8Array(files[file])], file) }
    },
    async *entries() {
      for (const path of paths) yield [path.split('/')[0], { kind: path.includes('/') ? 'directory' : 'file' }]
    },
  } as unknown as FileSystemDirectoryHandle
}

describe('a folder at an address', () => {
  const found = new Response('graph')

  test('fetches each file under it, with the address’s own query', async () => {
    const { fetch, asked } = server({ '/m/a%20b/saved_model.pb': found })
    for (const address of ['https://host/m/a b?key=1#x', 'https://host/m/a b/?key=1']) {
      const folder = httpFolder(new URL(address), fetch)
      expect(await readFile(folder, 'saved_model.pb')).toEqual(bytesOf('graph'))
    }
    expect(new Set(asked)).toEqual(new Set(['https://host/m/a%20b/saved_model.pb?key=1']))
  })

  test('asks for names that mean something in an address as they are', async () => {
    const { fetch, asked } = server({})
    await httpFolder(new URL('https://host/m'), fetch).open('assets/a?b#c%41')
    expect(asked).toEqual(['https://host/m/assets/a%3Fb%23c%2541'])
  })

  test('has no file where the server has none, and where it answers with a page', async () => {
    const page = new Response('<!doctype html>', { headers: { 'content-type': 'text/html; charset=utf-8' } })
    const { fetch } = server({ '/manifest.json': page, '/gone': new Response(null, { status: 410 }) })
    const folder = httpFolder(new URL('https://host'), fetch)
    for (const name of ['manifest.json', 'gone', 'nothing']) expect(await folder.open(name)).toBeNull()
  })

  test('never leaves the folder', async () => {
    const { fetch, asked } = server({})
    const folder = httpFolder(new URL('https://host/m'), fetch)
    for (const path of ['../x', '/x', 'a\\b']) await expect(folder.open(path)).rejects.toThrow(RangeError)
    expect(asked).toEqual([])
  })

  test('says which address could not be fetched and why', async () => {
    const { fetch } = server({ '/m/x': new Response('no', { status: 403, statusText: 'Forbidden' }) })
    await expect(httpFolder(new URL('https://host/m'), fetch).open('x')).rejects.toThrow(
      'https://host/m/x cannot be fetched: the server answered 403 Forbidden',
    )
    const offline = httpFolder(new URL('https://host/m'), () => Promise.reject(new TypeError('fetch failed')))
    await expect(offline.open('x')).rejects.toThrow(/^https:\/\/host\/m\/x cannot be fetched: fetch failed$/)
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:1')
    const closed = httpFolder(new URL('https://host/m'), () => Promise.reject(new TypeError('fetch failed', { cause })))
    await expect(closed.open('x')).rejects.toThrow(
      'https://host/m/x cannot be fetched: fetch failed (connect ECONNREFUSED 127.0.0.1:1)',
    )
  })

  test('says which address broke off', async () => {
    const body = new ReadableStream({ pull: (at) => at.error(new TypeError('terminated')) })
    const folder = httpFolder(new URL('https://host/m'), async () => new Response(body))
    await expect(folder.open('weights.bin')).rejects.toThrow('https://host/m/weights.bin cannot be fetched: terminated')
  })
})

describe('a browser’s folder handle', () => {
  const folder = handleFolder(handle('export', { 'saved_model.pb': bytesOf('graph'), 'assets/a.txt': bytesOf('a') }))

  test('is read as a folder', async () => {
    expect(await readFile(folder, 'saved_model.pb')).toEqual(bytesOf('graph'))
    expect(await readFile(folder, 'assets/a.txt')).toEqual(bytesOf('a'))
    expect(await folder.list('')).toEqual(['saved_model.pb'])
    expect(await folder.list('assets')).toEqual(['a.txt'])
    expect(await folder.list('variables')).toEqual([])
  })

  test('has no file where there is none or where a folder is', async () => {
    for (const path of ['nothing', 'assets', 'assets/nothing', 'saved_model.pb/x', '', 'variables/variables.index'])
      expect(await folder.open(path)).toBeNull()
  })
})

test('files without a path of their own lie in the folder itself', async () => {
  expect(await filesFolder([new File([], 'manifest.json')]).list('')).toEqual(['manifest.json'])
})

describe('a model’s source', () => {
  const nameOf = async (source: FolderSource): Promise<string> => (await folderAt(source)).name

  test('is a folder of whatever kind it looks like', async () => {
    expect(await nameOf('https://host/m')).toBe('https://host/m')
    expect(await nameOf(new URL('http://host/m'))).toBe('http://host/m')
    expect(await nameOf(new URL('.', import.meta.url))).toBe(`${import.meta.dirname}/`)
    expect(await nameOf(import.meta.dirname)).toBe(import.meta.dirname)
    expect(await nameOf(handle('export', {}))).toBe('export')
    expect(await nameOf([new File([], 'manifest.json')])).toBe('the files')
    const own: Folder = { name: 'own', open: async () => null, list: async () => [] }
    expect(await folderAt(own)).toBe(own)
  })

  test('is no other thing', async () => {
    for (const [source, kind] of [
      [undefined, 'undefined'],
      [null, 'null'],
      [7, 'number'],
      [{ weights: 1 }, 'an object with weights'],
    ] as const)
      await expect(load(source as unknown as FolderSource), kind).rejects.toThrow(`; got ${kind}`)
    await expect(load(null as unknown as FolderSource)).rejects.toThrow(TypeError)
  })

  test('is, where there are no files, relative to the page', async () => {
    vi.stubGlobal('process', undefined)
    vi.stubGlobal('location', { href: 'https://host/app/index.html' })
    expect(await nameOf('models/movies')).toBe('https://host/app/models/movies')
    expect(await nameOf('/models')).toBe('https://host/models')
  })

  test('is refused where it is a path and there are neither files nor a page', async () => {
    vi.stubGlobal('process', undefined)
    await expect(load('weights/movies')).rejects.toThrow(/"weights\/movies" is a path.*no file system; give an address/)
  })
})
