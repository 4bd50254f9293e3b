import { describe, expect, test } from 'vitest'
import { type Checkpoint, changes, FRESH, journalLine, readJournal } from '../../../src/embed/journal.ts'

const encoder = new TextEncoder()
const origin = { model: 'a', inputs: [{ file: 'x', bytes: 10, changed: 1.5 }] }
const checkpoint = (rows: number): Checkpoint => ({ ...FRESH, at: { ...FRESH.at, rows }, sizes: [100 * rows] })

describe('the journal of a run', () => {
  test('reads back what was written, whatever a kill left of its last line', () => {
    const text = journalLine(origin) + journalLine(checkpoint(1)) + journalLine(checkpoint(2))
    const torn = journalLine(checkpoint(3)).slice(0, -1)
    for (let end = 0; end <= torn.length; end++) {
      const journal = readJournal(encoder.encode(text + torn.slice(0, end)))
      expect(journal).toEqual({ origin, checkpoints: [checkpoint(1), checkpoint(2)], length: text.length })
    }
  })

  test('is none where not even its first line is whole', () => {
    const first = journalLine(origin)
    for (const text of ['', '{', first.slice(0, -1)]) expect(readJournal(encoder.encode(text))).toBe(null)
    expect(readJournal(encoder.encode(first))).toEqual({ origin, checkpoints: [], length: first.length })
    expect(() => readJournal(encoder.encode('a film\n'))).toThrow(SyntaxError)
    expect(() => readJournal(encoder.encode('[1]\n'))).toThrow(SyntaxError)
  })

  test('names what is another than before', () => {
    expect(changes(origin, { ...origin, inputs: [...origin.inputs] })).toEqual([])
    expect(changes(origin, { ...origin, model: 'b' })).toEqual(['model'])
    expect(changes(origin, { model: 'a', inputs: [], tower: 'query' })).toEqual(['inputs', 'tower'])
  })
})
