import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parquetReadObjects } from 'hyparquet'
import { beforeAll, describe, expect, test } from 'vitest'
import { convertDemo, demoRows, jsonl, killedAt, lines, run, scratch, twotower } from './command.ts'

// The demo's first films as TensorFlow, Arrow and Python write them (test/fixtures/make/catalogue.py).
const films = (extension: string): string =>
  fileURLToPath(new URL(`../fixtures/catalogue/films.${extension}`, import.meta.url))
const COUNT = 40

const folder = scratch()
const bundle = join(folder, 'demo')
const embed = ['embed', bundle, '--tower', 'candidate']

interface Answer {
  readonly id: string
  readonly embedding: readonly number[]
}

/** What `embed` answers to the films as lines of JSON; test/cli/embed.test.ts holds that to TensorFlow. */
let plain: string
let answers: readonly Answer[]

beforeAll(async () => {
  await convertDemo(bundle)
  plain = await twotower([...embed, films('jsonl')])
  answers = plain
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer)
})

const bytesOf = (path: string): ArrayBuffer => new Uint8Array(readFileSync(path)).buffer

function readNpy(path: string): { readonly shape: readonly number[]; readonly values: readonly number[] } {
  const bytes = bytesOf(path)
  const header = new TextDecoder('latin1').decode(bytes.slice(0, 128))
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header)?.slice(1).map(Number) ?? []
  return { shape, values: Array.from(new Float32Array(bytes, 128)) }
}

const floats = (rows: readonly Answer[]): number[] => rows.flatMap(({ embedding }) => embedding.map(Math.fround))

describe.concurrent('embed reads', () => {
  test('with --part one of several shares of the files, all of them once', async () => {
    const input = join(folder, 'rows')
    mkdirSync(input)
    const rows = readFileSync(films('jsonl'), 'utf8').trimEnd().split('\n')
    for (let i = 0; i < 5; i++) writeFileSync(join(input, `rows-${i}.jsonl`), `${rows[i]}\n`)
    const pattern = join(input, 'rows-*.jsonl')
    const ids: string[][] = []
    for (const part of ['0/3', '1/3', '2/3', '5/6']) {
      const said = await twotower([...embed, pattern, '--part', part])
      ids.push([...said.matchAll(/"id": "([^"]*)"/g)].map(([, id]) => id))
    }
    const [a, b, c, d, e] = answers.map(({ id }) => id)
    expect(ids).toEqual([[a, d], [b, e], [c], []])
  })

  test('no part that there is not, and no part of standard input', async () => {
    for (const part of ['3/3', '-1/3', '1', '0/0', 'a/b'])
      expect(await run([...embed, films('jsonl'), '--part', part])).toMatchObject({
        status: 2,
        stderr: `twotower: --part wants INDEX/COUNT, the index from 0 up to count - 1, got "${part}"\n`,
      })
    expect(await run([...embed, '--part', '0/2'], plain)).toMatchObject({
      status: 2,
      stderr: 'twotower: --part takes files apart, and standard input is none: name files\n',
    })
  })

  for (const extension of ['csv', 'tsv', 'parquet', 'tfrecord']) {
    test(`${extension} and answers as to lines of JSON, in pieces of any size`, async () => {
      expect(await twotower([...embed, films(extension), '--batch', '7'])).toBe(plain)
    })
  }

  test('standard input in the --format that is named, and refuses Parquet there', async () => {
    for (const format of ['csv', 'tfrecord'])
      expect(await twotower([...embed, '--format', format], readFileSync(films(format)))).toBe(plain)
    const piped = await run([...embed, '--format', 'parquet'], readFileSync(films('parquet')))
    expect(piped).toMatchObject({ status: 2, stderr: expect.stringContaining('Parquet is read from files') })
  })

  test('the files that a pattern fits in the order of their names, each by its extension', async () => {
    const many = join(folder, 'many')
    mkdirSync(many)
    for (const extension of ['csv', 'jsonl', 'parquet']) copyFileSync(films(extension), join(many, `b.${extension}`))
    expect(await twotower([...embed, join(many, '*.{csv,jsonl,parquet}')])).toBe(plain.repeat(3))
    expect(await run([...embed, join(many, '*.tfrecord')])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/no file fits ".*\*\.tfrecord"/),
    })
  })

  test('and says in a line what is wrong with a file', async () => {
    const [cut, twice, no] = ['cut.tfrecord', 'twice.csv', 'no.parquet'].map((name) => join(folder, name))
    writeFileSync(cut, readFileSync(films('tfrecord')).subarray(0, -1))
    writeFileSync(twice, 'id,id\n1,2\n')
    writeFileSync(no, 'PAR0 this is no Parquet file')
    for (const [file, said] of [
      [cut, 'ends in the middle of record 40'],
      [twice, 'the column "id" is there twice'],
      [no, 'parquet'],
    ]) {
      const { status, stderr } = await run([...embed, file])
      expect(status).toBe(1)
      expect(stderr).toMatch(new RegExp(`^twotower: ${file}: .*${said}.*\n$`))
    }
  })
})

