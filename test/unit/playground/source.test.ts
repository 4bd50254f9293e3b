import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Picked } from '../../../src/playground/protocol.ts'
import { embedItems, readRows, rowsOfFiles } from '../../../src/playground/worker/items.ts'
import { start, withRows } from '../../../src/playground/worker/session.ts'
import { readPicked } from '../../../src/playground/worker/source.ts'

const models = fileURLToPath(new URL('../../fixtures/models/', import.meta.url))

/** The files of a model as they are dropped, below another name. */
const dropped = (model: string, as: string): Picked[] =>
  readdirSync(join(models, model), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      const path = join(parentPath, name)
      return {
        path: as + path.slice(join(models, model).length).replaceAll('\\', '/'),
        file: new File([readFileSync(path)], name),
      }
    })
const file = (path: string, text = ''): Picked => ({ path, file: new File([text], path) })

describe('what was dropped', () => {
  test('is the SavedModel in it, however deep, with what it takes', async () => {
    const read = await readPicked([...dropped('hashing', 'export/hashing'), file('export/notes.txt')])
    expect(read).toMatchObject({ name: 'hashing', kind: 'SavedModel' })
    expect(read.bytes).toBe(dropped('hashing', '').reduce((sum, each) => sum + each.file.size, 0))
  })

  test('is the newest of numbered versions', async () => {
    const read = await readPicked([...dropped('hashing', 'm/9'), ...dropped('main_op', 'm/10')])
    const { signatures } = await readPicked(dropped('main_op', 'x')).then(({ definition }) => definition)
    expect(read.name).toBe('m')
    expect(read.definition.signatures.map(({ name }) => name)).toEqual(signatures.map(({ name }) => name))
  })

  test('is a pair where the folders say which is which', async () => {
    const { definition, kind, name } = await readPicked([
      ...dropped('tfrs_pair/user_model', 'job/user_model'),
      ...dropped('tfrs_pair/item_model', 'job/item_model'),
    ])
    expect({ kind, name }).toEqual({ kind: 'pair of SavedModels', name: 'job' })
    expect(definition.towers.query).not.toBeNull()
    expect(definition.towers.candidate).not.toBeNull()
  })

  test('is refused where it is none, or several', async () => {
    await expect(readPicked([file('a/b.txt')])).rejects.toThrow(/no model: .*saved_model\.pb.*came a\/b\.txt/)
    await expect(readPicked([])).rejects.toThrow(/there came nothing/)
    const several = [...dropped('hashing', 'all/one'), ...dropped('main_op', 'all/two')]
    await expect(readPicked(several)).rejects.toThrow(/2 models in it \(all\/one, all\/two\)/)
  })
})

describe('rows', () => {
  test('are lines of JSON objects, and a line that is none is named', () => {
    expect(readRows('a.jsonl', '{"id": 1}\r\n\n{"id": 12345678901234567890}\n').rows).toEqual([
      { id: 1 },
      { id: 12345678901234567890n },
    ])
    expect(() => readRows('a.jsonl', '{"id": 1}\n{')).toThrow(/^a\.jsonl, line 2: JSON: expected a name/)
    expect(() => readRows('a.jsonl', '[1]')).toThrow('a.jsonl, line 1 must be a JSON object')
  })

  test('become items with their embeddings, but for those that do not fit, of which is told', async () => {
    const { model } = await start(await readPicked(dropped('tower_signatures', 'm')))
    const rows = [
      { id: 'a', title: 'A', year: 1999, embedding: [1, 2] },
      { id: 'b', embedding: [1, 2, 3] },
      { key: 7, embedding: [3, 4] },
    ]
    const items = embedItems(model, { from: 'x.jsonl', rows }, () => {})
    expect(items.ids).toEqual(['a', '7'])
    expect(items.labels).toEqual(['A (1999)', '7'])
    expect([...items.vectors]).toEqual([1, 2, 3, 4])
    expect(items.remarks).toEqual([
      '1 of 3 items of x.jsonl are left out (item 2: the embedding has 3 dimensions, the ones before have 2)',
    ])
    expect(() => embedItems(model, { from: 'x.jsonl', rows: [{ id: 'b' }] }, () => {})).toThrow(/no item of x\.jsonl/)
  })
})

describe('rows beside rows that are of no use', () => {
  test('are taken, and what is wrong with the others is told', async () => {
    const session = await start(await readPicked(dropped('tower_signatures', 'm')))
    const given = await rowsOfFiles([
      file('m/broken.jsonl', '{"id": 1}\n{'),
      file('m/nobody.jsonl', '{"embedding": [null]}'),
      file('m/items.jsonl', '{"id": "a", "embedding": [1, 2]}\n{"id": "b", "embedding": [1, NaN]}\n{"embedding": []}'),
    ])
    const { items, map, remarks } = await withRows(session, given, () => {})
    expect(items?.ids).toEqual(['a'])
    expect([...(map?.points ?? [])]).toEqual([0, 0])
    expect(remarks).toEqual([
      expect.stringMatching(/^m\/broken\.jsonl, line 2: /),
      expect.stringMatching(/^no item of m\/nobody\.jsonl can be embedded \(item 1: /),
      '2 of 3 items of m/items.jsonl are left out (item 2: number 1 of the embedding is NaN, it must be finite)',
    ])
  })
})

describe('candidates that an export holds', () => {
  /** TensorFlow's answer for user "1", by scores and identifiers. */
  const golden = (name: string) =>
    (
      JSON.parse(readFileSync(join(models, `../goldens/${name}.json`), 'utf8')) as {
        readonly cases: readonly {
          readonly outputs: {
            readonly output_1: { readonly data: readonly number[] }
            readonly output_2: { readonly data: readonly string[] }
          }
        }[]
      }
    ).cases[0].outputs

  for (const name of ['tfrs_bruteforce', 'tfrs_scann']) {
    test(`of ${name} score with the query as TensorFlow says`, async () => {
      const { model, items: stored } = await start(await readPicked(dropped(name, name)))
      const query = model.query.embed({ input_1: ['1'] }).data as Float32Array
      if (stored === null) throw new Error('there are none')
      expect(stored.ids).toHaveLength(30)
      const { output_1: scores, output_2: ids } = golden(name)
      for (const [i, id] of ids.data.entries()) {
        const row = stored.ids.indexOf(id)
        const vector = stored.vectors.subarray(row * query.length, (row + 1) * query.length)
        expect(vector.reduce((sum, value, j) => sum + value * query[j], 0)).toBeCloseTo(scores.data[i], 5)
      }
    })
  }
})
