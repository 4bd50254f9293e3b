// Recommends items to viewers, one a line:
//   deno run --allow-read recommend.ts movies items viewers.jsonl
import { load } from 'twotower'
import { ExactIndex } from 'twotower/search'

const [bundle, items, viewers] = Deno.args
const model = await load(bundle)
const { similarity } = model.structure
if (similarity === null) throw new Error('the model does not say how its towers are compared')
const ids: string[] = JSON.parse(await Deno.readTextFile(`${items}.json`))
const vectors = new Float32Array((await Deno.readFile(`${items}.bin`)).buffer)
const index = new ExactIndex(ids, vectors, similarity)

for (const line of (await Deno.readTextFile(viewers)).trim().split('\n')) {
  const viewer = JSON.parse(line)
  const features = model.query.features.map(({ name }) => [name, [viewer[name]]])
  const { data } = model.query.embed(Object.fromEntries(features))
  console.log(JSON.stringify({ id: viewer.id, items: index.search(data as Float32Array, 3).ids }))
}
