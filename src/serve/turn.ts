import type { Features } from '../engine/model.ts'
import type { Tensor } from '../tensor/index.ts'
import type { Batcher } from './batcher.ts'
import type { Observer } from './observer.ts'

/** One request on its way through a contract: its body, its deadline, and how long each stage took. */
export class Turn {
  private readonly read: () => Promise<Uint8Array>
  private readonly deadline: number
  private readonly observer: Observer
  private since = performance.now()

  /**
   * @param read the body
   * @param deadline on the clock of `performance.now()`
   */
  constructor(read: () => Promise<Uint8Array>, deadline: number, observer: Observer) {
    this.read = read
    this.deadline = deadline
    this.observer = observer
  }

  /** The body. @throws {Refusal} where it is too large or cut short */
  async bytes(): Promise<Uint8Array> {
    const bytes = await this.read()
    this.since = performance.now()
    return bytes
  }

  /** The body has become a model's inputs. */
  decoded(): void {
    this.end('decode')
  }

  /** Runs `inputs`, with other requests where they are rows, and gives what `use` makes of the outputs. */
  run<T>(batcher: Batcher, inputs: Features, use: (outputs: Readonly<Record<string, Tensor>>) => T): Promise<T> {
    return batcher.submit(inputs, rowsOf(inputs), this.deadline, (outputs) => this.stage('encode', () => use(outputs)))
  }

  /** What `work` gives, timed. */
  stage<T>(name: 'run' | 'encode' | 'search', work: () => T): T {
    this.since = performance.now()
    const result = work()
    this.end(name)
    return result
  }

  private end(name: 'decode' | 'run' | 'encode' | 'search'): void {
    const now = performance.now()
    this.observer.stage(name, (now - this.since) / 1000)
    this.since = now
  }
}

/** How many rows all inputs have; 0 where they are no lists of one length. */
function rowsOf(inputs: Features): number {
  let rows = 0
  for (const value of Object.values(inputs)) {
    if (!Array.isArray(value) || value.length === 0 || (rows > 0 && value.length !== rows)) return 0
    rows = value.length
  }
  return rows
}
