import { exponentialBuckets, Histogram, Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { TalliedHistogram } from '../../../src/cli/histogram.ts'

const buckets = exponentialBuckets(1e-5, 2, 19)
const values = [0, 1e-5, 1.1e-5, 2e-5, 0.003, 2.62144, 2.7, 100]

/** Both kinds of the same histogram, each in a registry of its own. */
function both(labelNames: string[]) {
  const [theirs, ours] = [new Registry(), new Registry()]
  const options = { name: 'seconds', help: 'Time.', labelNames, buckets }
  return {
    library: new Histogram({ ...options, registers: [theirs] }),
    tallied: new TalliedHistogram({ ...options, registers: [ours] }),
    pages: () => Promise.all([ours.metrics(), theirs.metrics()]),
  }
}

describe('a histogram whose counting is an array', () => {
  test('is written as the library writes its own, label by label', async () => {
    const { library, tallied, pages } = both(['stage'])
    for (const [i, value] of values.entries())
      for (const stage of i % 2 === 0 ? ['run', 'a"b'] : ['run']) {
        library.observe({ stage }, value)
        tallied.of(stage).observe(value)
      }
    const [ours, theirs] = await pages()
    expect(ours).toBe(theirs)
    expect(ours).toContain('seconds_count{stage="run"} 8')
  })

  test('is written without labels before anything came', async () => {
    const { library, tallied, pages } = both([])
    const [ours, theirs] = await pages()
    expect(ours).toBe(theirs)
    library.observe(0.003)
    tallied.of('').observe(0.003)
    const [then, ofThem] = await pages()
    expect(then).toBe(ofThem)
    expect(then).not.toBe(ours)
  })
})
