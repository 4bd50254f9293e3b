import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build as esbuild, type Message } from 'esbuild'
import { build as vite } from 'vite'
import { describe, expect, inject, test } from 'vitest'
import webpack from 'webpack'
import { chromium, onPage } from '../chromium/start.ts'
import { output } from '../runtime.ts'

const app = inject('app')
const entry = join(app.folder, 'bundlers/main.mjs')
const SHOWN = { shape: [1, 64], length: '1.000', converted: true, ids: ['it'] }

/** Builds the app into a folder, for browsers or for Node; gives what the bundler warns of. */
type Bundler = (outdir: string, target: 'browser' | 'node') => Promise<readonly string[]>

/** The built script for Node, as the bundler's format wants it called. */
const SCRIPT: Readonly<Record<string, string>> = { esbuild: 'main.mjs', Vite: 'main.mjs', webpack: 'main.cjs' }

/** Each with what its users must name, an entry, a place and Node where it is for Node, and nothing else. */
const BUNDLERS: Readonly<Record<string, Bundler>> = {
  async esbuild(outdir, target) {
    const { warnings } = await esbuild({
      entryPoints: [entry],
      outdir,
      bundle: true,
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      platform: target,
      logLevel: 'silent',
    })
    return warnings.map(({ text }: Message) => text)
  },
  async Vite(outdir, target) {
    const warnings: string[] = []
    await vite({
      configFile: false,
      logLevel: 'silent',
      root: join(app.folder, 'bundlers'),
      build: {
        outDir: outdir,
        minify: target === 'browser',
        ...(target === 'node' ? { ssr: entry } : {}),
        rollupOptions: {
          input: entry,
          output: { entryFileNames: '[name].mjs' },
          onwarn: ({ message }) => warnings.push(message),
        },
      },
      // Else what is not bundled would be found by luck, above the folder.
      ssr: { noExternal: true },
    })
    return warnings
  },
  async webpack(outdir, target) {
    const compiler = webpack({
      mode: 'production',
      entry,
      target: target === 'node' ? 'node' : 'web',
      output: { path: outdir, filename: target === 'node' ? SCRIPT.webpack : 'main.mjs' },
      // A minute on a busy machine, and of no concern here.
      optimization: { minimize: false },
      performance: false,
    })
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
      compiler?.run((error, result) => (error ? reject(error) : resolve(result))),
    )
    const { errors = [], warnings = [] } = stats?.toJson() ?? {}
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'))
    return warnings.map(({ message }) => message)
  },
}

for (const [name, build] of Object.entries(BUNDLERS)) {
  describe(`an app that ${name} builds without configuration`, () => {
    test('runs in Node', async () => {
      const outdir = join(app.folder, 'built', name, 'node')
      expect(await build(outdir, 'node')).toEqual([])
      expect(JSON.parse(await output(process.execPath, [join(outdir, SCRIPT[name]), app.address], outdir))).toEqual(
        SHOWN,
      )
    })

    test.skipIf(chromium === null)('runs in Chromium', async () => {
      const outdir = join(app.folder, 'built', name, 'browser')
      expect(await build(outdir, 'browser')).toEqual([])
      writeFileSync(join(outdir, 'index.html'), '<!doctype html><script type="module" src="main.mjs"></script>')
      const shown = await onPage(`${app.address}/built/${name}/browser/index.html`, async (page) => {
        await page.waitForFunction('globalThis.shown !== undefined')
        return page.evaluate('globalThis.shown')
      })
      expect(shown).toEqual(SHOWN)
    })
  })
}