describe.concurrent('embed writes', () => {
  test('.npy with the ids beside it', async () => {
    await twotower([...embed, films('csv'), '-o', join(folder, 'films.npy'), '--batch', '9'])
    const { shape, values } = readNpy(join(folder, 'films.npy'))
    expect(shape).toEqual([COUNT, 64])
    expect(values).toEqual(floats(answers))
    const ids = readFileSync(join(folder, 'films.ids.jsonl'), 'utf8').trimEnd().split('\n')
    expect(ids.map((id) => JSON.parse(id))).toEqual(answers.map(({ id }) => id))
  })

  test('Parquet of an id and a list of floats', async () => {
    const output = join(folder, 'films.parquet')
    await twotower([...embed, films('parquet'), '-o', output])
    const rows = (await parquetReadObjects({ file: bytesOf(output) })) as unknown as Answer[]
    expect(rows.map(({ id }) => id)).toEqual(answers.map(({ id }) => id))
    expect(rows.flatMap(({ embedding }) => Array.from(embedding))).toEqual(floats(answers))
  })

  test("Vector Search's records and batch prediction's lines", async () => {
    const output = join(folder, 'films.json')
    await twotower([...embed, films('jsonl'), '-o', output])
    expect(readFileSync(output, 'utf8')).toBe(plain)
    const predicted = await twotower([...embed, films('jsonl'), '--output-format', 'batch-prediction'])
    const instances = readFileSync(films('jsonl'), 'utf8').trimEnd().split('\n')
    expect(
      predicted
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(answers.map(({ embedding }, i) => ({ instance: JSON.parse(instances[i]), prediction: embedding })))
  })

  test('a folder of files, each of --shard-rows rows, over the ends of its inputs', async () => {
    const output = join(folder, 'shards')
    await twotower([...embed, films('jsonl'), films('csv'), '-o', output, '--shard-rows', '30', '--batch', '8'])
    const names = readdirSync(output).sort()
    expect(names).toEqual(['part-00000.jsonl', 'part-00001.jsonl', 'part-00002.jsonl'])
    const parts = names.map((name) => readFileSync(join(output, name), 'utf8'))
    expect(parts.map((part) => part.split('\n').length - 1)).toEqual([30, 30, 20])
    expect(parts.join('')).toBe(plain.repeat(2))
    const again = await run([...embed, films('jsonl'), '-o', output, '--shard-rows', '30'])
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('holds files of another run') })
  })

  test('bad rows into a file of their own, with the numbers of their lines', async () => {
    const [input, errors] = [join(folder, 'bad.csv'), join(folder, 'bad.jsonl')]
    const [header, ...rows] = readFileSync(films('csv'), 'utf8').split('\r\n')
    writeFileSync(input, [header, rows[0], 'short,row', 'x,x,x,,,,R,not a year,6.1,1,1', ...rows.slice(1)].join('\r\n'))
    const finished = await run([...embed, input, '--errors', errors])
    expect(finished).toEqual({ status: 1, stdout: plain, stderr: '' })
    const bad = readFileSync(errors, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(bad).toEqual([
      { file: input, line: 3, error: 'the row has 2 cells, the header has 11' },
      { file: input, line: 4, error: 'feature "year" must be a number, got "not a year"' },
    ])
    // Where an answer has no place for them and no file is named, on standard error.
    const output = join(folder, 'bad.npy')
    const told = await run([...embed, input, '-o', output])
    expect(told.status).toBe(1)
    expect(told.stderr.split('\n').map((line) => line.slice(0, 30 + folder.length))).toHaveLength(3)
    expect(told.stderr).toContain(`twotower: ${input}:3: the row has 2 cells`)
    expect(readNpy(output).shape).toEqual([COUNT, 64])
  })

  test('a summary where it is asked for, with what vocabularies do not have', async () => {
    const [film] = demoRows('films.jsonl')
    const genres = ['Drama', 'Drama', 'Comedy', 'no such genre']
    const rows = jsonl(...genres.map((genre) => ({ ...film, genre, title: 'the qwertyuiop' })), '{"id": "bad"}')
    const { stderr, stdout } = await run([...embed, '--summary', '--workers', '2'], rows)
    expect(stdout.split('\n')).toHaveLength(6)
    expect(stderr).toMatch(
      /^5 rows in \d+\.\d s, \d+ a second, 1 bad row\nout of vocabulary: .*title 50\.0 %, genre 25\.0 %.*\n$/,
    )
  })
})

