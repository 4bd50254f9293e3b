import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ParquetReader, parquetStretches } from '../../../src/embed/input/parquet.ts'
import { PARQUET } from '../../../src/embed/output/parquet.ts'
import type { Answer } from '../../../src/embed/piece.ts'
import type { GrowingFile } from '../../../src/embed/sink.ts'

// Written by Arrow in row groups of 15 rows (test/fixtures/make/catalogue.py), from the rows that lie beside it as JSON.
const folder = new URL('../../fixtures/catalogue/', import.meta.url)
const bytes = new Uint8Array(readFileSync(new URL('films.parquet', folder))).buffer
const films = readFileSync(new URL('films.jsonl', folder), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Record<string, string | number>)

async function stretches(from: number, most: number): Promise<number[][]> {
  const found: number[][] = []
  for await (const { start, end } of parquetStretches(bytes, from, () => most)) found.push([start, end])
  return found
}

describe('Parquet', () => {
  test('is read in stretches of which none holds rows of two groups', async () => {
    expect(await stretches(0, 10)).toEqual([
      [0, 10],
      [10, 15],
      [15, 25],
      [25, 30],
      [30, 40],
    ])
    expect(await stretches(12, 100)).toEqual([
      [12, 15],
      [15, 30],
      [30, 40],
    ])
    expect(await stretches(40, 10)).toEqual([])
  })

  test('gives the rows that Arrow wrote, of all columns or of some', async () => {
    const reader = new ParquetReader(async () => bytes)
    const rows = []
    for (const [start, end] of await stretches(0, 7))
      rows.push(...(await reader.rows({ path: 'films.parquet', start, end, columns: null })))
    expect(rows).toEqual(films)
    const some = await reader.rows({ path: 'films.parquet', start: 20, end: 22, columns: ['id', 'year', 'none such'] })
    expect(some).toEqual(films.slice(20, 22).map(({ id, year }) => ({ id, year })))
  })

  test('is read by whatever codec its columns are compressed', async () => {
    const codecs = new Uint8Array(readFileSync(new URL('codecs.parquet', folder))).buffer
    const reader = new ParquetReader(async () => codecs)
    const rows = await reader.rows({ path: 'codecs.parquet', start: 0, end: 40, columns: null })
    expect(rows).toEqual(films.map((film) => ({ ...film, tags: [] })))
  })

  test('names the file that cannot be read', async () => {
    const reader = new ParquetReader(async () => bytes.slice(0, 100))
    await expect(reader.rows({ path: 'films.parquet', start: 0, end: 1, columns: null })).rejects.toThrow(
      /^films\.parquet: parquet/,
    )
  })

  test('is told from a file that is too short to be any', async () => {
    for (const size of [0, 11]) {
      const file = { byteLength: size, slice: async () => new ArrayBuffer(size) }
      await expect(parquetStretches(file, 0, () => 1).next()).rejects.toThrow(
        `it is no Parquet file: it has ${size} bytes, the shortest has 12`,
      )
    }
  })

  test('is written row group by row group, and read back', async () => {
    let written = new Uint8Array(0)
    const file: GrowingFile = {
      get size() {
        return written.length
      },
      async append(more) {
        written = new Uint8Array(Buffer.concat([written, more]))
      },
      async replace() {},
    }
    const sink = PARQUET.sink([file], null)
    const answer = (ids: readonly (string | null)[], vectors: readonly number[]): Answer => ({
      rows: ids.length,
      failed: 0,
      text: new Uint8Array(0),
      vectors: Float32Array.from(vectors),
      ids,
      lookups: {},
      errors: new Uint8Array(0),
    })
    await sink.write(answer(['a', null], [1, 2, 3, 4]))
    await sink.write(answer([], []))
    await sink.write(answer(['ü'], [0.5, -0]))
    await expect(sink.write(answer(['b'], [1, 2, 3]))).rejects.toThrow('has 3 dimensions, the ones before have 2')
    await sink.end()
    const rows = await new ParquetReader(async () => written.buffer).rows({ path: '', start: 0, end: 3, columns: null })
    expect(rows).toEqual([{ id: 'a', embedding: [1, 2] }, { embedding: [3, 4] }, { id: 'ü', embedding: [0.5, -0] }])
    // Text is what the file has, a byte order mark with it; what is no text stays bytes.
    written = new Uint8Array(0)
    const odd = PARQUET.sink([file], null)
    await odd.write(answer(['\ufeffa', 'QQ'], [1, 2]))
    await odd.end()
    written.fill(0xff, Buffer.from(written).indexOf('QQ'), Buffer.from(written).indexOf('QQ') + 2)
    expect(
      await new ParquetReader(async () => written.buffer).rows({ path: '', start: 0, end: 2, columns: ['id'] }),
    ).toEqual([{ id: '\ufeffa' }, { id: { b64: '//8=' } }])
    // So many numbers are a row group of their own.
    const wide = PARQUET.sink([file], null)
    await wide.write(answer(['a'], new Array<number>(1 << 19).fill(1)))
    await expect(wide.write(answer(['b'], [1, 2, 3]))).rejects.toThrow('has 3 dimensions, the ones before have 524288')
  })
})
