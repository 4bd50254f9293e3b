// A Hono app with a route that recommends; a Next.js route handler is its inner function. Serve it with @hono/node-server,
// Deno.serve(app.fetch), or `export default app` on Bun.
import { readFile } from 'node:fs/promises'
import { Hono } from 'hono'
import { load } from 'twotower'
import { ExactIndex } from 'twotower/search'

const here = (name) => new URL(name, import.meta.url)
const model = await load(here('movies'))
const ids = JSON.parse(await readFile(here('items.json'), 'utf8'))
const vectors = new Float32Array((await readFile(here('items.bin'))).buffer)
const index = new ExactIndex(ids, vectors, model.structure.similarity)

const app = new Hono()

app.post('/recommend', async (c) => {
  try {
    const viewer = await c.req.json()
    const features = model.query.features.map(({ name }) => [name, [viewer[name]]])
    const { data } = model.query.embed(Object.fromEntries(features))
    return c.json({ items: index.search(data, 3).ids })
  } catch (error) {
    return c.json({ error: error.message }, 400)
  }
})

export default app
