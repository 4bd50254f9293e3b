// A bundle to its first embedding: of the demo's query tower, for one viewer.
import { readFileSync } from 'node:fs'
import { load } from '../../dist/index.js'
import { finished } from './finished.mjs'

const { bundle, features } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const model = await load(bundle)
finished(model.query.embed(features).data)
