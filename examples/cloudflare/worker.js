// A Worker that recommends: it embeds the viewer that a request describes and searches a catalogue of a few thousand items,
// which ../node/catalogue.mjs embedded. A Worker compiles no WebAssembly, so the deployment does.

import { load } from 'twotower'
import wasm from 'twotower/kernels.wasm'
import { ExactIndex } from 'twotower/search'
import vectors from './items.bin'
import ids from './items.json'
import manifest from './movies/manifest.json'
import weights from './movies/weights.bin'

// Once a start, not once a request.
const model = await load({ manifest, weights, wasm })
const index = new ExactIndex(ids, new Float32Array(vectors), model.structure.similarity, wasm)

export default {
  async fetch(request) {
    if (request.method !== 'POST') return new Response('POST a viewer as JSON', { status: 405 })
    try {
      const viewer = await request.json()
      const features = model.query.features.map(({ name }) => [name, [viewer[name]]])
      const { data } = model.query.embed(Object.fromEntries(features))
      return Response.json({ items: index.search(data, 3).ids })
    } catch (error) {
      return Response.json({ error: error.message }, { status: 400 })
    }
  },
}
