// `twotower serve` under load, beside a server of tfjs-wasm and one that computes nothing: node bench/serve/load.mjs
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { machine } from '../machine.mjs'
import { bundleOf } from '../peers/twotower.mjs'
import { rowsFor, TOWERS } from '../towers.mjs'

const [, , seconds = '4', rounds = '5', output] = process.argv
const CONNECTIONS = 32
const HERTZ = 100

const file = (path) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'twotower-load-'))
const [tower] = TOWERS
await (await bundleOf(tower, 'float32')).save(join(folder, 'tower'))
const body = JSON.stringify({ instances: [Array.from(rowsFor(tower, 1))] })

/** Starts a server that prints its port, or its address; resolves with where it is and its process. */
function start(name, args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  return new Promise((resolve, reject) => {
    child.once('exit', (status) => reject(new Error(`${name} ended with ${status}`)))
    child.stdout.once('data', (text) =>
      resolve({
        name,
        child,
        url: `http://127.0.0.1:${/(\d+)(\/|\s|$)/.exec(String(text).replace(/^.*:/, ''))[1]}/v1/models/tower:predict`,
      }),
    )
  })
}

const servers = await Promise.all([
  start('twotower', [file('../../dist/cli/main.js'), 'serve', join(folder, 'tower'), '--port', '0']),
  start('tfjs-wasm', [file('tfjs.mjs')]),
  start('nothing', [file('nothing.mjs')]),
])

/** Seconds that a process has had of a core: Linux alone says it of another process. */
function busy({ child }) {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / HERTZ
}

async function load(server, duration) {
  const before = busy(server)
  const { requests, latency, errors, non2xx } = await autocannon({
    url: server.url,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    connections: CONNECTIONS,
    duration,
  })
  if (errors + non2xx > 0) throw new Error(`${server.name}: ${errors} errors, ${non2xx} refusals`)
  return {
    perSecond: requests.total / duration,
    p50: latency.p50,
    p99: latency.p99,
    microseconds: ((busy(server) - before) / requests.total) * 1e6,
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]

try {
  const answers = await Promise.all(
    servers
      .slice(0, 2)
      .map(async ({ url }) => (await (await fetch(url, { method: 'POST', body })).json()).predictions[0]),
  )
  const apart = Math.max(...answers[0].map((value, i) => Math.abs(value - answers[1][i])))
  if (!(apart < 1e-4)) throw new Error(`the answers are ${apart} apart`)
  const runs = new Map(servers.map(({ name }) => [name, []]))
  for (const server of servers) await load(server, Number(seconds))
  for (let round = 0; round < Number(rounds); round++)
    for (const server of servers) runs.get(server.name).push(await load(server, Number(seconds)))
  const results = Object.fromEntries(
    [...runs].map(([name, all]) => [
      name,
      Object.fromEntries(Object.keys(all[0]).map((key) => [key, median(all.map((run) => run[key]))])),
    ]),
  )
  for (const [name, { perSecond, p50, p99, microseconds }] of Object.entries(results))
    console.log(
      `${name.padEnd(10)} ${Math.round(perSecond)} requests/s, p50 ${p50} ms, p99 ${p99} ms, ${microseconds.toFixed(1)} µs of a core each: ${Math.round(1e6 / microseconds)} a core`,
    )
  if (output !== undefined)
    writeFileSync(
      output,
      `${JSON.stringify({ ...machine(), tower: tower.name, connections: CONNECTIONS, results }, null, 1)}\n`,
    )
} finally {
  for (const { child } of servers) child.kill()
  rmSync(folder, { recursive: true })
}
