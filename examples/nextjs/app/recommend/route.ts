// A route of Next.js that recommends: app/recommend/route.ts. Beside the app lie movies/, a bundle, and what
// ../node/catalogue.mjs made of the catalogue, items.json and items.bin; next.config.mjs takes all of it to the server.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load } from 'twotower'
import { ExactIndex } from 'twotower/search'

/** Its files are read by path, so not on the edge. */
export const runtime = 'nodejs'

const here = (name: string): string => join(process.cwd(), name)

/** Loaded by the first request and kept: building the app runs this file too. */
let ready: ReturnType<typeof start> | undefined

async function start() {
  const model = await load(here('movies'))
  const { similarity } = model.structure
  if (similarity === null) throw new Error('the model does not say how its towers are compared')
  const ids = JSON.parse(await readFile(here('items.json'), 'utf8')) as string[]
  const { buffer, byteOffset, byteLength } = await readFile(here('items.bin'))
  const vectors = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer)
  return { model, index: new ExactIndex(ids, vectors, similarity) }
}

export async function POST(request: Request): Promise<Response> {
  ready ??= start()
  const { model, index } = await ready
  try {
    const viewer = (await request.json()) as Record<string, string | number | number[]>
    const features = model.query.features.map(({ name }) => [name, [viewer[name]]])
    const { data } = model.query.embed(Object.fromEntries(features))
    return Response.json({ items: index.search(data as Float32Array, 3).ids })
  } catch (error) {
    return Response.json({ error: (error as Error).message }, { status: 400 })
  }
}
