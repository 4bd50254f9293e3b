import { SingleBar } from 'cli-progress'
import type { Position } from '../embed/journal.ts'
import type { Answer } from '../embed/piece.ts'
import { type LookupCounts, together } from '../embed/unknown.ts'
import type { EmbedInput } from './embedinputs.ts'
import { counted } from './words.ts'

/** Seconds of work after which a person wants to see that it goes on, and between two looks. */
const PATIENCE = 1
const PACE = 0.1

/** Counts rows, shows at a terminal how far the work is, and says at the end what was done. */
export class EmbedProgress {
  failed: number
  private answered: number
  private lookups: LookupCounts = {}
  private readonly before: number
  private readonly inputs: readonly EmbedInput[]
  private readonly total: number | null
  private readonly started = performance.now()
  private bar: SingleBar | null = null
  private shownAt = 0

  /** @param from how many rows an earlier run answered, and how many of them failed */
  constructor(inputs: readonly EmbedInput[], from: { readonly answered: number; readonly failed: number }) {
    this.inputs = inputs
    this.answered = from.answered
    this.before = from.answered
    this.failed = from.failed
    // Of Parquet a place is a row: how many bytes are done is not known.
    const known = inputs.every(({ bytes, format }) => bytes !== null && format !== 'parquet')
    this.total = known ? inputs.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) : null
  }

  private get seconds(): number {
    return (performance.now() - this.started) / 1000
  }

  step({ rows, failed, lookups }: Answer, after: Position): void {
    this.answered += rows
    this.failed += failed
    this.lookups = together(this.lookups, lookups)
    const { seconds } = this
    if (!process.stderr.isTTY || seconds < PATIENCE || seconds - this.shownAt < PACE) return
    this.shownAt = seconds
    const done = this.inputs.slice(0, after.input).reduce((sum, { bytes }) => sum + (bytes ?? 0), after.offset)
    const rate = Math.round((this.answered - this.before) / seconds)
    const words = { rows: this.answered, rate }
    if (this.bar === null) {
      this.bar = new SingleBar({
        stream: process.stderr,
        format:
          this.total === null
            ? '{rows} rows, {rate} a second'
            : '{bar} {percentage} %, {rows} rows, {rate} a second, {eta_formatted} left',
        clearOnComplete: true,
        // Over the last so many looks.
        etaBuffer: 50,
      })
      this.bar.start(this.total ?? 0, done, words)
    } else this.bar.update(done, words)
  }

  stop(): void {
    this.bar?.stop()
  }

  /** `300000 rows in 12.3 s, 24390 a second, 2 bad rows`, and what share of values the vocabularies do not have. */
  summary(): string[] {
    const { seconds, before } = this
    const done = this.answered - before
    const parts = [`${counted(done, 'row')} in ${seconds.toFixed(1)} s`, `${Math.round(done / seconds)} a second`]
    if (before > 0) parts.push(`after ${counted(before, 'row')} of an earlier run`)
    if (this.failed > 0) parts.push(counted(this.failed, 'bad row'))
    const shares = Object.entries(this.lookups).map(
      ([name, { unknown, all }]) => `${name} ${((100 * unknown) / Math.max(1, all)).toFixed(1)} %`,
    )
    return [parts.join(', '), ...(shares.length === 0 ? [] : [`out of vocabulary: ${shares.join(', ')}`])]
  }
}
