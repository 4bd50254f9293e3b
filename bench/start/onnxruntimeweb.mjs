// onnxruntime-web to the first embedding of a tower whose file is in memory.
import { ortWeb } from '../peers/onnxruntime.mjs'
import { rowsFor, TOWERS } from '../towers.mjs'
import { finished } from './finished.mjs'

const { tower } = await ortWeb.start()
finished(await (await tower(TOWERS[0]))(rowsFor(TOWERS[0], 1)).call())
