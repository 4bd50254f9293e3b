// Compiles assembly/ into dist/kernels/baseline.wasm and relaxed.wasm, where a source is newer than they are.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'

const folder = 'dist/kernels'
const sources = ['asconfig.json', ...readdirSync('assembly').map((name) => `assembly/${name}`)]
const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs))
const fresh = (file) => existsSync(file) && statSync(file).mtimeMs > newest

for (const target of ['baseline', 'relaxed']) {
  const output = `${folder}/${target}.wasm`
  if (fresh(output)) continue
  mkdirSync(folder, { recursive: true })
  // Under a name of its own until it is whole: test files build at the same time.
  const unfinished = `${folder}/${target}.${process.pid}.wasm`
  try {
    execFileSync(
      process.execPath,
      ['node_modules/assemblyscript/bin/asc.js', '--target', target, '--outFile', unfinished],
      { stdio: 'inherit' },
    )
    renameSync(unfinished, output)
  } finally {
    rmSync(unfinished, { force: true })
  }
}
