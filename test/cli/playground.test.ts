import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { load } from '../../src/load.ts'
import { DEMO, model, run, scratch, twotower } from './command.ts'

const folder = scratch()
const at = (...names: string[]): string => join(folder, ...names)
const site = (name: string) =>
  JSON.parse(readFileSync(at(name, 'models.json'), 'utf8')) as {
    readonly models: readonly Record<string, string>[]
    readonly tfjs: boolean
  }

describe('playground', () => {
  test('writes a site with a SavedModel converted, its items and its examples', async () => {
    const rows = ['--items', join(DEMO, 'films.jsonl'), '--examples', join(DEMO, 'viewers.jsonl')]
    const said = await twotower(['playground', model('tower_signatures'), ...rows, '-o', at('site')])
    expect(said).toMatch(/^\S+: \d+ files, \d+\.\d MB, offers tower_signatures\n$/)
    const own = 'models/tower_signatures'
    expect(site('site')).toEqual({
      models: [{ name: 'tower_signatures', model: own, items: `${own}/films.jsonl`, examples: `${own}/viewers.jsonl` }],
      tfjs: false,
    })
    for (const name of ['index.html', 'page.js', 'worker.js', 'style.css', `${own}/films.jsonl`])
      expect(existsSync(at('site', name)), name).toBe(true)
    const { signatures } = await load(at('site', own))
    expect(signatures.map(({ name }) => name)).toEqual(
      (await load(model('tower_signatures'))).signatures.map(({ name }) => name),
    )
  })

  test('replaces a site of its own, and nothing else', async () => {
    await twotower(['playground', model('hashing'), '-o', at('again')])
    await twotower(['playground', model('main_op'), model('hashing'), '--tfjs', '-o', at('again')])
    expect(site('again').models.map(({ name }) => name)).toEqual(['main_op', 'hashing'])
    expect(site('again').tfjs).toBe(true)
    expect(existsSync(at('again', 'tfjs/tf-core.min.js'))).toBe(true)
    mkdirSync(at('mine'))
    writeFileSync(at('mine', 'index.html'), 'mine')
    const { status, stderr } = await run(['playground', model('hashing'), '-o', at('mine')])
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('holds other files') })
    expect(readFileSync(at('mine', 'index.html'), 'utf8')).toBe('mine')
  })

  test.each([
    [['a', 'b', '--items', 'x.jsonl'], 2, '--items and --examples are for one model: name it'],
    [['--examples', 'x.jsonl'], 2, '--items and --examples are for one model: name it'],
    [['a/movies', 'b/movies'], 2, 'two folders are called "movies"'],
    [[model('hashing'), '--items', '/no/items.jsonl'], 1, 'there is no file "/no/items.jsonl"'],
    [['/no/model'], 1, 'there is no folder at "/no/model"'],
  ])('playground %j ends with %i', async (args, status, words) => {
    const ended = await run(['playground', ...args, '-o', at('never')])
    expect({ status: ended.status, stderr: ended.stderr }).toEqual({ status, stderr: expect.stringContaining(words) })
    expect(existsSync(at('never'))).toBe(false)
  })
})

test('serve takes --examples for the playground only', async () => {
  const { status, stderr } = await run(['serve', model('hashing'), '--examples', 'x.jsonl'])
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringContaining('--examples are rows for the page of --playground'),
  })
})
