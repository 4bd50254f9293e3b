import { featuresOf } from '../explain/explain.ts'
import { type Part, titleOf } from '../explain/part.ts'
import type { Port } from '../graph/index.ts'
import type { Row } from '../serve/rows.ts'
import { type Agreement, agreement } from './agreement.ts'
import {
  type Absent,
  type Batch,
  cutLayers,
  type EngineChoice,
  firstLine,
  type Measured,
  type Ready,
  requestOf,
  startEngines,
} from './engines.ts'
import { featureHints } from './hints.ts'
import { type Answer, type Contender, type Effort, interleave, type Timing } from './measure.ts'
import type { Profile } from './profile.ts'
import { batchesOf, batchOf, fits, fixedBatch, madeRows } from './rows.ts'
import { profilePart } from './watch.ts'

export interface BenchOptions extends EngineChoice, Effort {
  readonly batches: readonly number[]
  /** Rows of features; those that the part takes are used. */
  readonly rows: readonly Row[]
  /** Whether to say where a request's time goes, in the smallest and the largest batch. */
  readonly profile: boolean
}

/** One contender at one batch: microseconds a call. */
export interface Entry extends Timing {
  readonly engine: string
  readonly measured: Measured
  readonly rowsPerSecond: number
  /** The largest difference of a number from ours, and whether that is rounding; both of ours are compared too. */
  readonly difference: number
  readonly agrees: boolean
}

/** A part of a model, measured; docs/cli.md documents the members. */
export interface PartReport {
  readonly part: string
  /** How many rows the batches are made of, and where they came from. */
  readonly rows: { readonly count: number; readonly made: boolean }
  /** The layers that were cut off; in words why not. */
  readonly layers: { readonly count: number; readonly inputs: readonly (readonly number[])[] } | string
  readonly batches: readonly { readonly rows: number; readonly entries: readonly Entry[] }[]
  readonly absent: readonly Absent[]
  readonly profiles: readonly Profile[]
}

/**
 * Measures a tower or signature, beside what else is there.
 * @throws {RangeError} where the part does not take the rows
 */
export async function benchPart(part: Part, options: BenchOptions): Promise<PartReport> {
  const { deterministic } = options
  const features = featuresOf(part)
  const fixed = fixedBatch(features)
  const batches = fixed === null ? options.batches : [fixed]
  const { rows, made } = rowsFor(part, features, options.rows)
  const first = batchOf(rows, features, batches[0])
  const absent: Absent[] = []
  const request = await requestOf(part, { deterministic })
  answered(() => request(first), made)
  const cut = await cutLayers(part, first, { deterministic })
  const engines = await startEngines(part, request, cut, options, absent)
  const measured: PartReport['batches'][number][] = []
  for (const count of batches) {
    const own = batchesOf(rows, features, count)
    for (const batch of own) answered(() => request(batch), made)
    const turns = own.map(
      (batch): Batch => ({ features: batch, flowing: typeof cut === 'string' ? [] : cut.flowing(batch) }),
    )
    const entries = await measureBatch(engines, turns, count, options, absent)
    measured.push({ rows: count, entries })
  }
  const profiles: Profile[] = []
  for (const count of options.profile ? new Set([Math.min(...batches), Math.max(...batches)]) : [])
    profiles.push(await profilePart(part, cut, batchOf(rows, features, count), count, options))
  return {
    part: titleOf(part),
    rows: { count: rows.length, made },
    layers: typeof cut === 'string' ? cut : { count: cut.layers.count, inputs: cut.widths },
    batches: measured,
    absent,
    profiles,
  }
}

/** As many rows are made. */
const ROWS = 1024

/** Those of the given rows that the part takes; where it takes none, made ones. */
function rowsFor(part: Part, features: readonly Port[], given: readonly Row[]) {
  const own = given.filter((row) => fits(row, features))
  if (own.length > 0) return { rows: own, made: false }
  const hints = featureHints(part.graph, part.inputs, features, part.declared)
  return { rows: madeRows(features, hints, ROWS), made: true }
}

/** What the model refuses is told with where the rows came from. */
function answered(answer: () => unknown, made: boolean): void {
  try {
    answer()
  } catch (error) {
    if (!made) throw error
    throw new RangeError(
      `the rows that were made from the signature are not what the model takes (${firstLine(error)}): give rows of your own with --rows`,
      { cause: error },
    )
  }
}

/**
 * Compares the engines' answers with ours, then times them in turns, each going round the batches. One that fails is told in
 * `absent`, once.
 */
async function measureBatch(
  engines: readonly Ready[],
  batches: readonly Batch[],
  rows: number,
  effort: Effort,
  absent: Absent[],
): Promise<Entry[]> {
  const wanted: Answer[] = []
  for (const batch of batches) wanted.push(await engines[0].call(batch))
  const able: (Ready & Contender & Agreement)[] = []
  for (const ready of engines) {
    const { engine, measured, call } = ready
    const found: Agreement[] = []
    try {
      for (const [i, batch] of batches.entries()) found.push(agreement(wanted[i], await call(batch)))
    } catch (error) {
      if (!absent.some((other) => other.engine === engine && other.measured === measured))
        absent.push({ engine, measured, why: firstLine(error) })
      continue
    }
    let next = 0
    able.push({
      ...ready,
      name: `${engine} ${measured}`,
      call: () => call(batches[next++ % batches.length]),
      difference: Math.max(...found.map(({ difference }) => difference)),
      agrees: found.every(({ agrees }) => agrees),
    })
  }
  const timings = await interleave(able, effort)
  return able.map(({ name, engine, measured, difference, agrees }) => {
    const timing = timings.get(name) as Timing
    return { engine, measured, ...timing, rowsPerSecond: (rows / timing.median) * 1e6, difference, agrees }
  })
}
