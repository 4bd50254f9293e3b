import { expect, test } from 'vitest'
import { together } from '../../../src/embed/unknown.ts'

test('lookups are counted together by feature', () => {
  const a = { title: { unknown: 1, all: 4 }, genre: { unknown: 0, all: 2 } }
  expect(together(a, { genre: { unknown: 2, all: 2 }, mpaa: { unknown: 1, all: 1 } })).toEqual({
    title: { unknown: 1, all: 4 },
    genre: { unknown: 2, all: 4 },
    mpaa: { unknown: 1, all: 1 },
  })
  expect(together(a, {})).toEqual(a)
})
