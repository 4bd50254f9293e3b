import { runHere } from './here.mjs'

postMessage(await runHere())
