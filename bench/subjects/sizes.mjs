import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { AS_A_BROWSER } from '../machine.mjs'

const require = createRequire(import.meta.url)
const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))
const SCRATCH = fileURLToPath(new URL('../../build/bench/', import.meta.url))

const gzip = (...files) => files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0)

/**
 * What a browser downloads, gzip, bytes: each kernels' file, an application of ours that embeds with the demo's tower
 * (bundled and minified, the rest in pieces that are not fetched), and the peers' JavaScript and wasm. `start` must have run: the
 * bundle is its.
 */
export async function sizes(say) {
  const results = {
    'kernels baseline': gzip(join(DIST, 'kernels/baseline.wasm')),
    'kernels relaxed': gzip(join(DIST, 'kernels/relaxed.wasm')),
    'twotower, as the demo loads it': await demoDownload(),
    'tfjs-wasm': await tfjsDownload(),
    'onnxruntime-web': gzip(
      package_('onnxruntime-web', 'dist/ort.wasm.min.mjs'),
      package_('onnxruntime-web', 'dist/ort-wasm-simd-threaded.mjs'),
      package_('onnxruntime-web', 'dist/ort-wasm-simd-threaded.wasm'),
    ),
  }
  for (const [name, bytes] of Object.entries(results)) say(`size of ${name}: ${(bytes / 1024).toFixed(1)} KiB`)
  return results
}

/** A file of an installed package. */
const package_ = (name, file) =>
  join(require.resolve(name).replace(new RegExp(`(.*[/\\\\]${name.replace('/', '[/\\\\]')})[/\\\\].*`), '$1'), file)

const OPTIONS = { bundle: true, minify: true, format: 'esm', target: 'es2022', logLevel: 'error' }

/**
 * What a page that embeds with the demo's query tower downloads: the pieces of a bundled application that really run, which
 * V8's coverage names, with kernels of relaxed SIMD.
 */
async function demoDownload() {
  const outdir = join(SCRATCH, 'pieces')
  const coverage = join(SCRATCH, 'coverage')
  for (const folder of [outdir, coverage]) rmSync(folder, { recursive: true, force: true })
  mkdirSync(outdir, { recursive: true })
  const app = join(SCRATCH, 'app.mjs')
  writeFileSync(
    app,
    `import { load } from ${JSON.stringify(pathToFileURL(join(DIST, 'index.js')).href.replace('file://', ''))}
export const embed = async (files, features) => (await load(files)).query.embed(features)
`,
  )
  const external = ['node:*', '@tensorflow/*']
  await build({ ...OPTIONS, entryPoints: [app], splitting: true, outdir, external, outExtension: { '.js': '.mjs' } })
  const script = join(SCRATCH, 'pieces.mjs')
  writeFileSync(
    script,
    `import { readFileSync } from 'node:fs'
import { embed } from ${JSON.stringify(pathToFileURL(join(outdir, 'app.mjs')).href)}
const { bundle, features } = JSON.parse(readFileSync(${JSON.stringify(join(SCRATCH, 'start.json'))}, 'utf8'))
await embed({ manifest: readFileSync(bundle + '/manifest.json', 'utf8'), weights: readFileSync(bundle + '/weights.bin') }, features)
`,
  )
  const { status, stderr } = spawnSync(process.execPath, [...AS_A_BROWSER, script], {
    env: { ...process.env, NODE_V8_COVERAGE: coverage },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the bundled engine does not run the demo: ${stderr}`)
  const ran = readdirSync(coverage).flatMap((file) => JSON.parse(readFileSync(join(coverage, file), 'utf8')).result)
  const prefix = `${pathToFileURL(outdir).href}/`
  const pieces = new Set(ran.map(({ url }) => url).filter((url) => url.startsWith(prefix)))
  return gzip(...[...pieces].map((url) => fileURLToPath(url)))
}

/** tfjs-core and its wasm backend, as far as the towers here need them, and the SIMD wasm. */
async function tfjsDownload() {
  const outfile = join(SCRATCH, 'tfjs.js')
  await build({
    ...OPTIONS,
    platform: 'browser',
    stdin: {
      contents: `export { fused, ready, setBackend, tensor1d, tensor2d, tidy, topk, matMul } from '@tensorflow/tfjs-core'
export { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'`,
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    outfile,
  })
  return gzip(outfile, package_('@tensorflow/tfjs-backend-wasm', 'dist/tfjs-backend-wasm-simd.wasm'))
}
