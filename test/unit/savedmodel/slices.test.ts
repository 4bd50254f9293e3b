import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eachRun, parseShapeAndSlice, sharedSize } from '../../../src/savedmodel/slices.ts'

test('a shape and a slice are parsed as RestoreV2 writes them', () => {
  expect(parseShapeAndSlice('10 4 0,5:-')).toEqual({
    shape: [10, 4],
    box: [
      { start: 0, length: 5 },
      { start: 0, length: 4 },
    ],
  })
})

test.each([
  '10',
  '10 4 0,5',
  '10 4 0,5:-:-',
  '10 4 6,5:-',
  '10 4 0,0:-',
  '10 4 -1,5:-',
  '10 x 0,5:-',
  '10  0,5',
  ' ',
  '10 5',
  '10 ,',
])('the spec "%s" is refused and quoted', (spec) => {
  expect(() => parseShapeAndSlice(spec)).toThrow(RangeError)
  expect(() => parseShapeAndSlice(spec)).toThrow(JSON.stringify(spec))
})

test('runs copy exactly the elements that two boxes share, and number them right', () => {
  const dimension = fc.record({
    size: fc.integer({ min: 1, max: 6 }),
    a: fc.nat(5),
    b: fc.nat(5),
    c: fc.nat(5),
    d: fc.nat(5),
  })
  const boxes = fc.array(dimension, { maxLength: 4 }).map((dims) => ({
    shape: dims.map(({ size }) => size),
    source: dims.map(({ size, a, b }) => spanOf(a % size, b % size)),
    target: dims.map(({ size, c, d }) => spanOf(c % size, d % size)),
  }))
  fc.assert(
    fc.property(boxes, ({ shape, source, target }) => {
      const inSource = indicesOf(source, shape)
      const inTarget = indicesOf(target, shape)
      const copied: string[] = []
      eachRun(source, target, (from, to, count) => {
        for (let i = 0; i < count; i++) {
          expect(inSource[from + i]).toBe(inTarget[to + i])
          copied.push(inSource[from + i])
        }
      })
      const shared = inSource.filter((index) => inTarget.includes(index))
      expect(copied.sort()).toEqual(shared.sort())
      expect(sharedSize(source, target)).toBe(shared.length)
    }),
  )
})

const spanOf = (a: number, b: number) => ({ start: Math.min(a, b), length: Math.abs(a - b) + 1 })

/** The index of each element of `box`, row-major, as text. */
function indicesOf(box: readonly { start: number; length: number }[], shape: readonly number[]): string[] {
  let indices = ['']
  for (const { start, length } of box) {
    indices = indices.flatMap((outer) => Array.from({ length }, (_, i) => `${outer},${start + i}`))
  }
  expect(box.length).toBe(shape.length)
  return indices
}
