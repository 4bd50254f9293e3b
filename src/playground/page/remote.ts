import type { Asked, Desk, Told } from '../protocol.ts'

/** The worker's desk, from the page. */
export function remoteDesk(worker: Worker, progress: (words: string) => void): Desk {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let number = 0
  worker.addEventListener('message', ({ data }: MessageEvent<Told>) => {
    if ('progress' in data) return progress(data.progress)
    const caller = waiting.get(data.number)
    waiting.delete(data.number)
    if ('problem' in data) caller?.reject(new Error(data.problem))
    else caller?.resolve(data.value)
  })
  worker.addEventListener('error', ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(`the worker has failed: ${message}; reload the page`))
    waiting.clear()
  })
  return new Proxy({} as Desk, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          waiting.set(++number, { resolve, reject })
          worker.postMessage({ number, name, args } as Asked)
        }),
  })
}

/**
 * Runs `work` with the newest of what was asked, one at a time: what is overtaken while another is under way is never run.
 * @returns asks for a run
 */
export function newest<T>(work: (asked: T) => Promise<void>): (asked: T) => Promise<void> {
  let running: Promise<void> | null = null
  let waiting: { readonly asked: T } | null = null
  return (asked) => {
    waiting = { asked }
    running ??= (async () => {
      while (waiting !== null) {
        const next = waiting
        waiting = null
        await work(next.asked)
      }
      running = null
    })()
    return running
  }
}
