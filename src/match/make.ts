import type { Nested } from '../engine/inputs.ts'
import type { Port } from '../graph/index.ts'
import { compileStep, type Declared, type Run, rowValue, type Step, shaped, type Value } from '../preprocess/index.ts'
import { columnsOf } from '../serve/rows.ts'
import { type Members, nested } from '../serve/values.ts'

/** Makes inputs of the same rows by many pipelines: what two begin with alike is done once. */
export class Maker {
  private readonly rows: readonly Members[]
  private readonly values = new Map<string, readonly (Value | Error)[]>()
  private readonly compiled = new Map<string, Run | Error>()
  private readonly vocabularies = new Map<unknown, number>()

  constructor(rows: readonly Members[]) {
    this.rows = rows
  }

  /** What each row has for `port`, or why it has nothing; `declared` is null for an input that is taken as it is. */
  make(port: Port, declared: Declared | null): readonly (Nested | Error)[] {
    if (declared === null)
      return this.rows.map((row) => attempt(() => (columnsOf([row], [port])[port.name] as readonly Nested[])[0]))
    const values = this.after(declared.from ?? port.name, declared.steps)
    return values.map((value) => (value instanceof Error ? value : shaped(value, port)))
  }

  private after(from: string, steps: readonly Step[]): readonly (Value | Error)[] {
    let key = JSON.stringify(from)
    let at = this.remember(key, () =>
      this.rows.map((row) => attempt(() => rowValue(Object.hasOwn(row, from) ? nested(row[from]) : null, from))),
    )
    for (const step of steps) {
      const own = this.keyOf(step)
      key += own
      const before = at
      at = this.remember(key, () => {
        const run = this.runOf(step, own)
        return before.map((value) =>
          run instanceof Error ? run : value instanceof Error ? value : attempt(() => run(value)),
        )
      })
    }
    return at
  }

  private remember(key: string, work: () => readonly (Value | Error)[]): readonly (Value | Error)[] {
    const known = this.values.get(key)
    if (known !== undefined) return known
    const made = work()
    this.values.set(key, made)
    return made
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
