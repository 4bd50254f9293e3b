import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

/** What Node 20 has relaxed SIMD behind. */
export const RELAXED = '--experimental-wasm-relaxed-simd'

/** What gives Node relaxed SIMD, as browsers have it; later ones need not know the flag. */
export const AS_A_BROWSER = process.versions.node?.startsWith('20.') ? [RELAXED] : []

/** The runtime as `node 20.20.2`, by what it says of itself; `relaxed` where it was started with relaxed SIMD by a flag. */
export function runtime() {
  const flagged = process.execArgv.includes(RELAXED) ? { relaxed: true } : {}
  for (const name of ['deno', 'bun', 'node'])
    if (process.versions[name] !== undefined) return { name, version: process.versions[name], ...flagged }
  throw new Error('neither Node, Deno nor Bun: name the runtime here')
}

/** What the numbers depend on: the machine, the runtime, the versions of everything measured. */
export function machine() {
  const all = cpus()
  const on = runtime()
  const memory = Math.round(totalmem() / 2 ** 30)
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: all[0].model.trim(),
    cores: all.length,
    memory: `${memory} GiB`,
    platform: `${process.platform} ${process.arch}`,
    runtime: on,
    // Bun says a V8 too, for packages that look for one; it has none.
    v8: on.name === 'bun' ? null : process.versions.v8,
    twotower: version(new URL('../package.json', import.meta.url)),
    peers: JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')).dependencies,
  }
}

const version = (url) => JSON.parse(readFileSync(url, 'utf8')).version
