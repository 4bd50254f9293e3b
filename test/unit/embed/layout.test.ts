import { describe, expect, test } from 'vitest'
import {
  batchPredictionLine,
  idOf,
  type Layout,
  plainLine,
  vectorSearchLine,
} from '../../../src/embed/output/layout.ts'
import { npyHeader } from '../../../src/embed/output/npy.ts'
import type { InputRow } from '../../../src/embed/row.ts'
import { Utf8Writer } from '../../../src/json/utf8.ts'

const line = (layout: Layout, row: InputRow): string => {
  const writer = new Utf8Writer()
  layout(writer, row, Float32Array.of(0.5, -1))
  return new TextDecoder().decode(writer.take())
}

describe('an answer', () => {
  test("has the row's own names first", () => {
    expect(line(plainLine, { name: { id: 9007199254740993n, key: 'é' } })).toBe(
      '{"id": 9007199254740993, "key": "é", "embedding": [0.5, -1]}\n',
    )
    expect(line(plainLine, { name: {} })).toBe('{"embedding": [0.5, -1]}\n')
  })

  test('for Vector Search has an id that is text, and what it filters by', () => {
    const restricts = [{ namespace: 'genre', allow: ['drama'] }]
    const json = {
      id: 7,
      title: 'x',
      restricts,
      crowding_tag: 'a',
      numeric_restricts: [{ namespace: 'y', value_int: 3 }],
    }
    expect(JSON.parse(line(vectorSearchLine, { name: { id: 7 }, json }))).toEqual({
      id: '7',
      embedding: [0.5, -1],
      restricts,
      numeric_restricts: [{ namespace: 'y', value_int: 3 }],
      crowding_tag: 'a',
    })
    expect(JSON.parse(line(vectorSearchLine, { name: { key: 'k' } }))).toEqual({ id: 'k', embedding: [0.5, -1] })
    expect(() => line(vectorSearchLine, { name: {} })).toThrow('the row has no "id", which Vector Search wants')
  })

  test('as a batch prediction has its instance as it came', () => {
    const json = { key: 'k', data: '{"a": 1}', n: 9007199254740993n }
    expect(line(batchPredictionLine, { name: {}, json })).toBe(
      '{"instance": {"key": "k", "data": "{\\"a\\": 1}", "n": 9007199254740993}, "prediction": [0.5, -1]}\n',
    )
  })
})

test('a row is called by its id, or its key, as text', () => {
  expect(
    [{ id: 'a', key: 'b' }, { key: 'b' }, { id: 9007199254740993n }, { id: 1.5 }, {}, { id: null }].map(idOf),
  ).toEqual(['a', 'b', '9007199254740993', '1.5', null, null])
})

test('the header of a .npy is of one width, a multiple of 64, for any number of rows', () => {
  for (const [rows, width] of [
    [0, 0],
    [1, 64],
    [2 ** 53 - 1, 2 ** 31],
  ]) {
    const header = npyHeader(rows, width)
    expect([header.length, header[127]]).toEqual([128, 10])
    expect(new DataView(header.buffer).getUint16(8, true)).toBe(118)
    expect(new TextDecoder('latin1').decode(header)).toMatch(
      new RegExp(
        `^\x93NUMPY\x01\\0v\\0{'descr': '<f4', 'fortran_order': False, 'shape': \\(${rows}, ${width}\\), } *\n$`,
      ),
    )
  }
})
