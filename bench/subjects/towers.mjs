import { agree } from '../agree.mjs'
import { interleave } from '../measure.mjs'
import { roofs } from '../roof/roof.mjs'
import { rowsFor, TOWERS } from '../towers.mjs'

const BATCHES = [1, 32, 256, 1024, 4096]
/** A peer for which a call of more floating-point operations than this would outlast its turn is left out of it. */
const MOST_FLOPS = { 'tfjs-cpu': 2 ** 25 }

/**
 * The towers at each batch, typed array in and typed array out, and the roofs beside them in the same turns.
 * @returns one entry a tower and batch: µs a call and GFLOPS of each contender
 */
export async function towers(peers, effort, say) {
  const beside = await roofs()
  const results = []
  for (const tower of TOWERS) {
    const built = []
    for (const { name, tower: build } of peers) built.push({ name, on: await build(tower) })
    for (const batch of effort.quick ? BATCHES.slice(0, 3) : BATCHES) {
      const rows = rowsFor(tower, batch)
      const flops = tower.flops * batch
      const here = built
        .filter(({ name }) => flops <= (MOST_FLOPS[name] ?? Number.POSITIVE_INFINITY))
        .map(({ name, on }) => ({ name, flops, ...on(rows) }))
      await agree(here, `the tower ${tower.name}`)
      const contenders = [...here, ...beside]
      const timings = await interleave(contenders, effort)
      const gflops = Object.fromEntries(
        contenders.map(({ name, flops }) => [name, flops / timings[name].median / 1000]),
      )
      results.push({ tower: tower.name, batch, timings, gflops })
      say(
        `tower ${tower.name}, batch ${batch}: ${contenders.map(({ name }) => `${name} ${timings[name].median.toPrecision(3)} µs ${gflops[name].toFixed(1)} GFLOPS`).join(', ')}`,
      )
    }
  }
  return results
}
