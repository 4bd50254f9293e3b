import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { load } from '../../src/load.ts'
import { ItemIndex } from '../../src/search/index.ts'
import {
  convertDemo,
  DEMO,
  demoRows,
  goldenFile,
  jsonl,
  model,
  run,
  runOnFullDisk,
  scratch,
  twotower,
} from './command.ts'

const folder = scratch()
const bundle = join(folder, 'bundle')
const films = join(folder, 'films.jsonl')
const index = join(folder, 'films.index')
const some = join(folder, 'some.jsonl')
/** What a search over the items themselves answers. */
let wanted: string
const rows = demoRows('films.jsonl').slice(0, 40)
const withGenre = rows.map((film) => ({
  ...film,
  restricts: [{ namespace: 'genre', allow: [film.genre || 'none'] }],
  numeric_restricts: [{ namespace: 'year', value_int: film.year }],
  crowding_tag: film.director,
}))

beforeAll(async () => {
  await convertDemo(bundle)
  writeFileSync(films, jsonl(...withGenre))
  writeFileSync(some, jsonl({ id: 'a', embedding: [1, 2] }))
  await twotower(['index', bundle, films, '-o', index])
  wanted = await search('--items', films)
})

const viewers = join(DEMO, 'viewers.jsonl')
const search = (...args: string[]) => twotower(['search', bundle, viewers, '-k', '5', ...args])

describe.concurrent('twotower index', () => {
  test('makes an index that answers as a search over the items themselves does', async () => {
    expect(await search('--index', index)).toBe(wanted)
    const filter = '{"restricts": [{"namespace": "genre", "allow": ["Drama"]}]}'
    expect(await search('--index', index, '--filter', filter)).toBe(await search('--items', films, '--filter', filter))
  })

  test('says what is in it', async () => {
    const stats = JSON.parse(await twotower(['index', index, '--stats', '--json']))
    expect(stats).toMatchObject({ items: 40, width: 64, file: 40, added: 0, removed: 0, source: films })
    expect(stats.bytes).toBe(statSync(index).size)
    const text = await twotower(['index', index, '--stats'])
    expect(text).toMatch(/^40 items of 64 numbers/)
    expect(text).toMatch(/number {5}year: int, 40 items/)
  })

  test('is made of embeddings without a model, of what embed wrote in any format', async () => {
    for (const kind of ['jsonl', 'parquet', 'npy']) {
      const vectors = join(folder, `vectors.${kind}`)
      await twotower(['embed', bundle, films, '--tower', 'candidate', '-o', vectors])
      const made = join(folder, `${kind}.index`)
      await twotower(['index', vectors, '--similarity', 'cosine', '-o', made])
      expect(await search('--index', made)).toBe(wanted)
    }
  })

  test('takes items in and out, and forgets its log when compacted', async () => {
    const changed = join(folder, 'changed.index')
    await twotower(['index', bundle, films, '-o', changed])
    const [first, second] = rows
    const more = join(folder, 'more.jsonl')
    writeFileSync(more, jsonl({ ...first, id: 'new' }, { ...second, id: first.id }))
    const { stderr } = await run(['index', bundle, more, '--into', changed])
    expect(stderr).toMatch(/2 items put in: 1 new, 1 replaced; 41 in/)
    // As Windows saves it.
    const gone = join(folder, 'gone.txt')
    writeFileSync(gone, `\ufeff${second.id}\r\n`)
    await twotower(['index', changed, '--remove-file', gone, '--remove', 'nobody'])
    const opened = await ItemIndex.open(changed)
    expect(opened.size).toBe(40)
    expect(opened.get(String(second.id))).toBeNull()
    const before = await search('--index', changed)
    await twotower(['index', changed, '--compact'])
    expect(await search('--index', changed)).toBe(before)
    expect(JSON.parse(await twotower(['index', changed, '--stats', '--json']))).toMatchObject({ file: 40, added: 0 })
  })

  test('keeps all that it said it kept, killed at any moment', async () => {
    const file = join(folder, 'killed.index')
    await (await ItemIndex.of([], { similarity: 'dot', width: 3 })).save(file)
    const writer = fileURLToPath(new URL('indexwriter.mjs', import.meta.url))
    let kept = -1
    for (const items of [1, 5, 7, 8, 12, 20]) {
      const child = spawn(process.execPath, [writer, file])
      let said = ''
      let told = ''
      child.stderr.on('data', (text) => {
        told += text
      })
      await new Promise<void>((resolve) => {
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          said += text
          // It goes on meanwhile, as far as it comes.
          if (said.split('\n').length > items) child.kill('SIGKILL')
        })
        child.once('close', () => resolve())
      })
      expect(told).toBe('')
      kept = Number(said.split('\n').at(-2))
      const opened = await ItemIndex.open(file, { verify: true })
      expect(opened.size).toBeGreaterThan(kept)
      for (let i = 0; i < opened.size; i++)
        expect(opened.get(`item ${i}`)?.embedding).toEqual(Float32Array.of(i, -i, 1 / (i + 1)))
    }
    expect(kept).toBeGreaterThanOrEqual(52)
  })
})

