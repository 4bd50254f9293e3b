import type { Nested } from '../engine/inputs.ts'
import type { Port } from '../graph/index.ts'
import { compileStep, type Declared, type Run, rowValue, type Step, shaped, type Value } from '../preprocess/index.ts'
import { columnsOf } from '../serve/rows.ts'
import { type Members, nested } from '../serve/values.ts'

/** What a row has after some steps, as far as anybody has asked. */
type Column = (Value | Error | typeof UNMADE)[]
const UNMADE = Symbol('not made yet')

/** More columns than these are not kept: many recordings make them long. */
const MOST_COLUMNS = 10_000

/** Makes inputs of the same rows by many pipelines: what two begin with alike is done once. */
export class Maker {
  private readonly rows: readonly Members[]
  private readonly columns = new Map<string, Column>()
  private readonly compiled = new Map<string, Run | Error>()
  private readonly vocabularies = new Map<unknown, number>()

  constructor(rows: readonly Members[]) {
    this.rows = rows
  }

  /**
   * What each of the rows `wanted` has for `port`, or why it has nothing.
   * @param declared null for an input that is taken as it is
   */
  make(port: Port, declared: Declared | null, wanted: readonly number[]): readonly (Nested | Error)[] {
    if (declared === null)
      return wanted.map((row) =>
        attempt(() => (columnsOf([this.rows[row]], [port])[port.name] as readonly Nested[])[0]),
      )
    if (this.columns.size > MOST_COLUMNS) this.columns.clear()
    const values = this.after(declared.from ?? port.name, declared.steps, wanted)
    return values.map((value) => (value instanceof Error ? value : shaped(value, port)))
  }

  private after(from: string, steps: readonly Step[], wanted: readonly number[]): readonly (Value | Error)[] {
    let key = JSON.stringify(from)
    let values = this.column(key, wanted, (_, row) => {
      const features = this.rows[row]
      return attempt(() => rowValue(Object.hasOwn(features, from) ? nested(features[from], from) : null, from))
    })
    for (const step of steps) {
      const own = this.keyOf(step)
      key += own
      const before = values
      values = this.column(key, wanted, (i) => {
        const [run, value] = [this.runOf(step, own), before[i]]
        return run instanceof Error ? run : value instanceof Error ? value : attempt(() => run(value))
      })
    }
    return values
  }

  /** The values of the rows `wanted`: those that are known, the others made of their place in `wanted` and their row. */
  private column(
    key: string,
    wanted: readonly number[],
    make: (i: number, row: number) => Value | Error,
  ): readonly (Value | Error)[] {
    const known = this.columns.get(key) ?? new Array<Column[number]>(this.rows.length).fill(UNMADE)
    this.columns.set(key, known)
    return wanted.map((row, i) => {
      const value = known[row]
      if (value !== UNMADE) return value
      const made = make(i, row)
      known[row] = made
      return made
    })
  }

  private runOf(step: Step, key: string): Run | Error {
    let run = this.compiled.get(key)
    if (run === undefined) {
      run = attempt(() => compileStep(step))
      this.compiled.set(key, run)
    }
    return run
  }

  /** A step as text; of its vocabulary only which it is. */
  private keyOf(step: Step): string {
    return JSON.stringify(step, (name, value: unknown) => {
      if (name !== 'vocabulary') return value
      const known = this.vocabularies.get(value) ?? this.vocabularies.size
      this.vocabularies.set(value, known)
      return known
    })
  }
}

/** What `work` gives, or the error that it throws. */
export function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error as Error
  }
}
