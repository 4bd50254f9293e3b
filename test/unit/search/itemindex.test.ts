import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { xxh32 } from '../../../src/checksum/xxh32.ts'
import { CorruptModelError } from '../../../src/errors.ts'
import { compileKernels, type Datapoint, ItemIndex, type SearchOptions } from '../../../src/search/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'index-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const path = (): string => join(folder, `${files++}.index`)

const WIDTH = 6
const vector = (seed: number): Float32Array =>
  Float32Array.from({ length: WIDTH }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233))
const item = (seed: number): Datapoint => ({
  id: `item ${seed}`,
  embedding: vector(seed),
  restricts: [{ namespace: 'genre', allow: [['drama', 'comedy', 'horror'][seed % 3]] }],
  numericRestricts: [
    { namespace: 'year', type: 'int', value: BigInt(1950 + seed) },
    { namespace: 'rating', type: 'double', value: seed / 7 },
  ],
  crowdingTag: `studio ${seed % 4}`,
})
const items = (count: number): Datapoint[] => Array.from({ length: count }, (_, seed) => item(seed))
const dot = { similarity: 'dot' } as const

describe('an index of items', () => {
  test('finds what an index made of the same items anew finds, whatever was put in and taken out', async () => {
    const change = fc.oneof(
      fc.record({ op: fc.constant('upsert' as const), seed: fc.nat(30), as: fc.nat(30) }),
      fc.record({ op: fc.constant('remove' as const), seed: fc.nat(30), as: fc.constant(0) }),
    )
    const wanted: fc.Arbitrary<SearchOptions> = fc.record(
      {
        k: fc.integer({ min: 1, max: 40 }),
        perCrowdingTag: fc.integer({ min: 1, max: 3 }),
        filter: fc.constantFrom(
          { restricts: [{ namespace: 'genre', allow: ['drama'] }] },
          { exclude: ['item 3', 'item 20'] },
          { include: ['item 3', 'item 4', 'item 25'] },
        ),
      },
      { requiredKeys: ['k'] },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(change),
        wanted,
        fc.constantFrom('dot', 'cosine', 'euclidean'),
        async (changes, options, similarity) => {
          const index = await ItemIndex.of(items(20), { similarity })
          for (const { op, seed, as } of changes) {
            if (op === 'remove') await index.remove([`item ${seed}`])
            else await index.upsert([{ ...item(as), id: `item ${seed}` }])
          }
          const anew = await ItemIndex.of(index.datapoints(), { similarity, width: WIDTH })
          expect(index.size).toBe(anew.size)
          const query = vector(101)
          expect(index.search(query, options)).toEqual(anew.search(query, options))
        },
      ),
    )
  })

  test('is the same from its file, changed before and after, and compacted', async () => {
    const file = path()
    const made = await ItemIndex.of(items(30), { ...dot, source: 'films' })
    await made.save(file)
    const opened = await ItemIndex.open(file, { verify: true })
    expect([...opened.datapoints()]).toEqual(items(30))
    await opened.upsert([{ ...item(40), id: 'item 3' }, item(41)])
    expect(await opened.remove(['item 7', 'nobody', 'item 7'])).toBe(1)
    await opened.close()
    const again = await ItemIndex.open(file)
    expect([...again.datapoints()]).toEqual([...opened.datapoints()])
    expect(again.stats()).toMatchObject({ items: 30, file: 30, added: 2, removed: 2, source: 'films' })
    const before = again.search(vector(5), 10)
    await again.compact()
    await again.close()
    const compacted = await ItemIndex.open(file)
    expect(compacted.search(vector(5), 10)).toEqual(before)
    expect(compacted.stats()).toMatchObject({ items: 30, file: 30, added: 0, removed: 0 })
    // Who had it open before goes on with what was there.
    expect(opened.search(vector(5), 10)).toEqual(before)
  })

  test('of many items is scanned by the bytes that its file holds', async () => {
    const kernels = await compileKernels()
    const many = Array.from({ length: 4000 }, (_, seed) => ({ id: String(seed), embedding: vector(seed) }))
    for (const similarity of ['dot', 'cosine', 'euclidean'] as const) {
      const made = await ItemIndex.of(many, { similarity, kernels })
      const bytes = made.toBytes()
      const opened = await ItemIndex.open(bytes, { kernels, verify: true })
      const plain = await ItemIndex.open(bytes)
      for (const seed of [1, 2, 3]) {
        expect(opened.search(vector(seed), 7)).toEqual(made.search(vector(seed), 7))
        expect(plain.search(vector(seed), 7)).toEqual(made.search(vector(seed), 7))
      }
    }
  })

  test('that is not to be searched reads nothing that only a scan goes by, and writes it again', async () => {
    const kernels = await compileKernels()
    const many = Array.from({ length: 4000 }, (_, seed) => ({ id: String(seed), embedding: vector(seed) }))
    const file = path()
    const made = await ItemIndex.of(many, { ...dot, kernels })
    await made.save(file)
    const whole = readFileSync(file)
    const bytes = Buffer.from(whole)
    const end = 24 + bytes.readUInt32LE(16)
    const { sections } = JSON.parse(bytes.toString('utf8', 24, end)) as { sections: { name: string; offset: number }[] }
    const { offset } = sections.find(({ name }) => name === 'scan.items') ?? { offset: Number.NaN }
    bytes[64 * Math.ceil(end / 64) + offset] ^= 1
    writeFileSync(file, bytes)
    await expect(ItemIndex.open(file, { kernels })).rejects.toThrow(/checksum of section "scan.items" differs/)
    const changed = await ItemIndex.open(file, { kernels, searched: false })
    await changed.remove(['7'])
    // A damaged file is not written again.
    writeFileSync(file, whole)
    await changed.compact()
    await changed.close()
    const opened = await ItemIndex.open(file, { kernels, verify: true })
    await made.remove(['7'])
    expect(opened.search(vector(1), 7)).toEqual(made.search(vector(1), 7))
    expect(readFileSync(file).toString('latin1')).toContain('"scan.items"')
  })

  test('may be empty, and takes items then', async () => {
    const file = path()
    await (await ItemIndex.of([], { ...dot, width: WIDTH })).save(file)
    const index = await ItemIndex.open(file)
    expect(index.search(vector(1), 5)).toEqual({ ids: [], scores: new Float32Array(0) })
    await index.upsert([item(1)])
    expect(index.search(vector(1), 5).ids).toEqual(['item 1'])
    await index.close()
  })

  test('gets and forgets single items', async () => {
    const index = await ItemIndex.of(items(5), dot)
    expect(index.get('item 2')).toEqual(item(2))
    await index.remove(['item 2'])
    expect(index.get('item 2')).toBeNull()
    expect(index.get('nobody')).toBeNull()
  })

  test('keeps what was put in, whatever becomes of the vectors that it was given and gave', async () => {
    const index = await ItemIndex.of(items(3), dot)
    const given = item(7)
    await index.upsert([given])
    given.embedding.fill(9)
    index.get('item 7')?.embedding.fill(9)
    for (const { embedding } of index.datapoints()) embedding.fill(9)
    expect(index.get('item 7')).toEqual(item(7))
    expect(index.search(vector(7), 1)).toEqual((await ItemIndex.of([item(7)], dot)).search(vector(7), 1))
  })

  test('tells names apart that differ in a byte order mark, in its file too', async () => {
    const named = ['a', '\ufeffa'].map((name, seed) => ({
      id: name,
      embedding: vector(seed),
      restricts: [{ namespace: name, allow: ['a', '\ufeffa'] }],
      crowdingTag: name,
    }))
    const index = await ItemIndex.open((await ItemIndex.of(named, dot)).toBytes())
    expect([...index.datapoints()]).toEqual(named)
  })
})

