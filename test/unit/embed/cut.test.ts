import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Cut, cutRows, LINES } from '../../../src/embed/input/cut.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

async function cutsOf(blocks: readonly string[], most: () => number): Promise<Cut[]> {
  const source = async function* () {
    for (const block of blocks) yield encoder.encode(block)
  }
  const cuts: Cut[] = []
  for await (const cut of cutRows(source(), LINES, most)) cuts.push(cut)
  return cuts
}

describe('cutting lines', () => {
  test('ends each piece after as many lines, wherever the blocks end', async () => {
    const text = fc.stringMatching(/^[ab\n]{0,40}$/)
    const size = fc.integer({ min: 1, max: 5 })
    await fc.assert(
      fc.asyncProperty(text, size, size, async (whole, block, most) => {
        const blocks = whole.match(new RegExp(`[^]{1,${block}}`, 'g')) ?? []
        const cuts = await cutsOf(blocks, () => most)
        const texts = cuts.map(({ bytes }) => decoder.decode(bytes))
        expect(texts.join('')).toBe(whole)
        for (const [i, piece] of texts.entries()) {
          const isLast = i === texts.length - 1
          const ends = piece.split('\n').length - 1
          expect(cuts[i].rows).toBe(piece.endsWith('\n') ? ends : ends + 1)
          expect(cuts[i].rows).toBeLessThanOrEqual(most)
          if (!isLast) expect([cuts[i].rows, piece.endsWith('\n')]).toEqual([most, true])
        }
      }),
    )
  })

  test('asks anew for each piece how many lines it may have', async () => {
    const sizes = [2, 1, 3]
    const cuts = await cutsOf(['a\nb\nc\nd\ne\nf\n'], () => sizes.shift() ?? 9)
    expect(cuts.map(({ rows }) => rows)).toEqual([2, 1, 3])
  })

  test('ends a piece early where its lines are long, and keeps a line whole however long it is', async () => {
    const long = 'x'.repeat(5 << 20)
    const cuts = await cutsOf([`a\n${long}`, `${long}\nb\nc`], () => 100)
    expect(cuts.map(({ rows }) => rows)).toEqual([2, 2])
    expect(cuts[0].bytes.length).toBe(2 + 2 * long.length + 1)
  })

  test('gives bytes that may be given away: they are nobody else’s', async () => {
    for (const { bytes } of await cutsOf(['a\nb\n', 'c\n'], () => 1)) expect(bytes.buffer.byteLength).toBe(2)
  })
})
