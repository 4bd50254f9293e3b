import { SingleBar } from 'cli-progress'

/** Seconds of work after which a person wants to see that it goes on. */
const PATIENCE = 1

/** Counts on standard error while work is long and somebody looks; nothing where it is piped. */
export class Progress {
  private readonly bar: SingleBar | null
  private readonly started = performance.now()
  private count = 0
  private shown = false

  /** @param unit what is counted; `total` where it is known */
  constructor(
    unit: string,
    private readonly total?: number,
  ) {
    this.bar = process.stderr.isTTY
      ? new SingleBar({
          stream: process.stderr,
          format:
            total === undefined
              ? `{value} ${unit}, {duration_formatted}`
              : `{bar} {value}/{total} ${unit}, {eta_formatted} left`,
          clearOnComplete: true,
        })
      : null
  }

  step(): void {
    this.count++
    if (this.bar === null) return
    if (!this.shown) {
      if ((performance.now() - this.started) / 1000 < PATIENCE) return
      this.bar.start(this.total ?? 0, this.count)
      this.shown = true
    } else if (this.count % 64 === 0) this.bar.update(this.count)
  }

  stop(): void {
    if (this.shown) this.bar?.stop()
  }
}
