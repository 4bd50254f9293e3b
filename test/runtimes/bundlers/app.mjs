// An app that imports the package, for each bundler to build as it is.
import { convert, load } from 'twotower'
import { ExactIndex } from 'twotower/search'

/** What the app shows: the demo's bundle embeds, its SavedModel converts to it, and a search finds an item by itself. */
export async function show(data) {
  const model = await load(`${data}/movies`)
  const features = { favourite_genre: ['Drama'] }
  for (const { name, dtype, shape } of model.query.features)
    features[name] ??= dtype === 'string' ? [''] : [shape[1] > 1 ? Array(shape[1]).fill(0) : 0]
  const { data: embedding, shape } = model.query.embed(features)
  const bundle = await convert(`${data}/weights/demo/query_model`)
  const { ids } = new ExactIndex(['it'], embedding, model.structure.similarity).search(embedding, 1)
  return { shape, length: Math.hypot(...embedding).toFixed(3), converted: bundle.byteLength > 0, ids }
}
