import type { Features, InputValue, Nested } from '../engine/model.ts'
import { Strings, sizeOf, type Tensor } from '../tensor/index.ts'
import { Refusal } from './refusal.ts'

/** What is run: a signature, or a tower. */
export interface Runnable {
  /** Whether the first dimension of all that goes in and comes out is the batch. */
  readonly hasRows: boolean
  /** Its results are valid until the next call. */
  evaluate(inputs: Features): Readonly<Record<string, Tensor>>
}

export interface BatchLimits {
  /** Rows that are run together at most; 1 runs each request alone. */
  readonly maxRows: number
  /** Milliseconds that a request waits for others at most. */
  readonly maxWait: number
}

/** What a batcher tells of its work. */
export interface BatchObserver {
  batch(rows: number, requests: number): void
  stage(name: 'queue' | 'run', seconds: number): void
}

interface Job {
  readonly inputs: Features
  readonly rows: number
  readonly since: number
  readonly deadline: number
  finish(outputs: Readonly<Record<string, Tensor>>): void
  fail(error: unknown): void
}

/** Batches whose answers are held against those of their requests alone before merging is trusted. */
const TRIALS = 8
/** Rounding: a row of a batch goes through other kernels than a row alone. */
const TOLERANCE = 1e-4

/**
 * Runs what came at the same time as one batch. Requests that arrive while the event loop is busy are merged when it gets
 * to them, so an idle server adds no wait and a busy one makes larger batches; with `maxWait` it waits for as many rows as
 * lately came together.
 *
 * Merging is right only where each row of the outputs depends on its own row of the inputs. Where the shapes do not say
 * that there are rows, nothing is merged; where they do, the first batches are also run request by request, and merging
 * ends for good where an answer differs. A batch that fails is run request by request, so that a bad row spoils its own
 * request alone.
 */
export class Batcher {
  private readonly runnable: Runnable
  private readonly limits: BatchLimits
  private readonly observer: BatchObserver
  private readonly waiting: Job[] = []
  private rows = 0
  /** A running mean of how many rows come together. */
  private usual = 1
  private scheduled: ReturnType<typeof setTimeout> | 'soon' | null = null
  private trials = TRIALS
  private mergeable: boolean

  constructor(runnable: Runnable, limits: BatchLimits, observer: BatchObserver) {
    this.runnable = runnable
    this.limits = limits
    this.observer = observer
    this.mergeable = limits.maxRows > 1 && runnable.hasRows
  }

  /**
   * Runs `inputs` with whatever else is there.
   * @param rows how many rows each input has; 0 where they are not rows, and must be run alone
   * @param deadline on the clock of `performance.now()`; past it the request is not run
   * @param use makes the answer out of the outputs, which are valid only while it runs
   */
  submit<T>(
    inputs: Features,
    rows: number,
    deadline: number,
    use: (outputs: Readonly<Record<string, Tensor>>) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push({
        inputs,
        rows,
        since: performance.now(),
        deadline,
        finish: (outputs) => resolve(use(outputs)),
        fail: reject,
      })
      this.rows += Math.max(1, rows)
      // A Worker's request must not wait for another's timer, which ends with that request.
      if (this.limits.maxRows === 1) this.flush()
      else this.schedule()
    })
  }

  private schedule(): void {
    const { maxRows, maxWait } = this.limits
    const enough = this.rows >= Math.min(maxRows, Math.round(this.usual))
    if (this.scheduled === 'soon') return
    if (maxWait > 0 && this.mergeable && !enough) {
      this.scheduled ??= setTimeout(() => this.flush(), maxWait)
      return
    }
    if (this.scheduled !== null) clearTimeout(this.scheduled)
    this.scheduled = 'soon'
    soon(() => this.flush())
  }

  private flush(): void {
    this.scheduled = null
    const jobs = this.waiting.splice(0)
    this.usual += (Math.max(1, this.rows) - this.usual) / 8
    this.rows = 0
    const now = performance.now()
    const live = jobs.filter((job) => {
      this.observer.stage('queue', (now - job.since) / 1000)
      if (now <= job.deadline) return true
      job.fail(new Refusal(504, 'Deadline exceeded: the request waited too long to be run'))
      return false
    })
    for (const batch of this.batches(live)) {
      this.run(batch)
      this.observer.batch(
        batch.reduce((rows, job) => rows + Math.max(1, job.rows), 0),
        batch.length,
      )
    }
  }

  /** Requests that go together: of the same inputs, as many rows as allowed. */
  private *batches(jobs: readonly Job[]): Generator<readonly Job[]> {
    if (!this.mergeable) {
      for (const job of jobs) yield [job]
      return
    }
    const alike = new Map<string, Job[]>()
    for (const job of jobs) {
      if (job.rows === 0) {
        yield [job]
        continue
      }
      const names = Object.keys(job.inputs).sort().join('\n')
      const batch = alike.get(names) ?? []
      if (batch.length > 0 && rowsIn(batch) + job.rows > this.limits.maxRows) {
        yield batch.splice(0)
      }
      batch.push(job)
      alike.set(names, batch)
    }
    yield* alike.values()
  }

  private run(jobs: readonly Job[]): void {
    if (jobs.length === 1 || !this.mergeable) {
      for (const job of jobs) this.alone(job)
      return
    }
    let outputs: Readonly<Record<string, Tensor>>
    try {
      outputs = this.evaluate(merged(jobs))
      const rows = rowsIn(jobs)
      if (Object.values(outputs).some(({ shape }) => shape[0] !== rows))
        throw new RangeError('an output has not one row a row of the inputs')
    } catch {
      for (const job of jobs) this.alone(job)
      return
    }
    const parts = split(outputs, jobs, this.trials > 0)
    if (this.trials > 0) {
      this.trials--
      this.onTrial(jobs, parts)
      return
    }
    for (const [i, job] of jobs.entries()) settle(job, parts[i])
  }

  /** Answers each request by itself, and holds the merged answers against that. */
  private onTrial(jobs: readonly Job[], parts: readonly Readonly<Record<string, Tensor>>[]): void {
    for (const [i, job] of jobs.entries()) {
      try {
        const own = this.evaluate(job.inputs)
        if (Object.entries(own).some(([name, tensor]) => !alike(tensor, parts[i][name]))) this.mergeable = false
        settle(job, own)
      } catch (error) {
        // What is refused alone must not be answered in company.
        this.mergeable = false
        job.fail(error)
      }
    }
  }

  private evaluate(inputs: Features): Readonly<Record<string, Tensor>> {
    const start = performance.now()
    const outputs = this.runnable.evaluate(inputs)
    this.observer.stage('run', (performance.now() - start) / 1000)
    return outputs
  }

  private alone(job: Job): void {
    try {
      settle(job, this.evaluate(job.inputs))
    } catch (error) {
      job.fail(error)
    }
  }
}

