import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))

/** The files that importing `entry` opens before anything of it runs, and what they import from other packages. */
function opened(entry: string): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const [files, packages] = [new Set<string>(), new Set<string>()]
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    for (const [, from] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s[^;]*?from "([^"]+)"/gm)) {
      if (from.startsWith('.')) visit(join(dirname(file), from))
      else packages.add(from)
    }
  }
  visit(join(dist, entry))
  return { files: [...files], packages: [...packages] }
}

describe('the built package', () => {
  test('opens a handful of files, none of the importer, and no package to load a bundle', () => {
    const { files, packages } = opened('index.js')
    expect(packages).toEqual([])
    expect(files.map((file) => file.slice(dist.length))).not.toContain('chunks/importer.js')
    expect(files.length).toBeGreaterThan(1)
    expect(files.length).toBeLessThan(10)
  })

  test('opens the kernels, and the list of rarer ops, as one file more each', () => {
    const already = new Set(opened('index.js').files)
    for (const chunk of ['core-baseline', 'core-relaxed', 'baseline', 'relaxed', 'families']) {
      const { files, packages } = opened(`chunks/${chunk}.js`)
      expect(packages, chunk).toEqual([])
      // A file of one line may stand before a chunk that is also imported at once.
      expect(files.filter((file) => !already.has(file)).length, chunk).toBeLessThan(3)
    }
  })

  test('opens nothing of the importer for what a bundle may ask for', () => {
    const asked = ['engine', 'families'].flatMap((chunk) =>
      opened(`chunks/${chunk}.js`).files.flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/\bimport\("\.\/([^"]+)\.js"\)/g)].map(([, asked]) => asked),
      ),
    )
    expect(asked).toEqual(expect.arrayContaining(['int8', 'scann', 'define']))
    // What reads a SavedModel, where one is given instead of a bundle.
    for (const chunk of new Set(asked.filter((each) => each !== 'define')))
      expect(
        opened(`chunks/${chunk}.js`).files.map((file) => file.slice(dist.length)),
        chunk,
      ).not.toContain('chunks/importer.js')
  })

  test('serves over HTTP with hono alone, so that Workers can', () => {
    expect(opened('serve/index.js').packages).toEqual(['hono'])
  })
})
