// What a page runs: the cases on the page itself, and the same in a worker of it.
import { runHere } from './here.mjs'

globalThis.runOnPage = runHere
globalThis.runInWorker = () =>
  new Promise((resolve, reject) => {
    const worker = new Worker('/pages/worker.js', { type: 'module' })
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = ({ message }) => reject(new Error(message))
  })