function settle(job: Job, outputs: Readonly<Record<string, Tensor>>): void {
  try {
    job.finish(outputs)
  } catch (error) {
    job.fail(error)
  }
}

const rowsIn = (jobs: readonly Job[]): number => jobs.reduce((rows, job) => rows + job.rows, 0)

/** The inputs of all jobs, one below the other. Inputs that are merged are lists of rows. */
function merged(jobs: readonly Job[]): Features {
  const names = Object.keys(jobs[0].inputs)
  return Object.fromEntries(
    names.map((name): [string, InputValue] => [
      name,
      jobs.flatMap(({ inputs }) => inputs[name] as readonly Nested[]) as Nested,
    ]),
  )
}

/** The rows of each job. @param kept whether the parts must outlive the next run */
function split(
  outputs: Readonly<Record<string, Tensor>>,
  jobs: readonly Job[],
  kept: boolean,
): Readonly<Record<string, Tensor>>[] {
  let row = 0
  return jobs.map(({ rows }) => {
    const from = row
    row += rows
    return Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, rowsOf(t, from, rows, kept)]))
  })
}

function rowsOf(t: Tensor, from: number, rows: number, kept: boolean): Tensor {
  const width = sizeOf(t.shape.slice(1))
  const shape = [rows, ...t.shape.slice(1)]
  const [start, end] = [from * width, (from + rows) * width]
  if (t.dtype === 'string') {
    const { bytes, offsets } = t.data
    return { dtype: 'string', shape, data: new Strings(bytes, offsets.subarray(start, end + 1)) }
  }
  if (t.dtype === 'resource' || t.dtype === 'variant') throw new TypeError(`a ${t.dtype} has no rows`)
  const data = kept ? t.data.slice(start, end) : t.data.subarray(start, end)
  return { dtype: t.dtype, shape, data } as Tensor
}

/** Whether two tensors say the same but for rounding. */
function alike(a: Tensor, b: Tensor | undefined): boolean {
  if (b === undefined || a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false
  if (a.shape.some((dim, i) => dim !== b.shape[i])) return false
  for (let i = 0; i < a.data.length; i++) {
    if (a.dtype === 'string' && b.dtype === 'string') {
      if (!Strings.equal(a.data, i, b.data, i)) return false
      continue
    }
    const [x, y] = [a.data as ArrayLike<number | bigint>, b.data as ArrayLike<number | bigint>].map((data) => data[i])
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue
    if (typeof x === 'bigint' || typeof y === 'bigint') return false
    if (!(Math.abs(x - y) <= TOLERANCE * Math.max(1, Math.abs(x)))) return false
  }
  return true
}

/** After what has arrived meanwhile: setImmediate where there is one, which waits for nothing. */
const soon: (work: () => void) => void =
  typeof setImmediate === 'function' ? (work) => setImmediate(work) : (work) => setTimeout(work, 0)
