import type { Answer, Piece } from './piece.ts'

/** Another thread that answers messages one by one, in order. */
export interface Thread {
  post(message: unknown, transfer: readonly ArrayBuffer[]): void
  /** @param failed called where the thread ends before it is told to */
  listen(answered: (message: unknown) => void, failed: (error: Error) => void): void
  end(): Promise<void>
}

/** What a thread gives back for a piece. */
export type Reply = { readonly answer: Answer } | { readonly problem: string }

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
}

/** Threads that answer pieces; a piece goes to the thread that has the fewest. */
export class Pool {
  private readonly threads: readonly { readonly thread: Thread; readonly waiting: Waiting[] }[]
  private failure: Error | null = null

  constructor(threads: readonly Thread[]) {
    this.threads = threads.map((thread) => {
      const waiting: Waiting[] = []
      thread.listen(
        (message) => {
          const [reply, first] = [message as Reply, waiting.shift() as Waiting]
          if ('answer' in reply) first.resolve(reply.answer)
          else first.reject(new Error(reply.problem))
        },
        (error) => {
          this.failure = error
          for (const { reject } of waiting.splice(0)) reject(error)
        },
      )
      return { thread, waiting }
    })
  }

  /** How many threads there are. */
  get size(): number {
    return this.threads.length
  }

  /** Answers `piece`, whose bytes are given away. */
  answer(piece: Piece): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.failure !== null) throw this.failure
      const { thread, waiting } = this.threads.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a))
      waiting.push({ resolve, reject })
      thread.post(piece, piece.body instanceof Uint8Array ? [piece.body.buffer] : [])
    })
  }

  async end(): Promise<void> {
    await Promise.all(this.threads.map(({ thread }) => thread.end()))
  }
}
