import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** The builds of the kernels, and what each enables. */
const BUILDS = { baseline: ['--enable', 'simd'], relaxed: ['--enable', 'simd', '--enable', 'relaxed-simd'] }
const STEPS = 100_000
/** Floating-point operations of one call: eleven vectors of four floats, a multiply and an add each. */
const FLOPS = STEPS * 11 * 4 * 2

/** The roof of each build that this engine runs: how fast it multiplies and adds when it does nothing else. */
export async function roofs() {
  const found = []
  for (const [build, features] of Object.entries(BUILDS)) {
    const bytes = await compile(features)
    if (!WebAssembly.validate(bytes)) continue
    const { instance } = await WebAssembly.instantiate(bytes)
    found.push({ name: `roof ${build}`, flops: FLOPS, call: () => [instance.exports.roof(STEPS, 0.999, 0.001)] })
  }
  return found
}

/** By the root's own compiler, so that the loop is made as the kernels are, but with a memory of no one. */
async function compile(features) {
  const options = ['--config', 'none', '--runtime', 'stub', '--noAssert', '-O3', '--outFile', 'roof.wasm']
  let wasm = null
  const { error, stderr } = await asc.main(['bench/roof/roof.ts', '--baseDir', ROOT, ...options, ...features], {
    writeFile(_, contents) {
      wasm = contents
    },
  })
  if (error !== null) throw new Error(`the roof does not compile: ${error.message}\n${stderr}`)
  return wasm
}
