// Embeds a catalogue, a film a line, into items.json (their ids) and items.bin (float32, row after row):
//   node catalogue.mjs movies films.jsonl items
import { readFile, writeFile } from 'node:fs/promises'
import { load } from 'twotower'

const [bundle, films, items] = process.argv.slice(2)
const model = await load(bundle)
const rows = (await readFile(films, 'utf8'))
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
const names = model.candidate.features.map(({ name }) => name)
const embeddings = []
for (let from = 0; from < rows.length; from += 1000) {
  const batch = rows.slice(from, from + 1000)
  const features = names.map((name) => [name, batch.map((row) => row[name])])
  const { data } = model.candidate.embed(Object.fromEntries(features))
  embeddings.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}
await writeFile(`${items}.json`, JSON.stringify(rows.map(({ id }) => id)))
await writeFile(`${items}.bin`, Buffer.concat(embeddings))
console.log(`${rows.length} items embedded`)
