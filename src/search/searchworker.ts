import { builtin } from '../platform/builtin.ts'
import { Shard, type ShardData, type ShardQuery } from './shard.ts'

// A thread of a parallel search: queries in, the best rows of its shard back, in the order in which they were asked.

const { parentPort, workerData } = builtin('node:worker_threads')
if (parentPort === null) throw new Error('this module is a thread of a search, started by ParallelIndex')
const shard = new Shard(workerData as ShardData)
parentPort.on('message', (queries: readonly ShardQuery[]) => parentPort.postMessage(shard.answer(queries)))
