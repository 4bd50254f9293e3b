import { describe, expect, test } from 'vitest'
import { batchOf } from '../../../src/exchange/batch.ts'
import { memoryFolder } from '../../../src/platform/folder.ts'
import type { Datapoint } from '../../../src/search/datapoint.ts'
import { bytesOf, fixture } from './files.ts'

const folder = (files: Readonly<Record<string, Uint8Array | string>>) =>
  memoryFolder(
    'batch_root',
    Object.fromEntries(
      Object.entries(files).map(([name, file]) => [name, typeof file === 'string' ? bytesOf(file) : file]),
    ),
  )

async function datapoints(files: Readonly<Record<string, Uint8Array | string>>): Promise<Datapoint[]> {
  const all: Datapoint[] = []
  for await (const datapoint of (await batchOf(folder(files))).datapoints()) all.push(datapoint)
  return all
}

describe('a batch of Vector Search', () => {
  const files = {
    'a.csv': '1,1,2,3\n',
    'b.avro': fixture('snappy.avro'),
    'c.json': '{"id": "3", "embedding": [1, 2, 3]}',
    'delete/gone.txt': '7\r\n8\n',
    'delete/more': 'nine\n\n',
    _SUCCESS: '',
  }

  test('is files of every format, and ids to delete', async () => {
    const batch = await batchOf(folder(files))
    expect(batch.files).toEqual(['a.csv', 'b.avro', 'c.json'])
    expect([...batch.removed]).toEqual(['7', '8', 'nine'])
    expect((await datapoints(files)).map(({ id }) => id)).toEqual(['1', 'film 1', '2', 'Ω', '3'])
  })

  test('may be deletions alone', async () => {
    const batch = await batchOf(folder({ 'delete/x.txt': '1' }))
    expect([batch.files, [...batch.removed]]).toEqual([[], ['1']])
  })

  test('does not put in what it deletes', async () => {
    await expect(datapoints({ ...files, 'delete/also.txt': 'Ω' })).rejects.toThrow(
      'batch_root/b.avro: the id "Ω" is in delete/ too',
    )
  })

  test('has vectors of one width', async () => {
    await expect(datapoints({ ...files, 'd.csv': '4,1,2\n' })).rejects.toThrow(
      'batch_root/d.csv:1: the embedding of "4" has 2 dimensions, the ones before have 3',
    )
  })

  test('with a file of another format is refused, as is one of nothing', async () => {
    await expect(batchOf(folder({ ...files, 'd.parquet': '' }))).rejects.toThrow('batch_root/d.parquet: a batch of')
    await expect(batchOf(folder({ 'x/a.csv': '1,1' }))).rejects.toThrow('batch_root holds no files')
    await expect(batchOf(folder({ 'delete/a': Uint8Array.of(0xff) }))).rejects.toThrow('must be text in UTF-8')
  })
})
