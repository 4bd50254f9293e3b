// The worker's entry: calls in, answers out, one after the other.
import type { Asked, Told } from '../protocol.ts'
import { WorkerDesk } from './desk.ts'

const tell = (told: Told): void => postMessage(told)
const desk = new WorkerDesk((progress) => tell({ progress }))

/** What is under way: a model must not be exchanged while another call asks it. */
let last: Promise<unknown> = Promise.resolve()

addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  last = last.then(() => answer(data))
})

async function answer({ number, name, args }: Asked): Promise<void> {
  try {
    const call = desk[name] as (...all: typeof args) => Promise<unknown>
    tell({ number, value: await call.apply(desk, args) })
  } catch (error) {
    tell({ number, problem: error instanceof Error ? error.message : String(error) })
  }
}
