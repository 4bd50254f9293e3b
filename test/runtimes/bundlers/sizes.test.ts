import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, inject, test } from 'vitest'
import { output } from '../runtime.ts'

const app = inject('app')
const gzip = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length
const packed = (file: string): string => join(app.folder, 'node_modules/twotower', file)

/** What an app downloads for a task, minified and gzipped; bytes at most: to embed, what was promised; else a tenth above what was measured. */
const DOWNLOADS: readonly { readonly task: string; readonly limit: number; readonly script: string }[] = [
  {
    task: 'load a bundle and embed',
    limit: 40_960,
    script: `import { load } from 'twotower'
const model = await load(process.argv[2] + '/movies')
const features = model.query.features.map(({ name, dtype, shape }) =>
  [name, dtype === 'string' ? [''] : shape[1] > 1 ? [Array(shape[1]).fill(0)] : [0]])
model.query.embed(Object.fromEntries(features))`,
  },
  {
    task: 'load a SavedModel',
    limit: 276_000,
    script: `import { load } from 'twotower'
await load(process.argv[2] + '/weights/demo/query_model')`,
  },
  {
    task: 'serve a bundle over HTTP',
    limit: 75_000,
    script: `import { load } from 'twotower'
import { serve } from 'twotower/serve'
const model = await load(process.argv[2] + '/movies')
const { status } = await serve(model).fetch(new Request('http://x/v1/models/model'))
if (status !== 200) throw new Error(String(status))`,
  },
  {
    task: 'search',
    limit: 37_000,
    script: `import { ExactIndex } from 'twotower/search'
const similarity = { metric: 'dot', scale: 1, bias: 0, logistic: false }
new ExactIndex(['a'], Float32Array.of(1, 2), similarity).search(Float32Array.of(1, 2), 1)`,
  },
]

test('the package is ASCII: one other sign, and V8 keeps two bytes for each of its file', () => {
  const folder = packed('dist')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))
  const others = files.filter((file) => /[^\0-\x7f]/.test(readFileSync(join(folder, file), 'utf8')))
  expect(others.filter((file) => !file.startsWith('playground'))).toEqual([])
})

/** Browsers have relaxed SIMD, whose kernels are the larger; Node 20 has it by a flag, which later ones need not know. */
const AS_A_BROWSER = process.versions.node.startsWith('20.') ? ['--experimental-wasm-relaxed-simd'] : []

/** The files, of those that a bundler cut the script into, that running it reads: V8's coverage names each. */
async function download(name: string, script: string): Promise<number> {
  const folder = join(app.folder, 'sizes', name)
  const [outdir, coverage] = [join(folder, 'out'), join(folder, 'coverage')]
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'entry.mjs'), script)
  const entryPoints = [join(folder, 'entry.mjs')]
  await build({ entryPoints, outdir, bundle: true, minify: true, splitting: true, format: 'esm', target: 'es2022' })
  writeFileSync(join(outdir, 'package.json'), '{"type": "module"}')
  const command = [...AS_A_BROWSER, join(outdir, 'entry.js'), app.address]
  await output(process.execPath, command, outdir, { NODE_V8_COVERAGE: coverage })
  const ran = readdirSync(coverage).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: { url: string }[] }
    return result.map(({ url }) => url)
  })
  const prefix = pathToFileURL(outdir).href
  const files = new Set(ran.filter((url) => url.startsWith(prefix)).map((url) => fileURLToPath(url)))
  return [...files].reduce((sum, file) => sum + gzip(file), 0)
}

/** Bytes, as a download is told. */
const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`

for (const [i, { task, limit, script }] of DOWNLOADS.entries()) {
  test(`to ${task} takes at most ${kib(limit)}`, async () => {
    const size = await download(String(i), script)
    console.info(`to ${task}: ${kib(size)} of ${kib(limit)}`)
    expect(size).toBeLessThanOrEqual(limit)
    // Far below, the limit would hold nothing.
    expect(size).toBeGreaterThan(limit / 2)
  })
}

test.each([
  ['dist/kernels/baseline.wasm', 14_900],
  ['dist/kernels/relaxed.wasm', 17_200],
])('%s takes at most %i bytes', (file, limit) => {
  const size = gzip(packed(file))
  console.info(`${file}: ${kib(size)} of ${kib(limit)}`)
  expect(size).toBeLessThanOrEqual(limit)
})
