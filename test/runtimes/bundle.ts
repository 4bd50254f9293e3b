import { copyFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'

/** Bundles a page's or worker's script as esbuild does without configuration, into a folder of modules. */
export const bundleModules = (entries: readonly string[], outdir: string): Promise<unknown> =>
  build({ entryPoints: [...entries], outdir, bundle: true, format: 'esm', splitting: true, logLevel: 'warning' })

/**
 * Bundles a Worker as Cloudflare's tool does: one module, its conditions, and each .wasm a module beside it that the
 * deployment compiles, each .bin one of bytes.
 */
export async function bundleWorker(entry: string, outdir: string): Promise<void> {
  mkdirSync(outdir, { recursive: true })
  await build({
    entryPoints: [entry],
    outfile: join(outdir, 'worker.js'),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['*.wasm', '*.bin'],
    logLevel: 'warning',
  })
  copyFileSync(createRequire(entry).resolve('twotower/kernels.wasm'), join(outdir, 'kernels.wasm'))
}
