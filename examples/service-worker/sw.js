// A service worker that recommends to the page, from files that it keeps in the browser's cache. Bundle it into one file:
// a service worker may not import while it runs.

import { load } from 'twotower'
import { ExactIndex } from 'twotower/search'

const FILES = ['movies/manifest.json', 'movies/weights.bin', 'items.json', 'items.bin']

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open('recommend').then((cache) => cache.addAll(FILES)))
})

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

self.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method === 'POST' && new URL(request.url).pathname.endsWith('/recommend')) {
    event.respondWith(recommend(request))
  }
})

const kept = async (url) => (await caches.match(url)) ?? fetch(url)

let ready

/** The model and the index, when they are first asked for. */
async function start() {
  const model = await load('movies', { fetch: kept })
  const ids = await (await kept('items.json')).json()
  const vectors = new Float32Array(await (await kept('items.bin')).arrayBuffer())
  return { model, index: new ExactIndex(ids, vectors, model.structure.similarity) }
}

async function recommend(request) {
  ready ??= start()
  try {
    const { model, index } = await ready
    const viewer = await request.json()
    const features = model.query.features.map(({ name }) => [name, [viewer[name]]])
    const { data } = model.query.embed(Object.fromEntries(features))
    return Response.json({ items: index.search(data, 3).ids })
  } catch (error) {
    return Response.json({ error: error.message }, { status: 400 })
  }
}
