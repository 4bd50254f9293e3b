import { Counter, collectDefaultMetrics, exponentialBuckets, Gauge, Registry } from 'prom-client'
import type { UnknownWords } from '../embed/unknown.ts'
import type { Contract, Observer } from '../serve/observer.ts'
import { TalliedHistogram, type Tally } from './histogram.ts'

/** Ten microseconds to two and a half seconds. */
const SECONDS = exponentialBuckets(1e-5, 2, 19)
const ROWS = exponentialBuckets(1, 2, 13)

/** What a server tells of its work, as Prometheus reads it. */
export class Metrics implements Omit<Observer, 'broke'> {
  private readonly registry = new Registry()
  private readonly stages: TalliedHistogram<'stage'>
  private readonly requests: TalliedHistogram<'contract'>
  private readonly answers: Counter<'contract' | 'status'>
  private readonly batches: Tally
  private readonly merged: Tally
  private readonly versions: Gauge<'model'>
  private readonly lookups: Counter<'model' | 'feature'>
  private readonly unknown: Counter<'model' | 'feature'>
  /** What counts the lookups of the versions of a model, the newest last. */
  private readonly words = new Map<string, UnknownWords[]>()
  /** By contract and status. */
  private readonly counters = new Map<string, Counter.Internal>()

  constructor() {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    this.stages = new TalliedHistogram({
      registers,
      name: 'twotower_stage_seconds',
      help: 'Time in a stage: decode (JSON to inputs), queue (waiting for the batch), run (preprocessing and tower, once a batch), encode (outputs to JSON), search.',
      labelNames: ['stage'],
      buckets: SECONDS,
    })
    this.requests = new TalliedHistogram({
      registers,
      name: 'twotower_request_seconds',
      help: 'Time from the headers of a request to its answer.',
      labelNames: ['contract'],
      buckets: SECONDS,
    })
    this.answers = new Counter({
      registers,
      name: 'twotower_requests_total',
      help: 'Requests by interface and HTTP status.',
      labelNames: ['contract', 'status'],
    })
    this.batches = new TalliedHistogram({
      registers,
      name: 'twotower_batch_rows',
      help: 'Rows that were run together.',
      buckets: ROWS,
    }).of('')
    this.merged = new TalliedHistogram({
      registers,
      name: 'twotower_batch_requests',
      help: 'Requests whose rows were run together.',
      buckets: ROWS,
    }).of('')
    this.versions = new Gauge({
      registers,
      name: 'twotower_model_version',
      help: 'The newest version that is served.',
      labelNames: ['model'],
    })
    this.lookups = new Counter({
      registers,
      name: 'twotower_lookups_total',
      help: 'Values of a feature that were looked up in a vocabulary.',
      labelNames: ['model', 'feature'],
    })
    this.unknown = new Counter({
      registers,
      name: 'twotower_out_of_vocabulary_total',
      help: 'Those of them that the vocabulary does not have.',
      labelNames: ['model', 'feature'],
    })
  }

  stage(name: Parameters<Observer['stage']>[0], seconds: number): void {
    this.stages.of(name).observe(seconds)
  }

  batch(rows: number, requests: number): void {
    this.batches.observe(rows)
    this.merged.observe(requests)
  }

  answered(contract: Contract, _method: string, status: number, seconds: number): void {
    this.requests.of(contract).observe(seconds)
    // Finding the counter of labels takes as long as counting in it.
    const key = `${contract} ${status}`
    let counter = this.counters.get(key)
    if (counter === undefined) {
      counter = this.answers.labels(contract, String(status))
      this.counters.set(key, counter)
    }
    counter.inc()
  }

  serves(model: string, version: bigint): void {
    this.versions.labels(model).set(Number(version))
  }

  /** `words` counts the lookups of a new version of `model`, of which as many are served as `versions`. */
  watches(model: string, words: UnknownWords, versions: number): void {
    const all = [...(this.words.get(model) ?? []), words]
    // The oldest is no longer asked, but for what is under way: one more is kept for that.
    for (const old of all.splice(0, all.length - versions - 1)) this.count(model, old)
    this.words.set(model, all)
  }

  private count(model: string, words: UnknownWords): void {
    for (const [feature, { unknown, all }] of Object.entries(words.take())) {
      this.lookups.inc({ model, feature }, all)
      this.unknown.inc({ model, feature }, unknown)
    }
  }

  async page(): Promise<{ readonly type: string; readonly text: string }> {
    for (const [model, all] of this.words) for (const words of all) this.count(model, words)
    return { type: this.registry.contentType, text: await this.registry.metrics() }
  }
}
