// onnxruntime-node to the first embedding of a tower whose file is in memory.
import { ortNode } from '../peers/onnxruntime.mjs'
import { rowsFor, TOWERS } from '../towers.mjs'
import { finished } from './finished.mjs'

const { tower } = await ortNode.start()
finished(await (await tower(TOWERS[0]))(rowsFor(TOWERS[0], 1)).call())
