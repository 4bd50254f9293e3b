// Loads a bundle and embeds a row by it, in a process of its own, and prints the resident bytes before and after.
const before = process.memoryUsage().rss
const { load } = await import('../../dist/index.js')
const model = await load(process.argv[2])
const [{ name, shape }] = model.query.inputs
const { data } = model.query.embed({ [name]: new Float32Array(shape[1]).fill(0.5) })
globalThis.gc()
process.stdout.write(JSON.stringify({ before, after: process.memoryUsage().rss, first: data[0] }))
