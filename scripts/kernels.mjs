// Compiles assembly/ into dist/kernels/baseline.wasm and relaxed.wasm, where a source is newer than they are, and writes
// each as a module of its bytes in base64 (src/engine/wasm/), which every runtime and bundler finds without a path.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'

const folder = 'dist/kernels'
const sources = ['asconfig.json', ...readdirSync('assembly').map((name) => `assembly/${name}`)]
const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs))
const fresh = (file) => existsSync(file) && statSync(file).mtimeMs > newest

for (const target of ['baseline', 'relaxed']) {
  const output = `${folder}/${target}.wasm`
  const embedded = `src/engine/wasm/${target}.ts`
  if (fresh(output) && fresh(embedded)) continue
  mkdirSync(folder, { recursive: true })
  // Under a name of its own until it is whole: test files build at the same time.
  const unfinished = `${folder}/${target}.${process.pid}.wasm`
  try {
    execFileSync(
      process.execPath,
      ['node_modules/assemblyscript/bin/asc.js', '--target', target, '--outFile', unfinished],
      { stdio: 'inherit' },
    )
    const base64 = readFileSync(unfinished).toString('base64')
    mkdirSync('src/engine/wasm', { recursive: true })
    writeFileSync(
      `${embedded}.${process.pid}`,
      `/** dist/kernels/${target}.wasm in base64, written by scripts/kernels.mjs. */\nexport const wasm = '${base64}'\n`,
    )
    renameSync(`${embedded}.${process.pid}`, embedded)
    renameSync(unfinished, output)
  } finally {
    rmSync(unfinished, { force: true })
  }
}
