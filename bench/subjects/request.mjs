import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { convert, load } from '../../dist/index.js'
import { interleave } from '../measure.mjs'
import { timeTensorFlow } from '../peers/tensorflow.mjs'

const DEMO = fileURLToPath(new URL('../../weights/demo/', import.meta.url))
const BATCHES = [1, 1024]

/**
 * A whole request of the demo's query tower: raw features of viewers (strings, numbers, text) through vocabularies,
 * tokenizer and layers to embeddings. TensorFlow runs the same SavedModel in a process of its own, one thread, after us.
 */
export async function request(python, effort, say) {
  const [query, inBytes] = [await queryTower('float32'), await queryTower('int8')]
  const viewers = readFileSync(`${DEMO}viewers.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const results = []
  for (const batch of BATCHES) {
    const rows = Array.from({ length: batch }, (_, i) => viewers[i % viewers.length])
    const features = Object.fromEntries(query.inputs.map(({ name }) => [name, rows.map((row) => row[name])]))
    const timings = await interleave(
      [
        { name: 'twotower', call: () => query.embed(features).data },
        { name: 'twotower int8', call: () => inBytes.embed(features).data },
      ],
      effort,
    )
    const theirs = python === null ? null : await timeTensorFlow(python, `${DEMO}query_model`, features, effort)
    if (theirs !== null) {
      differ(query.embed(features).data, theirs.embedding)
      timings.TensorFlow = theirs.timing
    }
    results.push({ batch, timings, ...(theirs === null ? {} : { tensorflow: theirs.version }) })
    say(
      `request of ${batch}: ${Object.entries(timings)
        .map(([name, { median }]) => `${name} ${median.toPrecision(3)} µs`)
        .join(', ')}${python === null ? '; TensorFlow skipped: name a Python that has it by --python' : ''}`,
    )
  }
  return results
}

async function queryTower(dtype) {
  const bundle = await convert({ query: `${DEMO}query_model`, candidate: `${DEMO}candidate_model` }, { dtype })
  return (await load({ manifest: bundle.manifest, weights: bundle.weights })).query
}

function differ(ours, theirs) {
  const worst = theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i])), 0)
  if (!(worst < 1e-4)) throw new Error(`TensorFlow's embedding differs by ${worst}`)
}
