import { describe, expect, test } from 'vitest'
import { readLines } from '../../../src/embed/input/jsonl.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('lines of JSON', () => {
  test('are numbered with the empty ones, which are left out', () => {
    const lines = readLines(bytes('1\n\n \t\r\n2\r\n3'), 11)
    expect(lines.map(({ number, json }) => [number, json()])).toEqual([
      [11, 1],
      [14, 2],
      [15, 3],
    ])
  })

  test('end at line feeds only, and may begin with a byte order mark', () => {
    expect(readLines(bytes('\uFEFF"a\u2028b\u0085"\n"c"\n'), 1).map(({ json }) => json())).toEqual([
      'a\u2028b\u0085',
      'c',
    ])
  })

  test('spoil no other line where they are not UTF-8 or not JSON', () => {
    const lines = readLines(Uint8Array.of(...bytes('"é"\n"'), 0xff, ...bytes('"\n{\n"z"')), 1)
    expect(lines.map(({ number }) => number)).toEqual([1, 2, 3, 4])
    expect(lines[0].json()).toBe('é')
    expect(lines[1].json).toThrow(/^the line is not UTF-8/)
    expect(lines[2].json).toThrow(SyntaxError)
    expect(lines[3].json()).toBe('z')
  })
})
