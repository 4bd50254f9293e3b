import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { cutRows } from '../../../src/embed/input/cut.ts'
import { readRecords, recordEnds } from '../../../src/embed/input/tfrecord.ts'

// Written by TensorFlow (test/fixtures/make/catalogue.py), from the rows that lie beside it as JSON.
const folder = new URL('../../fixtures/catalogue/', import.meta.url)
const written = new Uint8Array(readFileSync(new URL('films.tfrecord', folder)))
const films = readFileSync(new URL('films.jsonl', folder), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Record<string, string | number>)

async function cutsOf(bytes: Uint8Array, block: number, most: number) {
  const blocks = async function* () {
    for (let at = 0; at < bytes.length; at += block) yield bytes.subarray(at, at + block)
  }
  const cuts = []
  for await (const cut of cutRows(blocks(), recordEnds(), () => most)) cuts.push(cut)
  return cuts
}

describe('TFRecords', () => {
  test('hold the examples that TensorFlow wrote, cut wherever blocks end', async () => {
    const wanted = films.map((film) =>
      Object.fromEntries(
        // A float list holds float32.
        Object.entries(film).map(([name, value]) => [name, typeof value === 'number' ? Math.fround(value) : value]),
      ),
    )
    for (const block of [1, 7, 1000, written.length]) {
      const cuts = await cutsOf(written, block, 7)
      expect(cuts.map(({ rows }) => rows)).toEqual([7, 7, 7, 7, 7, 5])
      const rows = cuts.flatMap(({ bytes }, i) => readRecords(bytes, 1 + 7 * i))
      expect(rows.map(({ number }) => number)).toEqual(films.map((_, i) => i + 1))
      expect(rows.map((row) => row.json())).toEqual(wanted)
    }
  })

  test('spoil one row where a record is damaged, and end the work where its length is', async () => {
    const damaged = written.slice()
    damaged[20] ^= 1
    const [cut] = await cutsOf(damaged, 1000, 40)
    const rows = readRecords(cut.bytes, 1)
    expect(rows[0].json).toThrow('the record is damaged')
    expect(rows[1].json()).toMatchObject({ id: films[1].id })
    const lost = written.slice()
    lost[0] ^= 1
    await expect(cutsOf(lost, 1000, 40)).rejects.toThrow('record 1: the checksum of its length is wrong')
    await expect(cutsOf(written.subarray(0, -1), 1000, 40)).rejects.toThrow('ends in the middle of record 40')
    await expect(cutsOf(written.subarray(0, 5), 1000, 40)).rejects.toThrow('ends in the middle of record 1')
  })
})
