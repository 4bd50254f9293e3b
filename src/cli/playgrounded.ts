import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { readFile as readWithin } from '../platform/folder.ts'
import type { ServedModel } from '../serve/models.ts'
import { MANIFEST } from '../weights/index.ts'
import { OFFERS, type Offer, pageFiles, type Site, tfjsFiles } from './site.ts'

/** A served model and the folder that it lies in, itself or its numbered versions. */
export interface Playable {
  readonly served: ServedModel
  readonly path: string
}

export interface PlayedWith {
  /** Of the first model. */
  readonly items?: string | undefined
  readonly examples?: string | undefined
}

const PREFIX = '/playground/'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.jsonl': 'application/x-ndjson; charset=utf-8',
  '.wasm': 'application/wasm',
}

/** The page may run its own scripts and compile WebAssembly; it may ask nobody else for anything. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; object-src 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // A new version of the model has the same address.
  'Cache-Control': 'no-cache',
}

/**
 * Answers what the playground asks for below /playground/: the page, and the files of the served models, read where they
 * lie. Null for any other request.
 */
export async function playgroundOver(
  models: readonly Playable[],
  rows: PlayedWith,
): Promise<(request: Request) => Promise<Response> | null> {
  const tfjs = tfjsFiles()
  const files = new Map([...(await pageFiles()), ...(tfjs ?? [])])
  const site: Site = {
    models: models.map(({ served }, i) => offerOf(served.name, i === 0 ? rows : {})),
    tfjs: tfjs !== null,
  }
  for (const [name, file] of Object.entries(rows)) if (file !== undefined) files.set(`${name}/${basename(file)}`, file)
  const answer = async (written: string): Promise<Response> => {
    const name = decodeURIComponent(written)
    if (name === OFFERS) return sent(OFFERS, JSON.stringify(site))
    const file = files.get(name === '' ? 'index.html' : name)
    if (file !== undefined) return sent(file, await readFile(file))
    const [, model, path] = /^models\/([^/]+)\/(.+)$/.exec(name) ?? []
    const found = models.find(({ served }) => served.name === model)
    const bytes = found === undefined ? null : await fileOf(found, path)
    return bytes === null ? new Response('not found', { status: 404, headers: HEADERS }) : sent(path, bytes)
  }
  return (request) => {
    const { pathname } = new URL(request.url)
    if (request.method !== 'GET' && request.method !== 'HEAD') return null
    if (pathname === PREFIX.slice(0, -1))
      return Promise.resolve(new Response(null, { status: 308, headers: { Location: PREFIX } }))
    if (!pathname.startsWith(PREFIX)) return null
    return answer(pathname.slice(PREFIX.length)).catch(
      (error: Error) => new Response(error.message, { status: 404, headers: HEADERS }),
    )
  }
}

const offerOf = (name: string, { items, examples }: PlayedWith): Offer => ({
  name,
  model: `models/${encodeURIComponent(name)}`,
  ...(items === undefined ? {} : { items: `items/${basename(items)}` }),
  ...(examples === undefined ? {} : { examples: `examples/${basename(examples)}` }),
})

/** A file of the version that is served now; null where there is none. @throws {RangeError} for a path that leads out */
async function fileOf({ served, path }: Playable, name: string): Promise<Uint8Array | null> {
  const { nodeFolder } = await import('../platform/node.ts')
  return readWithin(nodeFolder(await folderOf(served, path)), name)
}

async function folderOf({ latest }: ServedModel, path: string): Promise<string> {
  if ([MANIFEST, 'saved_model.pb'].some((name) => existsSync(join(path, name)))) return path
  const own = (await readdir(path)).find((name) => /^\d+$/.test(name) && BigInt(name) === latest?.number)
  return own === undefined ? path : join(path, own)
}

const sent = (name: string, body: string | Uint8Array): Response =>
  new Response(body as BodyInit, {
    headers: { ...HEADERS, 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream' },
  })