describe('what cannot be an item', () => {
  const twice = [item(1), item(2), item(1)]
  test('an id that is there twice is refused, or the last counts', async () => {
    await expect(ItemIndex.of(twice, dot)).rejects.toThrow(/"item 1" is there twice/)
    const last = await ItemIndex.of([...twice.slice(0, 2), { ...item(9), id: 'item 1' }], {
      ...dot,
      duplicates: 'last',
    })
    expect(last.get('item 1')?.embedding).toEqual(vector(9))
  })

  test.each([
    ['another width', { embedding: new Float32Array(3) }, /has 3 numbers, those of this index have 6/],
    ['no numbers', { embedding: new Float32Array(0) }, /its vector has no numbers/],
    ['NaN', { embedding: Float32Array.of(0, 1, Number.NaN, 0, 0, 0) }, /number 2 of its vector is NaN/],
    ['an infinity', { embedding: new Float32Array(WIDTH).fill(Number.NEGATIVE_INFINITY) }, /is -Infinity/],
    ['a list of numbers', { embedding: [...vector(8)] }, /must be a Float32Array/],
    ['doubles', { embedding: Float64Array.from(vector(8)) }, /must be a Float32Array/],
    ['no id', { id: '' }, /must have an id/],
    ['an id that no file can hold', { id: 'a\ud800' }, /an id must be text, and half of a surrogate pair is none/],
    ['a tag that no file can hold', { crowdingTag: '\udc00' }, /item "item 8": a crowding tag must be text/],
    ['a token that no file can hold', { restricts: [{ namespace: 'a', deny: ['\ud800'] }] }, /"a" must be text/],
    ['a namespace that no file can hold', { restricts: [{ namespace: '\ud800' }] }, /a namespace must be text/],
    ['a number without a namespace', { numericRestricts: [{ namespace: '', type: 'double', value: 1 }] }, /namespace/],
  ] as const)('%s', async (_, wrong, message) => {
    const index = await ItemIndex.of(items(3), dot)
    await expect(index.upsert([item(7), { ...item(8), ...wrong } as Datapoint])).rejects.toThrow(message)
    expect(index.get('item 7')).toBeNull()
  })

  test('a query of another width', async () => {
    const index = await ItemIndex.of(items(3), dot)
    expect(() => index.search(new Float32Array(4), 1)).toThrow(/4 dimensions, the items have 6/)
  })

  test('a vector of zeros under cosine is like nothing: its cosine is 0', async () => {
    const zero = { id: 'zero', embedding: new Float32Array(WIDTH) }
    const index = await ItemIndex.of([zero], { similarity: 'cosine' })
    expect(index.search(vector(1), 1).scores[0]).toBe(0)
  })
})

