// Runs a model many times in a process of its own and prints what its memory did, as JSON: resident bytes and the heap,
// after the warm-up and at the end. memory.test.ts starts it with --expose-gc, on the built package.
import { load } from '../../dist/index.js'

const [folder, warmUp, calls] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const model = await load(folder)

/** Batches of one to four rows, of words that are in the vocabularies and words that are not. */
const BATCHES = [1, 2, 3, 4].map((rows) => ({
  user_id: Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? '42' : `nobody ${i}`)),
  movie_id: Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 'nothing' : `m${i}`)),
}))

let sum = 0
function run(times) {
  for (let i = 0; i < times; i++) {
    const { query_embedding, candidate_embedding } = model.run('serving_default', BATCHES[i % BATCHES.length])
    sum += query_embedding.data[0] + candidate_embedding.data[0]
  }
}

function used() {
  for (let i = 0; i < 3; i++) globalThis.gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { resident: rss, heap: heapUsed + external }
}

run(warmUp)
const before = used()
run(calls)
const after = used()
process.stdout.write(JSON.stringify({ before, after, finite: Number.isFinite(sum) }))
