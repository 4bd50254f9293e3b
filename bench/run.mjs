// node bench/run.mjs [--quick] [--python PATH] [--runtime PATH] [--only NAME,NAME]
//
// Measures twotower beside its peers, writes bench/results/, and makes docs/performance.md and its plots of all results
// that are there. README.md beside this file says what is measured and how.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine, runtime } from './machine.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const SUBJECTS = ['towers', 'scan', 'request', 'start', 'sizes']
/** What a page downloads is the same under every runtime and flag, and it takes V8's coverage as Node writes it. */
const NODES = ['sizes']
const EFFORT = { rounds: 31, milliseconds: 40, quick: false }
const QUICK = { rounds: 7, milliseconds: 10, quick: true }

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    python: { type: 'string' },
    runtime: { type: 'string' },
    only: { type: 'string' },
  },
})
const { name: program, relaxed = false } = runtime()
const here = SUBJECTS.filter((name) => (program === 'node' && !relaxed) || !NODES.includes(name))
const chosen = options.only?.split(',') ?? here
const unknown = chosen.filter((name) => !here.includes(name))
if (unknown.length > 0)
  throw new RangeError(
    `--only takes ${here.join(', ')} under ${program}${relaxed ? ' with a flag' : ''}; got ${unknown.join(', ')}`,
  )
if (!existsSync(`${HERE}../dist/index.js`)) throw new Error('there is nothing to measure: npm run build first')

if (!existsSync(`${HERE}node_modules`)) step('npm', ['ci', '--ignore-scripts', '--prefix', HERE])
if (options.runtime === undefined) await measure()
else {
  const rest = process.argv.slice(2).filter((word, i, all) => !/^--runtime/.test(word) && all[i - 1] !== '--runtime')
  const first = /deno[^/\\]*$/.test(options.runtime) ? ['run', '--allow-all'] : []
  step(options.runtime, [...first, fileURLToPath(import.meta.url), ...rest])
}

/**
 * Runs a command; its failure is ours. JavaScriptCore checks the bounds of each access in all but four memories of a process,
 * which takes a third of float32's speed: here are more engines side by side than an app has, and each is to be as it is
 * alone.
 */
function step(command, args) {
  const env = { ...process.env, BUN_JSC_maxNumWasmFastMemories: '32' }
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

async function measure() {
  const effort = options.quick ? QUICK : EFFORT
  const { startPeers } = await import('./peers/index.mjs')
  const { running, skipped } = await startPeers()
  for (const [name, why] of Object.entries(skipped)) say(`${name} is skipped: ${why}`)

  const on = machine()
  const name = `${program}-${parseInt(on.runtime.version, 10)}-${process.arch}${relaxed ? '-relaxed' : ''}`
  const file = `${HERE}results/${options.quick ? 'quick-' : ''}${name}.json`
  // What --only leaves out stays as it was measured before.
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const results = { ...before, machine: on, effort, skipped }
  const run = {
    towers: async () => (await import('./subjects/towers.mjs')).towers(running, effort, say),
    scan: async () => (await import('./subjects/scan.mjs')).scan(running, effort, say),
    request: async () => (await import('./subjects/request.mjs')).request(options.python ?? null, effort, say),
    start: async () => (await import('./subjects/start.mjs')).start(effort, say),
    sizes: async () => (await import('./subjects/sizes.mjs')).sizes(say),
  }
  for (const name of SUBJECTS) if (chosen.includes(name)) results[name] = await run[name]()
  mkdirSync(`${HERE}results`, { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, rounded, 1)}\n`)
  if (options.quick) return
  const { report } = await import('./report/report.mjs')
  await report()
}

/** Six digits of a measurement are more than it has. */
function rounded(_, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
}

function say(line) {
  process.stdout.write(`${line}\n`)
}