describe.concurrent('an export that holds its candidates becomes an index', () => {
  test.each([
    ['tfrs_bruteforce', 'ranks'],
    // ScaNN looks at some of them: what it finds is scored so, and whoever looks at all finds as good or better.
    ['tfrs_scann', 'scores'],
  ])('%s, which %s as TensorFlow does', async (name, does) => {
    const [made, converted] = [join(folder, `${name}.index`), join(folder, name)]
    await twotower(['index', model(name), '-o', made])
    const opened = await ItemIndex.open(made)
    // A bundle holds them as well.
    await twotower(['convert', model(name), '-o', converted])
    await twotower(['index', converted, '-o', `${made}.2`])
    expect([...(await ItemIndex.open(`${made}.2`)).datapoints()]).toEqual([...opened.datapoints()])
    const { query } = await load(model(name))
    const goldens = JSON.parse(readFileSync(goldenFile(name), 'utf8'))
    let compared = 0
    for (const { signature, inputs, outputs } of goldens.cases) {
      if (signature !== 'serving_default' || outputs === undefined || inputs.input_1.shape[0] === 0) continue
      const embedded = query.embed({ input_1: inputs.input_1.data })
      const [scores, ids] = [outputs.output_1, outputs.output_2]
      const [rows, k] = scores.shape
      for (let row = 0; row < rows; row++) {
        const vector = (embedded.data as Float32Array).subarray(row * opened.width, (row + 1) * opened.width)
        const wanted: string[] = ids.data.slice(row * k, (row + 1) * k).map(String)
        const all = opened.search(vector, opened.size)
        if (does === 'ranks') expect(all.ids.slice(0, k)).toEqual(wanted)
        for (const [i, id] of wanted.entries()) {
          const score = scores.data[row * k + i]
          expect(Math.abs(all.scores[all.ids.indexOf(id)] - score)).toBeLessThanOrEqual(1e-6)
          expect(all.scores[i]).toBeGreaterThanOrEqual(score - 1e-6)
        }
        compared++
      }
    }
    expect(compared).toBeGreaterThan(0)
  })
})

