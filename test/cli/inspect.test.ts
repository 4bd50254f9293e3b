import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { convertDemo, DEMO, goldenFile, lines, model, recorded, run, scratch, twotower } from './command.ts'

const own = scratch()

interface Survey {
  readonly kind: string
  readonly signatures: readonly {
    readonly name: string
    readonly inputs: readonly { readonly name: string; readonly dtype: string }[]
    readonly outputs: readonly { readonly name: string; readonly dtype: string }[]
  }[]
  readonly tables: readonly { readonly keys: string; readonly size: number; readonly first: readonly string[] }[]
  readonly variables: readonly { readonly name: string; readonly shape: readonly number[]; readonly bytes: number }[]
  readonly assets: readonly { readonly name: string; readonly bytes: number }[]
  readonly ops: readonly { readonly op: string; readonly supported: boolean }[]
}

const survey = async (path: string): Promise<Survey> => JSON.parse(await twotower(['inspect', path, '--json']))

const dtypes = (ports: Readonly<Record<string, { readonly dtype: string }>>) =>
  Object.fromEntries(Object.entries(ports).map(([name, { dtype }]) => [name, dtype]))
const listed = (ports: Survey['signatures'][number]['inputs']) =>
  Object.fromEntries(ports.map(({ name, dtype }) => [name, dtype]))

describe.concurrent('inspect', () => {
  for (const [folder, golden] of [
    ['tower_signatures', 'tower_signatures'],
    ['vertex_pair/query_model', 'vertex_pair.query_model'],
    ['int64_exact', 'int64_exact'],
    ['half_bfloat16', 'half_bfloat16'],
  ]) {
    test(`--json lists the signatures of ${folder} with the names and dtypes that TensorFlow answered with`, async () => {
      const { signatures, ops } = await survey(model(folder))
      const cases = recorded(goldenFile(golden))
      expect(cases.length).toBeGreaterThan(0)
      for (const { signature, inputs, outputs } of cases) {
        const found = signatures.find(({ name }) => name === signature)
        expect(listed(found?.inputs ?? [])).toEqual(dtypes(inputs))
        expect(listed(found?.outputs ?? [])).toEqual(dtypes(outputs))
      }
      expect(ops.filter(({ supported }) => !supported)).toEqual([])
    })
  }

  test('shows signatures, towers, vocabularies, variables, assets and ops to people', async () => {
    const text = await twotower(['inspect', join(DEMO, 'query_model')])
    for (const heading of [
      'signature "serving_default"',
      'towers',
      'vocabularies and tables (',
      'variables (',
      'ops (',
    ])
      expect(text).toContain(`\n${heading}`)
    expect(text).toMatch(/^ {4}viewer_id +string +\[-1\]$/m)
    expect(text).toMatch(/^ {4}embedding +float32 +\[-1, 64\]$/m)
    expect(text.trimEnd()).toMatch(/twotower runs all of them$/)
  })

  test('counts the vocabulary and the assets as their files do', async () => {
    const { tables, assets } = await survey(join(DEMO, 'query_model'))
    const folder = join(DEMO, 'query_model/assets')
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, name))
      expect(assets).toContainEqual({ name, bytes: bytes.length })
      const words = bytes.toString().trimEnd().split('\n')
      expect(tables).toContainEqual(expect.objectContaining({ size: words.length, first: words.slice(0, 5) }))
    }
  })

  test('shows a bundle with both towers and the similarity', async () => {
    const bundle = join(own, 'demo')
    await convertDemo(bundle)
    const text = await twotower(['inspect', bundle])
    expect(text).toMatch(/^.*demo: bundle$/m)
    expect(text).toMatch(/^ {2}query +birth_year, favourite_genre, /m)
    expect(text).toMatch(/^ {2}candidate +budget, creative_type, /m)
    expect(text).toMatch(/^ {2}similarity +cosine$/m)
    expect((await survey(bundle)).kind).toBe('bundle')
  })

  test('takes the meta graph that --tags names, and says which there are when there is no such', async () => {
    const text = await twotower(['inspect', model('other_tags'), '--tags', 'custom'])
    expect(text).toContain('signature "custom_default"')
    const { status, stderr } = await run(['inspect', model('other_tags'), '--tags', 'training'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^twotower: .*training.*custom.*\n$/)
  })

  test('says why a model without signatures or functions cannot be run only where that is so', async () => {
    const finished = await run(['inspect', model('no_usable_signature')])
    expect(finished.status).toBe(0)
    expect(lines(finished).join(' ')).toContain('saved without signatures')
  })
})
