// Compiles assembly/ into dist/kernels/baseline.wasm and relaxed.wasm, where a source is newer than they are, and writes
// each as a module of its bytes in hexadecimal (src/engine/wasm/), which every runtime and bundler finds without a path.
// Compressed for the way it is 10 KB where base64 is 15: base64 hides from gzip what repeats.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'

const folder = 'dist/kernels'
const sources = ['asconfig.json', 'scripts/kernels.mjs', ...readdirSync('assembly').map((name) => `assembly/${name}`)]
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
    const digits = readFileSync(unfinished).toString('hex')
    mkdirSync('src/engine/wasm', { recursive: true })
    writeFileSync(
      `${embedded}.${process.pid}`,
      `/** dist/kernels/${target}.wasm in hexadecimal, written by scripts/kernels.mjs. */\nexport const wasm = '${digits}'\n`,
    )
    renameSync(`${embedded}.${process.pid}`, embedded)
    renameSync(unfinished, output)
  } finally {
    rmSync(unfinished, { force: true })
  }
}
