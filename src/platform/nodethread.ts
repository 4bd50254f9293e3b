import { builtin } from './builtin.ts'

// Asked for, not imported: `twotower/search` leads here, and a bundler for browsers has nothing to resolve.
const { Worker } = builtin('node:worker_threads')

/** A thread that runs the module at `url` on `data`, for Node, Deno and Bun. */
export function nodeThread(url: URL, data: unknown): NodeThread {
  const worker = new Worker(url, { workerData: data })
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    listen(answered, failed) {
      worker.on('message', answered)
      worker.on('error', failed)
      worker.on('exit', (status) => failed(new Error(`a worker ended with ${status} before its work was done`)))
    },
    async end() {
      await worker.terminate()
    },
  }
}

/** A running thread: messages to it and from it. */
export interface NodeThread {
  post(message: unknown, transfer: readonly ArrayBuffer[]): void
  /** @param failed called where the thread ends */
  listen(answered: (message: unknown) => void, failed: (error: Error) => void): void
  end(): Promise<void>
}
