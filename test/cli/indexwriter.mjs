// node indexwriter.mjs INDEX: puts items in, one after the other, and says of each when it is kept, until it is killed.
import { ItemIndex } from '../../dist/search/index.js'

const index = await ItemIndex.open(process.argv[2])
for (let i = index.size; ; i++) {
  await index.upsert([{ id: `item ${i}`, embedding: Float32Array.of(i, -i, 1 / (i + 1)) }])
  if (i % 7 === 6) await index.compact()
  process.stdout.write(`${i}\n`)
}
