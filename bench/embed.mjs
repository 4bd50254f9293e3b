// `twotower embed` of many rows by one thread and by two, beside two processes of one thread, which is what the machine has to
// give: node bench/embed.mjs [--rows N] [--rounds N] [--output FILE]
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { convert } from '../dist/index.js'
import { machine } from './machine.mjs'
import { spread } from './measure.mjs'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '7' },
    output: { type: 'string' },
  },
})
const [rows, rounds] = [Number(options.rows), Number(options.rounds)]
const file = (path) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'twotower-embed-'))
const say = (line) => process.stdout.write(`${line}\n`)

/** Has a process say at its end, on its fourth channel, how much memory it had at most: Linux and macOS count it. */
const WATCHED = `data:text/javascript,${encodeURIComponent(`import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
if (isMainThread) process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)))`)}`

/** `count` rows of the demo's films, again and again, each with an id of its own. */
async function catalogue(name, count) {
  const films = readFileSync(file('../weights/demo/films.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\{"id":"[^"]*",/, ''))
  const path = join(folder, name)
  const output = createWriteStream(path)
  for (let at = 0; at < count; at += films.length) {
    const part = films.slice(0, count - at).map((film, i) => `{"id":"${at + i}",${film}\n`)
    if (!output.write(part.join(''))) await new Promise((resolve) => output.once('drain', resolve))
  }
  await finished(output.end())
  return path
}

/** Embeds the catalogue at `input` by a process of its own: seconds, and MiB at most. */
function embed(input, workers, output) {
  const args = ['--import', WATCHED, file('../dist/cli/main.js'), 'embed', join(folder, 'demo'), input]
  args.push('--tower', 'candidate', '--workers', String(workers), '-o', output)
  const begin = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
  let most = ''
  child.stdio[3].on('data', (text) => {
    most += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      const seconds = (performance.now() - begin) / 1000
      if (status === 0) resolve({ seconds, resident: Number(most) / 1024 })
      else reject(new Error(`embed with ${workers} workers ended with ${status}`))
    })
  })
}

/** The sum of an answer's bytes; and its ids must be those of the input, in order. */
async function digest(path) {
  const hash = createHash('sha256')
  let [rest, at] = ['', 0]
  for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(bytes)
    const lines = (rest + bytes.toString('latin1')).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      if (!line.startsWith(`{"id": "${at}", "embedding": [`))
        throw new Error(`row ${at} of ${path} is ${line.slice(0, 80)}`)
      at++
    }
  }
  return `${at} rows, ${hash.digest('hex')}`
}

try {
  const demo = file('../weights/demo/')
  await (await convert({ query: `${demo}query_model`, candidate: `${demo}candidate_model` })).save(join(folder, 'demo'))
  const input = await catalogue('rows.jsonl', rows)
  const out = (name) => join(folder, `${name}.jsonl`)
  /** Each works through all rows; of two processes each does. */
  const contenders = {
    'one worker': () => embed(input, 1, out('one')),
    'two workers': () => embed(input, 2, out('two')),
    'two processes of one worker': async () => {
      const both = await Promise.all([embed(input, 1, out('left')), embed(input, 1, out('right'))])
      const sum = (key) => both.reduce((total, each) => total + each[key], 0)
      return { seconds: sum('seconds') / 4, resident: sum('resident') }
    },
  }
  const names = Object.keys(contenders)
  const [one, two, limit] = names
  const seen = Object.fromEntries(names.map((name) => [name, { seconds: [], resident: [], ratios: [] }]))
  const shares = []
  for (let round = 0; round < rounds; round++) {
    const took = {}
    for (const [turn] of names.entries()) {
      const name = names[(round + turn) % names.length]
      took[name] = await contenders[name]()
    }
    for (const name of names) {
      seen[name].seconds.push(took[name].seconds)
      seen[name].resident.push(took[name].resident)
      seen[name].ratios.push(took[one].seconds / took[name].seconds)
    }
    shares.push(took[limit].seconds / took[two].seconds)
  }
  const [first, ...others] = [await digest(out('one')), await digest(out('two')), await digest(out('left'))]
  for (const other of others) if (other !== first) throw new Error(`answers differ: ${first}; ${other}`)
  const results = names.map((name) => {
    const { seconds, resident, ratios } = seen[name]
    const [time, memory, ratio] = [spread(seconds), spread(resident), spread(ratios)]
    const range = `${ratio.low.toFixed(2)} – ${ratio.high.toFixed(2)}`
    say(
      `${name}: ${Math.round(rows / time.median).toLocaleString('en')} rows/s, ${ratio.median.toFixed(2)} (${range}) × one worker, ${Math.round(memory.median)} MiB`,
    )
    return { name, rowsPerSecond: rows / time.median, ratio, seconds: time, mebibytes: memory }
  })
  const share = spread(shares)
  say(
    `two workers do ${Math.round(share.median * 100)} % (${Math.round(share.low * 100)} – ${Math.round(share.high * 100)}) of what the two processes do`,
  )
  say(`${first}: the same bytes from each`)
  const memory = []
  for (const [workers, part] of [
    [1, 0.1],
    [2, 0.1],
    [4, 0.1],
    [2, 1],
  ]) {
    const some = part === 1 ? input : await catalogue('part.jsonl', rows * part)
    const { resident } = await embed(some, workers, out('memory'))
    memory.push({ workers, rows: rows * part, mebibytes: resident })
    say(`${workers} workers, ${rows * part} rows: ${Math.round(resident)} MiB at most`)
  }
  if (options.output !== undefined)
    writeFileSync(
      options.output,
      `${JSON.stringify({ machine: machine(), rows, rounds, results, share, memory }, null, 1)}\n`,
    )
} finally {
  rmSync(folder, { recursive: true })
}
