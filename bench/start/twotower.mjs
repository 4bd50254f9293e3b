// A bundle to its first embedding: of the demo's query tower, for one viewer. The job is an argument, not a file: importing
// node:fs as a module makes Node open its streams, 3 ms of the core's time, and the library does not import it so.
import { load } from '../../dist/index.js'
import { finished } from './finished.mjs'

const { bundle, features } = JSON.parse(process.argv[2])
const model = await load(bundle)
finished(model.query.embed(features).data)
