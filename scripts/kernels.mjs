// Compiles assembly/ into dist/kernels/baseline.wasm and relaxed.wasm, and its core into core-baseline.wasm and
// core-relaxed.wasm, where a source is newer than they are, and writes each as a module of its bytes in hexadecimal (src/engine/wasm/), which every runtime and bundler finds without a path.
// Compressed for the way it is 10 KB where base64 is 15: base64 hides from gzip what repeats.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { withConstantsHoisted } from './hoist.mjs'

const folder = 'dist/kernels'
const sources = [
  ...['asconfig.json', 'scripts/kernels.mjs', 'scripts/hoist.mjs'],
  ...readdirSync('assembly').map((name) => `assembly/${name}`),
]
const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs))
const fresh = (file) => existsSync(file) && statSync(file).mtimeMs > newest

const outputOf = (name) => `${folder}/${name}.wasm`
const embeddedOf = (name) => `src/engine/wasm/${name}.ts`

/** The core first: its constants are the beginning of the others'. */
const MODULES = [
  ['baseline', 'relaxed'].map((target) => ({ name: `core-${target}`, entry: 'assembly/core.ts', target })),
  ['baseline', 'relaxed'].map((target) => ({ name: target, entry: 'assembly/index.ts', target })),
]

const isFresh = MODULES.flat().every(({ name }) => fresh(outputOf(name)) && fresh(embeddedOf(name)))
if (!isFresh) {
  mkdirSync(folder, { recursive: true })
  mkdirSync('src/engine/wasm', { recursive: true })
  const compiled = withConstantsHoisted(MODULES.map((group) => group.map(compile)))
  for (const [g, group] of MODULES.entries()) for (const [i, { name }] of group.entries()) write(name, compiled[g][i])
}

function compile({ name, entry, target }) {
  // Under a name of its own: test files build at the same time.
  const unfinished = outputOf(`${name}.${process.pid}`)
  try {
    execFileSync(
      process.execPath,
      ['node_modules/assemblyscript/bin/asc.js', entry, '--target', target, '--outFile', unfinished],
      { stdio: 'inherit' },
    )
    return readFileSync(unfinished)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

function write(name, wasm) {
  const digits = Buffer.from(wasm).toString('hex')
  whole(
    embeddedOf(name),
    `/** dist/kernels/${name}.wasm in hexadecimal, written by scripts/kernels.mjs. */\nexport const wasm = '${digits}'\n`,
  )
  whole(outputOf(name), wasm)
}

/** Written under another name until it is all there. */
function whole(file, content) {
  writeFileSync(`${file}.${process.pid}`, content)
  renameSync(`${file}.${process.pid}`, file)
}
