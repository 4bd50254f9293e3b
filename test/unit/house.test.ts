import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const source = fileURLToPath(new URL('../../src/', import.meta.url))

interface Import {
  readonly file: string
  readonly from: string
  /** False for `import type` and for a module loaded on demand. */
  readonly atOnce: boolean
  readonly typed: boolean
}

/** Comments quote imports for readers; they are none. */
const code = (file: string): string =>
  readFileSync(join(source, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => normalize(file))

const imports: readonly Import[] = files.flatMap((file) => {
  const text = code(file)
  const written = /(?:^|\n)(?:import|export)(\s+type)?\s(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/g
  const found = [...text.matchAll(written)].map(([, type, from]) => ({
    file,
    from,
    atOnce: type === undefined,
    typed: type !== undefined,
  }))
  const onDemand = [...text.matchAll(/\bimport\('([^']+)'\)/g)].map(([, from]) => ({
    file,
    from,
    atOnce: false,
    typed: false,
  }))
  return [...found, ...onDemand]
})

const target = ({ file, from }: Import): string => normalize(join(dirname(file), from))
const within = imports.filter(({ from }) => from.startsWith('.'))

/** The folder of a file; files that lie in src itself are the doors of the package, each a room. */
const room = (file: string): string => file.split(/[\\/]/)[0]

describe('the house', () => {
  test('has imports to look at', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(within.length).toBeGreaterThan(300)
  })

  test('has each of its rooms in the table for those who build it, and no other', () => {
    const page = readFileSync(join(source, '../docs/contributing.md'), 'utf8')
    const told = [...page.matchAll(/^\| `src\/(\w+)\/`/gm)].map(([, name]) => name)
    expect(told.sort()).toEqual([...new Set(files.filter((file) => /[\\/]/.test(file)).map(room))].sort())
  })

  test('has no two rooms that import each other, not even in a round', () => {
    const next = new Map<string, Set<string>>()
    for (const edge of within) {
      const [a, b] = [room(edge.file), room(target(edge))]
      if (a !== b) next.set(a, (next.get(a) ?? new Set()).add(b))
    }
    const done = new Set<string>()
    const visit = (name: string, path: readonly string[]): void => {
      if (path.includes(name)) throw new Error(`a round: ${[...path.slice(path.indexOf(name)), name].join(' → ')}`)
      if (done.has(name)) return
      for (const other of next.get(name) ?? []) visit(other, [...path, name])
      done.add(name)
    }
    for (const name of next.keys()) visit(name, [])
  })

  test('keeps the importer and the engine apart: they meet in the graph alone', () => {
    const reach = (start: string): Set<string> => {
      const seen = new Set<string>()
      const visit = (name: string): void => {
        if (seen.has(name)) return
        seen.add(name)
        for (const edge of within) if (room(edge.file) === name) visit(room(target(edge)))
      }
      visit(start)
      return seen
    }
    for (const name of ['engine', 'search', 'weights', 'ops', 'graph'])
      for (const stage of ['savedmodel', 'import', 'towers', 'lower', 'cli'])
        expect(reach(name), `${name} reaches ${stage}`).not.toContain(stage)
    for (const name of ['import', 'towers', 'lower']) expect(reach(name)).not.toContain('engine')
  })

  test('has Node in the command line, the reference backend and its platform rooms only', () => {
    // The reference backend is an optional development tool, which finds its binaries beside the package it runs.
    const allowed = (file: string) =>
      ['cli', 'reference'].includes(room(file)) || file.startsWith(join('platform', 'node'))
    const strays = imports.filter(({ file, from }) => from.startsWith('node:') && !allowed(file))
    expect(strays).toEqual([])
    const globals = files.filter(
      (file) => !allowed(file) && /(?<![.\w])(?:Buffer|process|__dirname|require)[.(]/.test(code(file)),
    )
    expect(globals).toEqual([])
  })

  test('asks for modules of Node where the package leads, so that a bundler for browsers has nothing to resolve', () => {
    const seen = new Set<string>()
    const visit = (file: string): void => {
      if (seen.has(file)) return
      seen.add(file)
      for (const edge of within) if (edge.file === file && !edge.typed) visit(target(edge))
    }
    for (const door of ['index.ts', 'search/index.ts', 'serve/index.ts']) visit(normalize(door))
    expect(seen.size).toBeGreaterThan(100)
    const named = imports.filter(({ file, from, typed }) => seen.has(file) && from.startsWith('node:') && !typed)
    expect(named.filter(({ file }) => room(file) !== 'reference')).toEqual([])
  })

  test('reaches the platform rooms of Node on demand only', () => {
    const atOnce = within.filter(
      (edge) =>
        edge.atOnce &&
        target(edge).startsWith(join('platform', 'node')) &&
        !['cli', 'platform'].includes(room(edge.file)),
    )
    expect(atOnce).toEqual([])
  })

  test('makes no code out of text', () => {
    expect(files.filter((file) => /\beval\(|new Function\(/.test(code(file)))).toEqual([])
  })
})
