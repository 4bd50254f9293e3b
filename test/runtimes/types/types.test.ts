import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, test } from 'vitest'
import { installed, output } from '../runtime.ts'

const app = inject('app')
const tsc = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url))

/** Uses of every entry, as an app in TypeScript has them. */
const APP = `import { type Bundle, convert, type Folder, load, type LoadOptions, type Model, type Tensor } from 'twotower'
import type { Port, Similarity, SimilarityChoice } from 'twotower'
import wasm from 'twotower/kernels.wasm'
import relaxed from 'twotower/kernels-relaxed.wasm'
import { ExactIndex, type Neighbors } from 'twotower/search'

declare const files: FileList
declare const handle: FileSystemDirectoryHandle
const options: LoadOptions = { wasm, deterministic: true, fetch: (url) => fetch(url) }
const bundle: Bundle = await convert(new URL('https://models.example/movies'))
const folder: Folder = { name: 'mine', open: async () => null, list: async () => [] }
const models: Model[] = await Promise.all([
  load('movies', options),
  load(new URL('https://models.example/movies')),
  load({ manifest: bundle.manifest, weights: bundle.weights, wasm: relaxed }),
  load(files),
  load(handle),
  load(folder),
])
const embedding: Tensor = models[0].query.embed({ user_id: ['42'] })
const similarity: Similarity | null = models[0].structure.similarity
// What dtype says, data is: nothing is cast.
if (similarity === null || embedding.dtype !== 'float32') throw new Error('no similarity, or no floats')
const found: Neighbors = new ExactIndex(['a'], embedding.data, similarity).search(new Float32Array(64), 1)
export const best: readonly string[] = found.ids
const { ids } = models[0].run('serving_default', { x: { dtype: 'int64', shape: [1], data: BigInt64Array.of(1n) } })
export const long: bigint | undefined = ids.dtype === 'int64' ? ids.data[0] : undefined
// @ts-expect-error An int64 is held in a BigInt64Array.
models[0].run('serving_default', { x: { dtype: 'int64', shape: [1], data: Int32Array.of(1) } })
export const choice: SimilarityChoice = { metric: 'dot', scale: 20 }
export const names = models[0].query.features.map(({ name, dtype, shape }: Port) => [name, dtype, shape])
`

/** What a service has of it, which knows no page. */
const SERVICE = `import { load, type Features, type Tensor } from 'twotower'
import { ItemIndex, type Neighbors } from 'twotower/search'
import { type Handler, serve } from 'twotower/serve'
import wasm from 'twotower/kernels.wasm'

const model = await load('movies', { wasm, fetch: (url) => fetch(url) })
const row: Features = { user_id: ['42'] }
const user: Tensor = model.query.embed(row)
if (user.dtype !== 'float32') throw new Error('no floats')
const index = await ItemIndex.open('films.index')
export const found: Neighbors = index.search(user.data, 10)
export const handler: Handler = serve({ movies: model })
// @ts-expect-error A model is at a path, at an address, or in files.
await load(42)
`

const types = fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))
const page = { lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'], types: [] }

/** The project's own, and the oldest that the types want. */
const COMPILERS = [
  ['the newest TypeScript', tsc],
  ['TypeScript 5.7', installed('typescript-oldest/bin/tsc') ?? 'typescript-oldest is not installed'],
] as const

describe.each(COMPILERS)('by %s', (compiler, tsc) => {
  test.each([
    ['an app that a bundler resolves', APP, { ...page, module: 'ESNext', moduleResolution: 'bundler' }],
    ['an app that Node resolves', APP, { ...page, module: 'NodeNext', moduleResolution: 'NodeNext' }],
    [
      "a service that has Node's types and none of a page",
      SERVICE,
      { lib: ['ES2023'], typeRoots: [types], types: ['node'], module: 'NodeNext' },
    ],
  ])('the types hold for %s', async (name, program, options) => {
    const folder = join(app.folder, `types of ${name} by ${compiler}`)
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
    writeFileSync(join(folder, 'app.ts'), program)
    const compilerOptions = { target: 'ES2022', strict: true, noEmit: true, ...options }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }))
    expect(await output(tsc, ['-p', '.'], folder)).toBe('')
  })
})