describe.concurrent('what is wrong is told', () => {
  test('an id that is there twice, unless the last counts', async () => {
    const twice = join(folder, 'twice.jsonl')
    writeFileSync(twice, jsonl({ id: 'a', embedding: [1, 2] }, { id: 'a', embedding: [3, 4] }))
    const made = join(folder, 'twice.index')
    const args = ['index', twice, '--similarity', 'dot', '-o', made]
    const { status, stderr } = await run(args)
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/the id "a" is there twice, at .*twice\.jsonl:1 and .*twice\.jsonl:2;/),
    ])
    await twotower([...args, '--last-wins'])
    expect((await ItemIndex.open(made)).get('a')?.embedding).toEqual(Float32Array.of(3, 4))
  })

  test('a bad item is left out and named', async () => {
    const bad = join(folder, 'bad.jsonl')
    const good = { id: 'a', embedding: [1, 2] }
    writeFileSync(
      bad,
      jsonl(good, { id: 'b', embedding: [1] }, { embedding: [1, 2] }, { id: 'c', restricts: 3, embedding: [1, 2] }) +
        '{"id": "d", "embedding": [1, NaN]}\n{"id": "e", "embedding": [1e39, 2]}\n',
    )
    const { status, stderr } = await run(['index', bad, '--similarity', 'dot', '-o', join(folder, 'bad.index')])
    expect(status).toBe(1)
    expect(stderr).toMatch(/bad\.jsonl:2: .*1 dimensions, the others have 2/)
    expect(stderr).toMatch(/bad\.jsonl:3: the item has no "id"/)
    expect(stderr).toMatch(/bad\.jsonl:4: .*restricts/)
    expect(stderr).toMatch(/bad\.jsonl:5: item "d": number 1 of its vector is NaN, it must be finite/)
    expect(stderr).toMatch(/bad\.jsonl:6: .*1e\+39/)
    expect((await ItemIndex.open(join(folder, 'bad.index'))).size).toBe(1)
  })

  test('a bad first item ends nothing, and says nothing of the width', async () => {
    const bad = join(folder, 'first.jsonl')
    writeFileSync(bad, jsonl({ id: 'a', embedding: [] }, { id: '', embedding: [1, 2] }, { id: 'c', embedding: [1, 2] }))
    const made = join(folder, 'first.index')
    const { status, stderr } = await run(['index', bad, '--similarity', 'dot', '-o', made])
    expect(status).toBe(1)
    expect(stderr).toMatch(/first\.jsonl:1: item "a": its vector has no numbers/)
    expect(stderr).toMatch(/first\.jsonl:2: an item must have an id that is not empty/)
    expect([...(await ItemIndex.open(made)).datapoints()].map(({ id }) => id)).toEqual(['c'])
    // Nor does one of another width than the index, or than the files before.
    const wide = join(folder, 'wide.jsonl')
    writeFileSync(wide, jsonl({ id: 'd', embedding: [1, 2, 3] }, { id: 'e', embedding: [3, 4] }))
    const into = await run(['index', wide, '--into', made])
    expect(into.stderr).toMatch(/wide\.jsonl:1: the embedding has 3 dimensions, the others have 2\n1 items put in/)
    expect([...(await ItemIndex.open(made)).datapoints()].map(({ id }) => id)).toEqual(['c', 'e'])
    const both = await run(['index', bad, wide, '--similarity', 'dot', '-o', made])
    expect(both.stderr).toMatch(/wide\.jsonl:1: the embedding has 3 dimensions, the others have 2\n2 items of 2/)
    expect([...(await ItemIndex.open(made)).datapoints()].map(({ id }) => id)).toEqual(['c', 'e'])
  })

  test('a .npy file that is no matrix, or has not as many ids', async () => {
    const npy = join(folder, 'bad.npy')
    const args = ['index', npy, '--similarity', 'dot', '-o', join(folder, 'odd.index')]
    writeFileSync(npy, 'id,x\n')
    expect((await run(args)).stderr).toMatch(/bad\.npy: it is no \.npy file/)
    const header = (shape: string, descr = '<f4') => {
      const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`
      return Buffer.concat([
        Buffer.from([0x93]),
        Buffer.from('NUMPY'),
        Buffer.from([1, 0, text.length, 0]),
        Buffer.from(text),
      ])
    }
    const numbers = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)
    writeFileSync(npy, Buffer.concat([header('(4,)'), numbers]))
    expect((await run(args)).stderr).toMatch(/a matrix is wanted/)
    writeFileSync(npy, Buffer.concat([header('(3, 2)'), numbers]))
    expect((await run(args)).stderr).toMatch(/ends before its 3 rows of \d+ numbers do/)
    writeFileSync(npy, Buffer.concat([header('(2, 2)'), numbers]))
    writeFileSync(join(folder, 'bad.ids.jsonl'), '"a"\n')
    expect((await run(args)).stderr).toMatch(/fewer ids than there are rows/)
    writeFileSync(join(folder, 'bad.ids.jsonl'), '"a"\n"b"\n')
    await twotower(args)
    expect((await ItemIndex.open(join(folder, 'odd.index'))).get('b')?.embedding).toEqual(Float32Array.of(3, 4))
  })

  test.each([
    [['index', films], 2, /wants one of -o FILE/],
    [['index', films, '-o', 'x.index', '--stats'], 2, /wants one of -o FILE/],
    [['index', some, '-o', 'x.index'], 2, /say how items are compared/],
    [['index', bundle, '-o', 'x.index'], 2, /holds no candidates/],
    [['index', films, '--stats'], 1, /is no index/],
    [['index', 'nothing.index', '--stats'], 1, /there is no/],
  ])('%j', async (args, wanted, message) => {
    const { status, stderr } = await run(args)
    expect(stderr).toMatch(message)
    expect(status).toBe(wanted)
  })

  test('a disk that fills up leaves the index that was there', async () => {
    const file = join(folder, 'full.index')
    await twotower(['index', bundle, films, '-o', file])
    const before = readFileSync(file)
    const { stderr } = await runOnFullDisk(['index', bundle, films, '-o', file])
    expect(stderr).toMatch(/is not written, what was there before is as it was/)
    expect(readFileSync(file)).toEqual(before)
    expect(readdirSync(folder).filter((name) => name.startsWith('full.index'))).toEqual(['full.index'])
  })

  test('a disk that fills up while items are put in leaves those that were there, and no part of the others', async () => {
    const file = join(folder, 'fullLog.index')
    await (await ItemIndex.of([], { similarity: 'dot', width: 64 })).save(file)
    const [first] = rows
    const one = join(folder, 'one.jsonl')
    writeFileSync(one, jsonl({ ...first }))
    await twotower(['index', bundle, one, '--into', file])
    const log = readFileSync(`${file}.log`)
    const { stderr } = await runOnFullDisk(['index', bundle, films, '--into', file])
    expect(stderr).toMatch(
      /(EFBIG|ENOSPC|too large).*none of these changes is in .*fullLog\.index\.log", those before are/,
    )
    expect(readFileSync(`${file}.log`)).toEqual(log)
    await twotower(['index', bundle, films, '--into', file])
    expect((await ItemIndex.open(file)).size).toBe(rows.length)
  })
})
