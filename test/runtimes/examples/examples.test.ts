import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { bundleWorker } from '../bundle.ts'
import { chromium, onPage } from '../chromium/start.ts'
import { deno } from '../deno/runtime.ts'
import { output } from '../runtime.ts'
import { workerd } from '../workerd/runtime.ts'
import { startWorkerd } from '../workerd/start.ts'

const app = inject('app')
const folder = join(app.folder, 'examples')
const demo = join(app.folder, 'weights/demo')

interface Ranking {
  readonly viewers: readonly { readonly viewer: string; readonly top: readonly { readonly id: string }[] }[]
}

/** The three best films of each viewer, as TensorFlow ranks them. */
const BEST = (JSON.parse(readFileSync(join(demo, 'goldens/ranking.json'), 'utf8')) as Ranking).viewers.map(
  ({ viewer, top }) => ({ id: viewer, items: top.slice(0, 3).map(({ id }) => id) }),
)
const VIEWERS = readFileSync(join(demo, 'viewers.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly id: string })

/** What the services are asked, and what they answer: at last a viewer of whom nothing is said. */
const ASKED = [...VIEWERS.map((viewer) => JSON.stringify(viewer)), '{}']
const ANSWERS = [...BEST.map(({ items }) => ({ items })), { error: expect.stringMatching(/"\w+"/) }]

/** The answers to all that is asked, one after the other. */
async function answers(ask: (body: string) => Promise<unknown>): Promise<readonly unknown[]> {
  const all: unknown[] = []
  for (const body of ASKED) all.push(await ask(body))
  return all
}

beforeAll(async () => {
  cpSync(fileURLToPath(new URL('../../../examples/', import.meta.url)), folder, { recursive: true })
  const script = join(folder, 'node/catalogue.mjs')
  const said = await output(process.execPath, [script, 'movies', join(demo, 'films.jsonl'), 'items'], app.folder)
  expect(said).toBe('3200 items embedded\n')
  for (const name of ['cloudflare', 'hono', 'nextjs', 'service-worker']) {
    symlinkSync(join(app.folder, 'movies'), join(folder, name, 'movies'))
    for (const file of ['items.json', 'items.bin']) copyFileSync(join(app.folder, file), join(folder, name, file))
  }
})

describe('the example', () => {
  test.skipIf(deno.binary === null)('for Deno recommends what TensorFlow ranks best', async () => {
    const flags = ['run', '--no-config', '--node-modules-dir=manual', '--no-prompt', '--allow-read']
    const told = ['movies', 'items', join(demo, 'viewers.jsonl')]
    const said = await output(deno.binary ?? '', [...flags, join(folder, 'deno/recommend.ts'), ...told], app.folder)
    const recommended = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(recommended).toEqual(BEST)
  })

  test.skipIf(workerd.binary === null)('for Cloudflare recommends it, in less than 10 ms a request', async () => {
    const out = join(folder, 'cloudflare/out')
    const modules = ['items.bin', 'movies/weights.bin']
    await bundleWorker(join(folder, 'cloudflare/worker.js'), out)
    mkdirSync(join(out, 'movies'))
    for (const name of modules) copyFileSync(join(folder, 'cloudflare', name), join(out, name))
    const worker = await startWorkerd(out, { modules })
    try {
      const ask = async (body: string): Promise<unknown> =>
        (await fetch(worker.address, { method: 'POST', body })).json()
      expect(await answers(ask)).toEqual(ANSWERS)
      let quickest = Number.POSITIVE_INFINITY
      for (let i = 0; i < 200; i++) {
        const start = performance.now()
        await ask(ASKED[i % VIEWERS.length])
        quickest = Math.min(quickest, performance.now() - start)
      }
      expect(quickest).toBeLessThan(10)
    } finally {
      await worker.stop()
    }
  })

  test.skipIf(chromium === null)('of a service worker recommends it to its page', async () => {
    const place = join(folder, 'service-worker')
    await build({
      entryPoints: [join(place, 'sw.js')],
      outfile: join(place, 'built.js'),
      bundle: true,
      logLevel: 'error',
    })
    writeFileSync(join(place, 'index.html'), '<!doctype html><title>recommend</title>')
    await onPage(`${app.address}/examples/service-worker/index.html`, async (page) => {
      await page.evaluate(async () => {
        await navigator.serviceWorker.register('built.js')
        const { serviceWorker } = navigator
        if (serviceWorker.controller === null)
          await new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve))
      })
      const ask = (body: string): Promise<unknown> =>
        page.evaluate(async (text) => (await fetch('recommend', { method: 'POST', body: text })).json(), body)
      expect(await answers(ask)).toEqual(ANSWERS)
    })
  })

  test('of a Hono route recommends it', async () => {
    const script = `import app from ${JSON.stringify(join(folder, 'hono/app.mjs'))}
const answers = []
for (const body of JSON.parse(process.argv[1]))
  answers.push(await (await app.request('/recommend', { method: 'POST', body })).json())
console.log(JSON.stringify(answers))`
    const args = ['--input-type=module', '-e', script, JSON.stringify(ASKED)]
    expect(JSON.parse(await output(process.execPath, args, app.folder))).toEqual(ANSWERS)
  })

  test("of Next.js's route handler recommends it, type-checked", async () => {
    const place = join(folder, 'nextjs')
    const route = join(place, 'app/recommend/route.ts')
    const tsc = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url))
    const types = fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))
    // What Next.js checks an app by.
    const strict = [
      '--strict',
      '--skipLibCheck',
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
      '--target',
      'es2023',
    ]
    await output(tsc, ['--ignoreConfig', '--noEmit', ...strict, '--types', 'node', '--typeRoots', types, route], place)
    await build({
      ...{ entryPoints: [route], outfile: join(place, 'route.mjs') },
      ...{ bundle: true, packages: 'external', platform: 'node', format: 'esm', logLevel: 'error' },
    })
    const script = `import { POST } from ${JSON.stringify(join(place, 'route.mjs'))}
const answers = []
for (const body of JSON.parse(process.argv[1])) {
  const response = await POST(new Request('http://localhost/recommend', { method: 'POST', body }))
  answers.push(await response.json())
}
console.log(JSON.stringify(answers))`
    const args = ['--input-type=module', '-e', script, JSON.stringify(ASKED)]
    expect(JSON.parse(await output(process.execPath, args, place))).toEqual(ANSWERS)
  })
})
