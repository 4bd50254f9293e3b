import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startPeer } from '../../bench/peers/index.mjs'
import { scan } from '../../bench/subjects/scan.mjs'
import { towers } from '../../bench/subjects/towers.mjs'

// How much faster than tfjs-wasm, here and now, against what docs/performance.md says. Times say nothing about another
// machine, but who takes turns in one process is slowed alike.

const EFFORT = { rounds: 9, milliseconds: 10, quick: true }
/** A ratio that fell by more than a third is a loss, what fell less may be the machine. */
const KEPT = 2 / 3

const ratios = ({ towers, scan }) =>
  new Map([
    ...towers.map(({ tower, batch, timings }) => [`tower ${tower}, batch ${batch}`, ratio(timings)]),
    ...scan.map(({ rows, timings }) => [`the best 100 of ${rows}`, ratio(timings)]),
  ])

const ratio = (timings) => timings['tfjs-wasm'].median / timings.twotower.median

const published = ratios(
  JSON.parse(readFileSync(new URL('../../bench/results/node-20-x64.json', import.meta.url), 'utf8')),
)

test('no ratio to tfjs-wasm is a third less than was published', async () => {
  const peers = [await startPeer('twotower'), await startPeer('tfjs-wasm')]
  const silent = () => {}
  const found = ratios({ towers: await towers(peers, EFFORT, silent), scan: await scan(peers, EFFORT, silent) })
  expect(found.size).toBeGreaterThan(0)
  const fallen = [...found].filter(([what, now]) => !(now > KEPT * published.get(what)))
  expect(fallen.map(([what, now]) => `${what}: ${now.toFixed(2)}, was ${published.get(what).toFixed(2)}`)).toEqual([])
})