describe('a damaged file', () => {
  const whole = ItemIndex.of(items(30), dot).then((index) => index.toBytes())
  const opening = (bytes: Uint8Array) => ItemIndex.open(bytes, { verify: true })

  test('of any length is refused', async () => {
    const bytes = await whole
    for (let length = 0; length < bytes.length; length += length < 2000 ? 37 : 501)
      await expect(opening(bytes.subarray(0, length))).rejects.toThrow(CorruptModelError)
  })

  test('with a byte changed anywhere is refused, or the byte is padding', async () => {
    const bytes = await whole
    const wanted = [...(await ItemIndex.open(bytes)).datapoints()]
    for (let at = 0; at < bytes.length; at += 41) {
      const damaged = bytes.slice()
      damaged[at] ^= 0x10
      const index = await opening(damaged).catch((error: Error) => error)
      if (index instanceof ItemIndex) expect([...index.datapoints()]).toEqual(wanted)
      else expect(index).toBeInstanceOf(CorruptModelError)
    }
  })

  test('where opening does not look is seen before it is written again, and stays as it is', async () => {
    const file = path()
    // Vectors of more than 1 MiB.
    const many = Array.from({ length: 5000 }, (_, i) => ({
      id: `${i}`,
      embedding: new Float32Array(64).fill(1 + (i % 7)),
    }))
    await (await ItemIndex.of(many, dot)).save(file)
    const bytes = readFileSync(file)
    bytes[bytes.length >> 1] ^= 0x10
    writeFileSync(file, bytes)
    const index = await ItemIndex.open(file)
    await index.remove(['3'])
    const inMemory = await ItemIndex.open(new Uint8Array(bytes))
    for (const writing of [() => index.compact(), () => index.partition(), () => index.save(path())])
      await expect(writing()).rejects.toThrow(CorruptModelError)
    expect(() => index.toBytes()).toThrow(CorruptModelError)
    expect(readFileSync(file).equals(bytes)).toBe(true)
    expect(index.size).toBe(4999)
    await index.close()
    // Of bytes, which have no file, none is made either.
    expect(() => inMemory.toBytes()).toThrow(CorruptModelError)
    await expect(inMemory.save(path())).rejects.toThrow(CorruptModelError)
  })

  test('in any large section is seen before it is written again, and what is whole is not refused', async () => {
    const kernels = await compileKernels()
    // Ids, vectors, what a scan goes by, crowds: each of more than 1 MiB.
    const many = Array.from({ length: 70_000 }, (_, i) => ({
      id: `é-${i}-is-an-id-of-an-item`,
      embedding: vector(i % 100),
      crowdingTag: `${i % 3}`,
    }))
    const bytes = (await ItemIndex.of(many, { ...dot, kernels })).toBytes()
    const opened = await ItemIndex.open(bytes, { kernels })
    await opened.remove([many[7].id])
    expect((await ItemIndex.open(opened.toBytes(), { kernels, verify: true })).size).toBe(69_999)
    const view = new DataView(bytes.buffer)
    const end = 24 + view.getUint32(16, true)
    const { sections } = JSON.parse(new TextDecoder().decode(bytes.subarray(24, end))) as {
      sections: { name: string; offset: number; byteLength: number }[]
    }
    const large = sections.filter(({ byteLength }) => byteLength > 1 << 20)
    expect(large.map(({ name }) => name)).toEqual(expect.arrayContaining(['ids.bytes', 'vectors', 'scan.items']))
    for (const { name, offset, byteLength } of large) {
      const damaged = bytes.slice()
      damaged[64 * Math.ceil(end / 64) + offset + (byteLength >> 1)] ^= 1
      const index = await ItemIndex.open(damaged, { kernels })
      expect(() => index.toBytes(), name).toThrow(`section "${name}" differs`)
    }
  })

  /** The file with another manifest of the same length, as if it had been written so. */
  const withManifest = async (
    change: (text: string) => string,
    of: Uint8Array | Promise<Uint8Array> = whole,
  ): Promise<Uint8Array> => {
    const bytes = (await of).slice()
    const view = new DataView(bytes.buffer)
    const manifest = bytes.subarray(24, 24 + view.getUint32(16, true))
    manifest.set(new TextEncoder().encode(change(new TextDecoder().decode(manifest))))
    view.setUint32(20, xxh32().add(manifest).value, true)
    return bytes
  }

  test('of a newer version, or with a manifest that says what cannot be', async () => {
    const changed = async (from: string | RegExp, to: string) =>
      opening(await withManifest((text) => text.replace(from, to)))
    await expect(changed('"version": 2', '"version": 3')).rejects.toThrow(/is of version 3, .* reads version 2: update/)
    // Whatever its manifest's sum: an older one made it in another way.
    const older = (await whole).map((byte) => byte)
    older[new TextDecoder('latin1').decode(older).indexOf('"version": 2') + 11] = 0x31
    await expect(opening(older)).rejects.toThrow(/is of version 1, .* reads version 2: make the index again/)
    await expect(changed('{', '[')).rejects.toThrow(/is no index/)
    await expect(changed('"metric": "dot"', '"metric": "dat"')).rejects.toThrow(CorruptModelError)
    await expect(changed('"rows": 30', '"rows": 31')).rejects.toThrow(
      /"ids.offsets" must be uint32\[32\], is uint32\[31\]/,
    )
    await expect(changed('"uint32"', '"uint99"')).rejects.toThrow(/dtype, length and bytes do not go together/)
    await expect(changed('"vectors"', '"victors"')).rejects.toThrow(/has no section "vectors"/)
  })

  test('with partitions that lack an array, as those of an older twotower do, says so', async () => {
    const index = await ItemIndex.of(items(300), dot)
    await index.partition()
    const older = (text: string) => text.replace('partitions.spreads', 'partitions.spreadz')
    const bytes = await withManifest(older, index.toBytes())
    await expect(opening(bytes)).rejects.toThrow(CorruptModelError)
    await expect(opening(bytes)).rejects.toThrow(
      /must have spreads, Float32Array of \d+; got none; make the index again/,
    )
  })

  test('of another kind says so', async () => {
    await expect(opening(new TextEncoder().encode('{"id": "a"}'))).rejects.toThrow(/is no index/)
    await expect(ItemIndex.open(join(folder, 'nothing.index'))).rejects.toThrow(/there is no index/)
  })
})