test('--resume goes on in shards of any format, with the bad rows in their file', async () => {
  const [input, output, errors] = ['many.jsonl', 'resumed', 'errors.jsonl'].map((name) => join(folder, name))
  const rows = demoRows('films.jsonl').flatMap((film, i) => (i % 700 === 0 ? ['{"id": "bad"}', film] : [film]))
  writeFileSync(input, jsonl(...rows))
  const args = [
    ...embed,
    input,
    '--batch',
    '64',
    '--shard-rows',
    '500',
    '--errors',
    errors,
    '--workers',
    '1',
    '--output-format',
  ]
  for (const format of ['npy', 'parquet']) {
    const whole = join(folder, `whole-${format}`)
    expect((await run([...args, format, '-o', whole])).status).toBe(1)
    const wantedErrors = readFileSync(errors, 'utf8')
    const command = [...args, format, '-o', `${output}-${format}`, '--resume']
    // In the middle of the third file, where its format can be gone on with there.
    const third = join(`${output}-${format}`, `part-00002.${format}`)
    expect(await killedAt(4, third, command)).toBe(true)
    expect(existsSync(`${third}.part`)).toBe(true)
    expect(existsSync(`${output}-${format}.journal`)).toBe(true)
    expect((await run(command)).status).toBe(1)
    expect(readdirSync(`${output}-${format}`).sort()).toEqual(readdirSync(whole).sort())
    for (const name of readdirSync(whole))
      expect(readFileSync(join(`${output}-${format}`, name)).equals(readFileSync(join(whole, name)))).toBe(true)
    expect(readFileSync(errors, 'utf8')).toBe(wantedErrors)
    expect(existsSync(`${output}-${format}.journal`)).toBe(false)
  }
  expect(await run([...embed, input, '-o', join(folder, 'x.parquet'), '--resume'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('use --shard-rows with --resume'),
  })
})

test('embed refuses options that do not go together', async () => {
  for (const [args, said] of [
    [['--format', 'xml'], '--format must be jsonl, csv, tsv, parquet, tfrecord, got "xml"'],
    [['--output-format', 'xml'], '--output-format must be jsonl, parquet, npy, vector-search, batch-prediction'],
    [['--output-format', 'npy'], 'npy is written to a file: name one with -o'],
    [['--shard-rows', '10'], '--shard-rows needs -o with a folder'],
    [['--errors', folder], '--errors wants a file'],
  ] as const) {
    const { status, stderr } = await run([...embed, ...args])
    expect({ args, status, stderr }).toEqual({ args, status: 2, stderr: expect.stringContaining(said) })
  }
  expect(lines(await run(embed))).toEqual([])
})
