import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AvroReader, AvroWriter } from '../../../src/exchange/avro/bytes.ts'
import { CODECS as PACKERS } from '../../../src/exchange/avro/codecs.ts'
import { avroBlock, avroHead, readAvro } from '../../../src/exchange/avro/container.ts'
import { datapointsOf } from '../../../src/exchange/datapoints.ts'
import { avro } from '../../../src/exchange/vectorsearch.ts'
import { blocks, fixture, items, meant, readAll, written } from './files.ts'

const CODECS = ['null', 'deflate', 'snappy'] as const

async function recordsOf(bytes: Uint8Array): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const { json } of readAvro(blocks(bytes))) all.push(json)
  return all
}

describe('Avro files of Vector Search', () => {
  test.each(CODECS)('packed by %s are read as fastavro wrote them, however their bytes come', async (codec) => {
    const wanted = (await readAll('records.json', fixture('records.json'))).map(meant)
    expect(wanted).toHaveLength(3)
    for (const size of [1, 7, 64, 10_000])
      expect((await readAll('items.avro', fixture(`${codec}.avro`), {}, size)).map(meant)).toEqual(wanted)
  })

  test.each(CODECS)('packed by %s come back as they were', async (codec) => {
    const fits = items({ bits: 32n })
    await fc.assert(
      fc.asyncProperty(fits, async (all) => {
        const [bytes] = await written(avro(codec), all)
        expect((await readAll('items.avro', bytes)).map(meant)).toEqual(all.map(meant))
      }),
      { numRuns: 50 },
    )
  })

  test('in more than one block', async () => {
    const embedding = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i))
    const all = Array.from({ length: 700 }, (_, i) => ({ id: `item ${i}`, embedding }))
    const [bytes] = await written(avro('snappy'), all)
    const ids = (await readAll('items.avro', bytes, {}, 1 << 16)).map(({ id }) => id)
    expect(ids).toEqual(all.map(({ id }) => id))
  })

  test('of no items have a head that says their schema', async () => {
    const [bytes] = await written(avro(), [])
    expect(bytes.length).toBeGreaterThan(500)
    expect(await readAll('items.avro', bytes)).toEqual([])
  })

  test('may have other fields, of every type', async () => {
    const [item] = await readAll('items.avro', fixture('extra.avro'))
    expect(item).toEqual({ id: '1', embedding: Float32Array.of(1.5, 2.5) })
    const [record] = await recordsOf(fixture('extra.avro'))
    expect(record).toMatchObject({
      kind: 'SERIES',
      again: 'FILM',
      digest: '00ff10',
      raw: '8081',
      counts: { a: -(2n ** 63n), b: 2n ** 53n + 1n },
      seen: 2n ** 62n,
      live: true,
      score: 0.5,
    })
  })

  test('with a sparse embedding are refused', async () => {
    await expect(readAll('items.avro', fixture('sparse.avro'))).rejects.toThrow(
      'items.avro:1: "sparse_embedding" is not searched here',
    )
  })

  test('that were cut short are refused, wherever', async () => {
    const all = Array.from({ length: 20 }, (_, i) => ({ id: `item ${i}`, embedding: Float32Array.of(i, 0.1) }))
    const [bytes] = await written(avro('deflate'), all)
    const head = (await written(avro('deflate'), []))[0].length
    for (let end = 0; end < bytes.length; end += end < head ? 37 : 1) {
      // Behind its head, as behind each block, a file may end.
      if (end === head) continue
      await expect(readAll('items.avro', bytes.subarray(0, end))).rejects.toThrow(
        /^items\.avro: .*(cut short|no Avro file|has no schema)/,
      )
    }
  })

  test('that are damaged give an error, never a wrong answer that goes on for ever', async () => {
    for (const codec of CODECS) {
      const bytes = fixture(`${codec}.avro`)
      for (let at = 0; at < bytes.length; at += at < 1000 ? 13 : 1) {
        const damaged = bytes.slice()
        damaged[at] ^= 0xff
        await readAll('items.avro', damaged).catch((error: unknown) => {
          expect((error as Error).message).toMatch(/^items\.avro:/)
        })
      }
    }
  })

  test('whose records have no bytes are refused: any number of them would be there', async () => {
    const mark = new Uint8Array(16)
    const head = avroHead({ type: 'record', name: 'nothing', fields: [] }, 'null', mark)
    const block = await avroBlock(2 ** 50, new Uint8Array(), PACKERS.null, mark)
    const records = datapointsOf('items.avro', blocks(Buffer.concat([head, block]), 100), { bad: () => {} })
    await expect(records.next()).rejects.toThrow(
      'items.avro: block 1 counts 1125899906842624 records in 0 bytes: it is damaged',
    )
  })

  test('are told from other files', async () => {
    await expect(readAll('items.avro', '{"id": "1", "embedding": [1]}\n')).rejects.toThrow(
      'items.avro: it is no Avro file',
    )
  })

  test('hold no int past 32 bits, which their schema has no place for', async () => {
    const numericRestricts = [{ namespace: 'views', type: 'int' as const, value: 2n ** 31n }]
    await expect(written(avro(), [{ id: '1', embedding: Float32Array.of(1), numericRestricts }])).rejects.toThrow(
      'the int 2147483648 in the namespace "views" has more than 32 bits',
    )
  })
})

describe("Avro's longs", () => {
  test('come back as they were', () => {
    const MOST = 2n ** 63n
    fc.assert(
      fc.property(
        fc.oneof(fc.bigInt({ min: -MOST, max: MOST - 1n }), fc.bigInt({ min: -1000n, max: 1000n })),
        (value) => {
          const writer = new AvroWriter()
          writer.long(value)
          expect(BigInt(new AvroReader(writer.take()).long())).toBe(value)
        },
      ),
    )
  })

  test('are written as the specification has them', () => {
    for (const [value, bytes] of [
      [0, [0]],
      [-1, [1]],
      [1, [2]],
      [-64, [0x7f]],
      [64, [0x80, 1]],
    ] as const) {
      const writer = new AvroWriter()
      writer.long(value)
      expect([...writer.take()]).toEqual(bytes)
    }
  })
})
