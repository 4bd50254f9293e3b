import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvEnds, csvHeader, readCsv } from '../../../src/embed/input/csv.ts'
import { cutRows } from '../../../src/embed/input/cut.ts'
import type { Port } from '../../../src/graph/index.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const bytes = (text: string): Uint8Array => encoder.encode(text)

/** RFC 4180: in quotes, quotes doubled. */
const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`

const PORTS: readonly Port[] = [
  { name: 'title', dtype: 'string', shape: [null] },
  { name: 'year', dtype: 'int64', shape: [null] },
  { name: 'score', dtype: 'float32', shape: [null, 1] },
  { name: 'seen', dtype: 'bool', shape: [null] },
  { name: 'taste', dtype: 'float32', shape: [null, 4] },
]

const read = (text: string, header: readonly string[], first = 2) => readCsv(bytes(text), first, header, ',', PORTS)

describe('CSV', () => {
  test('is cut between rows, whatever a cell in quotes holds and wherever blocks end', async () => {
    const cell = fc.oneof(fc.stringMatching(/^[a",\r\n ]{0,6}$/).map(quoted), fc.constantFrom('', 'plain', '5" disk'))
    const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 4 }), fc.constantFrom('\n', '\r\n'), async (made, size, end) => {
        const lines = made.map((row) => row.join(',') + end)
        const whole = bytes(lines.join(''))
        const blocks = async function* () {
          for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
        }
        const cuts: string[] = []
        for await (const cut of cutRows(blocks(), csvEnds(','), () => 1)) cuts.push(decoder.decode(cut.bytes))
        expect(cuts).toEqual(lines)
      }),
    )
  })

  test('gives back what was written in quotes, each row with the number of its first line', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 8 })
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 }), (made) => {
        const lines = made.map((row) => row.map(quoted).join(','))
        const found = read(lines.join('\n'), ['id', 'title'])
        expect(found.map((row) => row.json())).toEqual(made.map(([id, title]) => ({ id, title })))
        let line = 2
        for (const [i, text] of lines.entries()) {
          expect(found[i].number).toBe(line)
          line += text.split('\n').length
        }
      }),
    )
  })

  test('turns a cell into what its feature is; an empty one is no value, but of text', () => {
    const header = ['id', 'title', 'year', 'score', 'seen', 'taste']
    const [full, empty, big] = read(
      '7,Key Largo,1948, 7.9 ,TRUE,"[1, 2, 3, 4]"\n,,,,,\n8,x,9007199254740993,nan,0,',
      header,
    )
    expect(full.json()).toEqual({
      id: '7',
      title: 'Key Largo',
      year: 1948,
      score: 7.9,
      seen: true,
      taste: [1, 2, 3, 4],
    })
    expect(empty.json()).toEqual({ id: '', title: '' })
    expect(big.json()).toEqual({ id: '8', title: 'x', year: 9007199254740993n, score: Number.NaN, seen: false })
  })

  test('turns the lists of a row, which are no features, into lists too', () => {
    const rows = read('a,"[1, NaN]","[{""namespace"": ""genre"", ""allow"": [""noir""]}]"\nb,,none\n[1],[2],\n', [
      'id',
      'embedding',
      'restricts',
    ])
    expect(rows.map(({ json }) => json())).toEqual([
      { id: 'a', embedding: [1, Number.NaN], restricts: [{ namespace: 'genre', allow: ['noir'] }] },
      { id: 'b', restricts: 'none' },
      { id: '[1]', embedding: [2] },
    ])
  })

  test('spoils no other row where one is wrong', () => {
    const rows = read('1,old\n2,1948,more\n\n3,1950\n"4"x,1951\n"5,1952', ['id', 'year'], 10)
    expect(rows.map(({ number }) => number)).toEqual([10, 11, 13, 14, 15])
    expect(rows[0].json).toThrow('feature "year" must be a number, got "old"')
    expect(rows[1].json).toThrow('the row has 3 cells, the header has 2')
    expect(rows[2].json()).toEqual({ id: '3', year: 1950 })
    expect(rows[4].json).toThrow(/[Qq]uote/)
  })

  test('says which delimiters are wanted where a header is one cell with others in it', () => {
    expect(read('1;1948,5', ['id;year'])[0].json).toThrow(
      'the row has 2 cells, the header has 1, "id;year": cells stand between commas, or with --format tsv between tabs',
    )
    expect(read('1,1948', ['id'])[0].json).toThrow(/the header has 1$/)
  })

  test('begins with names, of which none stands twice', () => {
    expect(csvHeader(bytes('\uFEFFid,"the title"\r\n'), ',')).toEqual(['id', 'the title'])
    expect(csvHeader(bytes('id\ttitle, in full\n'), '\t')).toEqual(['id', 'title, in full'])
    expect(() => csvHeader(bytes('\n'), ',')).toThrow('begins with a line of column names')
    expect(() => csvHeader(bytes('id,id\n'), ',')).toThrow('the column "id" is there twice')
  })
})
