import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Offer, Site } from '../playground/protocol.ts'
import { PEERS } from '../reference/tfjs.ts'
import { packageFolder } from './optional.ts'

export type { Offer, Site }

/** The built page. */
const PAGE = fileURLToPath(new URL('../../dist/playground/', import.meta.url))
/** What the page offers, beside it. */
export const OFFERS = 'models.json'
/** Where the page looks for tfjs, and what of it a page without shared memory takes. */
const TFJS = 'tfjs'
const BUILDS = [
  ['tf-core.min.js'],
  ['tf-backend-wasm.min.js', 'tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'],
] as const

/** The page's own files: paths on disk by their names within the site. */
export async function pageFiles(): Promise<Map<string, string>> {
  const entries = await readdir(PAGE, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const names = paths.map((path) => path.slice(PAGE.length).replaceAll('\\', '/'))
  return new Map(names.map((name, i) => [name, paths[i]] as const).filter(([name]) => name !== OFFERS))
}

/** tfjs-wasm as a page takes it, likewise; null where its packages are not installed. */
export function tfjsFiles(): Map<string, string> | null {
  const folders = PEERS.map(packageFolder)
  const files = BUILDS.flatMap((names, i) =>
    names.map((name) => [`${TFJS}/${name}`, join(folders[i] ?? '', 'dist', name)]),
  )
  const found = new Map(files as [string, string][])
  return folders.includes(null) || [...found.values()].some((path) => !existsSync(path)) ? null : found
}
