import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A package that twotower does without, loaded. */
export interface Optional<T> {
  readonly loaded: T
  readonly version: string
}

/**
 * A package of the project that the command is called in, else one beside twotower.
 * @returns null where there is none
 * @throws {Error} where it is there and does not load
 */
export async function optional<T>(name: string): Promise<Optional<T> | null> {
  const file = entryOf(name)
  if (file === null) return null
  const found = (await import(pathToFileURL(file).href)) as T & { readonly default?: T }
  // A package of the older kind has what it exports in one object.
  const loaded = Object.keys(found).every((key) => key === 'default' || key === 'module.exports')
    ? found.default
    : found
  return { loaded: loaded ?? found, version: versionOf(name, file) }
}

/** The folder of such a package, whatever of it is wanted; null where there is none. */
export function packageFolder(name: string): string | null {
  const file = entryOf(name)
  return file === null ? null : folderOf(name, file)
}

function entryOf(name: string): string | null {
  const from = [join(process.cwd(), 'package.json'), import.meta.url]
  return from.map((place) => resolved(name, place)).find((path) => path !== null) ?? null
}

function resolved(name: string, from: string): string | null {
  try {
    return createRequire(from).resolve(name)
  } catch {
    return null
  }
}

/** What the package.json above `file` says; empty where none is the package's. */
function versionOf(name: string, file: string): string {
  const folder = folderOf(name, file)
  return folder === null ? '' : String(about(folder).version)
}

/** The folder above `file` whose package.json names the package. */
function folderOf(name: string, file: string): string | null {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder))
    if (about(folder).name === name) return folder
  return null
}

function about(folder: string): { readonly name?: unknown; readonly version?: unknown } {
  const path = join(folder, 'package.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
}