describe('the log', () => {
  const open = async (): Promise<{ file: string; whole: Datapoint[] }> => {
    const file = path()
    const index = await ItemIndex.of(items(3), dot)
    await index.save(file)
    const opened = await ItemIndex.open(file)
    for (const seed of [10, 11, 12]) await opened.upsert([item(seed)])
    await opened.close()
    return { file, whole: [...opened.datapoints()] }
  }

  test('cut anywhere gives what was whole before the cut, and goes on from there', async () => {
    const { file, whole } = await open()
    const log = readFileSync(`${file}.log`)
    let least = 6
    for (let length = log.length; length >= 0; length -= 7) {
      writeFileSync(`${file}.log`, log.subarray(0, length))
      const index = await ItemIndex.open(file)
      expect([...index.datapoints()]).toEqual(whole.slice(0, index.size))
      expect(index.size).toBeLessThanOrEqual(least)
      least = index.size
      await index.upsert([item(20)])
      await index.close()
      expect((await ItemIndex.open(file)).get('item 20')).toEqual(item(20))
    }
    expect(least).toBe(3)
  })

  test('damaged before its end is an error, because what follows was answered for', async () => {
    const { file } = await open()
    const log = readFileSync(`${file}.log`)
    // Of the first record the length, its checksum, that of the record, and the record.
    for (const at of [32, 35, 36, 40, 60]) {
      const damaged = Uint8Array.from(log)
      damaged[at] ^= 1
      writeFileSync(`${file}.log`, damaged)
      await expect(ItemIndex.open(file)).rejects.toThrow(/the record at byte 32 is damaged: cut the file to 32 bytes/)
    }
  })

  test('that ends in zeros, as a power cut leaves it, counts up to them', async () => {
    const { file, whole } = await open()
    writeFileSync(`${file}.log`, Buffer.concat([readFileSync(`${file}.log`), Buffer.alloc(4096)]))
    const index = await ItemIndex.open(file)
    expect([...index.datapoints()]).toEqual(whole)
    await index.upsert([item(20)])
    await index.close()
    expect([...(await ItemIndex.open(file)).datapoints()]).toEqual([...whole, item(20)])
  })

  test('has all changes that were asked for at once, in their order, also those while the file is written anew', async () => {
    const { file } = await open()
    const index = await ItemIndex.open(file)
    const made = await Promise.all([
      index.upsert([item(20), item(21)]),
      index.upsert([{ ...item(30), id: 'item 20' }]),
      index.compact(),
      index.remove(['item 21', 'item 22', 'nobody']),
      index.upsert([item(22)]),
      index.partition(),
      index.upsert([item(23)]),
      index.remove(['item 23', 'item 22']),
      index.upsert([item(24)]),
      index.close(),
    ])
    expect([made[3], made[7]]).toEqual([1, 2])
    const again = await ItemIndex.open(file)
    expect([...again.datapoints()]).toEqual([...index.datapoints()])
    expect(again.get('item 20')).toEqual({ ...item(30), id: 'item 20' })
    expect(['item 21', 'item 22', 'item 23', 'item 24'].map((id) => again.get(id) !== null)).toEqual([
      ...[false, false, false, true],
    ])
    await expect(index.upsert([item(25)])).rejects.toThrow(/was closed/)
  })

  test('of a change that failed goes on with the next', async () => {
    const { file } = await open()
    const index = await ItemIndex.open(file)
    const other = await ItemIndex.open(file)
    await other.upsert([item(40)])
    const failed = index.upsert([item(41)])
    await expect(failed).rejects.toThrow(/is writing it/)
    await other.close()
    await expect(index.remove(['item 1'])).rejects.toThrow(/changed by another/)
  })

  test('of a file that was replaced since counts for nothing', async () => {
    const { file } = await open()
    const log = readFileSync(`${file}.log`)
    await (await ItemIndex.of(items(2), dot)).save(file)
    writeFileSync(`${file}.log`, log)
    expect((await ItemIndex.open(file)).size).toBe(2)
  })

  test('has one writer', async () => {
    const { file } = await open()
    const [one, other] = [await ItemIndex.open(file), await ItemIndex.open(file)]
    await one.upsert([item(13)])
    await expect(other.upsert([item(14)])).rejects.toThrow(/is writing it/)
    await one.close()
    await expect(one.upsert([item(14)])).rejects.toThrow(/was closed/)
    await expect(other.upsert([item(14)])).rejects.toThrow(/changed by another/)
    const third = await ItemIndex.open(file)
    await third.compact()
    await third.close()
    await expect(other.remove(['item 1'])).rejects.toThrow(/changed by another/)
    expect((await ItemIndex.open(file)).get('item 13')).toEqual(item(13))
  })

  test('is not taken away from who writes it', async () => {
    const { file } = await open()
    const one = await ItemIndex.open(file)
    await one.upsert([item(13)])
    const anew = await ItemIndex.of(items(2), dot)
    await expect(anew.save(file)).rejects.toThrow(/is writing it.*is not written, what was there before is as it was/)
    await one.upsert([item(14)])
    // Its own file is compacted, and the log goes on.
    await one.save(file)
    await one.upsert([item(15)])
    await one.close()
    expect([...(await ItemIndex.open(file)).datapoints()]).toEqual([...one.datapoints()])
    await anew.save(file)
    expect((await ItemIndex.open(file)).size).toBe(2)
    expect(existsSync(`${file}.lock`)).toBe(false)
  })

  test.runIf(existsSync('/proc/self/stat')).each([
    ['a process that is gone', '999999999 5'],
    ['a process whose number another has since', `${process.pid} 5`],
    ['a process that was killed before it wrote its number', ''],
  ])('is taken over from %s', async (_, holder) => {
    const { file } = await open()
    writeFileSync(`${file}.lock`, holder)
    const index = await ItemIndex.open(file)
    await index.upsert([item(20)])
    await index.close()
    expect(existsSync(`${file}.lock`)).toBe(false)
    expect((await ItemIndex.open(file)).get('item 20')).toEqual(item(20))
  })
})
