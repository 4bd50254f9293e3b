import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { convert } from '../../dist/index.js'
import { spread } from '../measure.mjs'

const DEMO = fileURLToPath(new URL('../../weights/demo/', import.meta.url))
const SCRATCH = fileURLToPath(new URL('../../build/bench/', import.meta.url))
const CHILDREN = ['bare', 'twotower', 'tfjs', 'onnxruntimeweb', 'onnxruntimenode']

/**
 * Processes from start to end, in turns: the runtime alone, and with a model loaded to its first embedding. What a
 * child has more than the runtime alone, in time and in resident memory, is what the library costs.
 */
export async function start(effort, say) {
  const job = await prepare()
  const seen = Object.fromEntries(CHILDREN.map((name) => [name, { times: [], resident: [] }]))
  const skipped = {}
  for (let round = 0; round < effort.rounds; round++) {
    for (const name of CHILDREN.filter((child) => !(child in skipped))) {
      const begin = performance.now()
      const { status, stdout, stderr } = run(name, job)
      if (status !== 0) {
        skipped[name] = stderr.trim().split('\n').at(-1)
        continue
      }
      seen[name].times.push(performance.now() - begin)
      seen[name].resident.push(JSON.parse(stdout).resident / 2 ** 20)
    }
  }
  const bare = spread(seen.bare.times).median
  const bareResident = spread(seen.bare.resident).median
  const results = CHILDREN.filter((name) => !(name in skipped)).map((name) => {
    const milliseconds = spread(seen[name].times)
    const mebibytes = spread(seen[name].resident)
    const above = { milliseconds: milliseconds.median - bare, mebibytes: mebibytes.median - bareResident }
    say(
      `start of ${name}: ${milliseconds.median.toFixed(1)} ms, ${above.milliseconds.toFixed(1)} ms and ${above.mebibytes.toFixed(1)} MiB above the runtime`,
    )
    return { name, milliseconds, mebibytes, above }
  })
  return { results, skipped, modelMebibytes: readFileSync(`${SCRATCH}demo/weights.bin`).length / 2 ** 20 }
}

/** A bundle on disk, and as JSON where it lies and a viewer to embed. */
async function prepare() {
  mkdirSync(SCRATCH, { recursive: true })
  const bundle = await convert({ query: `${DEMO}query_model`, candidate: `${DEMO}candidate_model` })
  await bundle.save(`${SCRATCH}demo`)
  const viewer = JSON.parse(readFileSync(`${DEMO}viewers.jsonl`, 'utf8').split('\n', 1)[0])
  const names = bundle.definition.towers.query.inputs.map(({ name }) => name)
  const features = Object.fromEntries(names.map((name) => [name, [viewer[name]]]))
  const job = JSON.stringify({ bundle: `${SCRATCH}demo`, features })
  // For `sizes`, which runs the same.
  writeFileSync(`${SCRATCH}start.json`, job)
  return job
}

function run(name, job) {
  const script = fileURLToPath(new URL(`../start/${name}.mjs`, import.meta.url))
  const first = process.versions.deno === undefined ? [] : ['run', '--allow-all']
  return spawnSync(process.execPath, [...first, ...process.execArgv, script, job], { encoding: 'utf8' })
}
