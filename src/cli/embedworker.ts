import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Answerer, watchedModel } from '../embed/answer.ts'
import type { Job, Piece } from '../embed/piece.ts'
import type { Reply } from '../embed/pool.ts'
import { definitionOf, type SharedModel } from '../embed/shared.ts'
import { openRanges } from '../platform/noderanges.ts'

// A worker of `embed`: pieces of input in, pieces of output back, over weights that all workers share.

/** What a worker is started with. */
export interface EmbedWorkerData {
  readonly model: SharedModel
  readonly wasm: WebAssembly.Module
  readonly deterministic: boolean
  readonly job: Job
}

const { model, wasm, deterministic, job } = workerData as EmbedWorkerData
const port = parentPort as MessagePort
const answerer = (async () => {
  const { definition, memory } = await definitionOf(model)
  const ready = await watchedModel(definition, { wasm, memory, deterministic })
  return Answerer.of(ready, job, async (path) => openRanges(path))
})()

/** Pieces are answered one after the other, in the order in which they come. */
let last: Promise<void> = Promise.resolve()
port.on('message', (piece: Piece) => {
  last = last.then(() => reply(piece))
})

async function reply(piece: Piece): Promise<void> {
  try {
    const answer = await (await answerer).answer(piece)
    port.postMessage({ answer } satisfies Reply, [answer.text.buffer, answer.vectors.buffer, answer.errors.buffer])
  } catch (error) {
    port.postMessage({ problem: (error as Error).message } satisfies Reply)
  }
}
