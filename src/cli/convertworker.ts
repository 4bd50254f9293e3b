import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { convert } from '../convert.ts'
import { folderAt } from '../platform/open.ts'
import { type Converted, type ConvertWorkerData, refuseUnfinished } from './wholemodel.ts'

// A thread of `serve`: it reads a SavedModel while the server answers, gives it back as a bundle, and ends.

const { path, tags } = workerData as ConvertWorkerData
const folder = await folderAt(path)
await refuseUnfinished(folder, tags)
const { manifest, weights } = await convert(folder, tags === undefined ? {} : { tags })
const port = parentPort as MessagePort
port.postMessage({ manifest, weights } satisfies Converted, [weights.buffer as ArrayBuffer])
