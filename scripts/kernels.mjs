// Compiles assembly/ into dist/kernels/baseline.wasm and relaxed.wasm, and its core into core-baseline.wasm and
// core-relaxed.wasm, where a source is newer than they are, and writes each as a module of its bytes in hexadecimal (src/engine/wasm/), which every runtime and bundler finds without a path.
// Compressed for the way it is 10 KB where base64 is 15: base64 hides from gzip what repeats.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'

const folder = 'dist/kernels'
const sources = ['asconfig.json', 'scripts/kernels.mjs', ...readdirSync('assembly').map((name) => `assembly/${name}`)]
const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs))
const fresh = (file) => existsSync(file) && statSync(file).mtimeMs > newest

const MODULES = ['baseline', 'relaxed'].flatMap((target) => [
  { name: target, entry: 'assembly/index.ts', target },
  { name: `core-${target}`, entry: 'assembly/core.ts', target },
])

for (const { name, entry, target } of MODULES) {
  const output = `${folder}/${name}.wasm`
  const embedded = `src/engine/wasm/${name}.ts`
  if (fresh(output) && fresh(embedded)) continue
  mkdirSync(folder, { recursive: true })
  // Under a name of its own until it is whole: test files build at the same time.
  const unfinished = `${folder}/${name}.${process.pid}.wasm`
  try {
    execFileSync(
      process.execPath,
      ['node_modules/assemblyscript/bin/asc.js', entry, '--target', target, '--outFile', unfinished],
      { stdio: 'inherit' },
    )
    const digits = readFileSync(unfinished).toString('hex')
    mkdirSync('src/engine/wasm', { recursive: true })
    writeFileSync(
      `${embedded}.${process.pid}`,
      `/** dist/kernels/${name}.wasm in hexadecimal, written by scripts/kernels.mjs. */\nexport const wasm = '${digits}'\n`,
    )
    renameSync(`${embedded}.${process.pid}`, embedded)
    renameSync(unfinished, output)
  } finally {
    rmSync(unfinished, { force: true })
  }
}
