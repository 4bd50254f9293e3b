import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CSV } from '../../../src/exchange/vectorsearch.ts'
import { items, meant, readAll, written } from './files.ts'

describe('CSV of Vector Search', () => {
  test('is read as its page on filtering has it', async () => {
    const text = '6,7,-8.1,crowding_tag=test,color=red,color=blue,color=!purple,#size=3i,#ratio=0.1f,#weight=0.3d\n'
    expect(await readAll('items.csv', text)).toEqual([
      {
        id: '6',
        embedding: Float32Array.of(7, -8.1),
        restricts: [{ namespace: 'color', allow: ['red', 'blue'], deny: ['purple'] }],
        numericRestricts: [
          { namespace: 'size', type: 'int', value: 3n },
          { namespace: 'ratio', type: 'float', value: 0.1 },
          { namespace: 'weight', type: 'double', value: 0.3 },
        ],
        crowdingTag: 'test',
      },
    ])
  })

  test("takes numbers as Java's parser does, quotes, empty lines and a last line without an end", async () => {
    const text = '\uFEFFa,1.5f,-.5,+1e-3,2.D\r\n\n"b, c",1,2,3,4,"x=a""b, c"\n\n"d\ne",1,2,3,4'
    expect((await readAll('items.csv', text, {}, 3)).map(meant)).toEqual(
      [
        { id: 'a', embedding: Float32Array.of(1.5, -0.5, 1e-3, 2) },
        { id: 'b, c', embedding: Float32Array.of(1, 2, 3, 4), restricts: [{ namespace: 'x', allow: ['a"b, c'] }] },
        { id: 'd\ne', embedding: Float32Array.of(1, 2, 3, 4) },
      ].map(meant),
    )
  })

  test('comes back as it was', async () => {
    const fits = items({
      namespace: (text) => !/^#|=/.test(text),
      token: (text) => !text.startsWith('!'),
      numeric: (text) => !text.includes('='),
    })
    await fc.assert(
      fc.asyncProperty(fits, async (all) => {
        const [bytes] = await written(CSV, all)
        expect((await readAll('items.csv', bytes, {}, 13)).map(meant)).toEqual(all.map(meant))
      }),
    )
  })

  test.each([
    ['1,0.5,abc', 'cell 3 must be a finite number of the embedding or NAME=VALUE, got "abc"'],
    ['1,0.5,', 'cell 3 must be a finite number of the embedding or NAME=VALUE, got ""'],
    ['1,0.5,NaN', 'cell 3 must be a finite number'],
    ['1,0.5,1e39', 'number 1 of the embedding is Infinity'],
    ['1', 'the embedding has no numbers'],
    [',0.5', 'must begin with an id'],
    ['1,color=red,0.5', 'the embedding has no numbers'],
    ['1,0.5,color=red,0.5', 'cell 4, "0.5", must be NAME=VALUE'],
    ['1,0.5,color', 'got "color"'],
    ['1,0.5,=red', 'cell 3, "=red", must name its namespace'],
    ['1,0.5,#size=3', "must end in its number's type: i for an int"],
    ['1,0.5,#size=i', 'must have a number of the type int'],
    ['1,0.5,#size=3.5i', 'must have a number of the type int'],
    ['1,0.5,#size=9223372036854775808i', 'must be a 64-bit integer'],
    ['1,0.5,#size=NaNf', 'must have a number of the type float'],
    ['1,0.5,#=1i', 'must name its namespace'],
    ['1,0.5,#size=1i,#size=2i', 'is a second number in its namespace'],
    ['1,0.5,crowding_tag=a,crowding_tag=b', 'is a second crowding_tag'],
    ['1,0.5,40:0.1', 'of a sparse embedding, which is not searched here'],
    ['1,0.5,"color=red', 'Quote Not Closed'],
  ])('%s is refused', async (row, problem) => {
    await expect(readAll('items.csv', `0,1\n${row}`)).rejects.toThrow(problem)
    await expect(readAll('items.csv', `0,1\n${row}`)).rejects.toThrow(/^items\.csv:2: /)
  })

  test.each([
    [{ restricts: [{ namespace: 'a=b', allow: ['c'] }] }, 'CSV cannot hold the namespace "a=b"'],
    [{ restricts: [{ namespace: '#a', allow: ['c'] }] }, 'CSV cannot hold the namespace "#a"'],
    [{ restricts: [{ namespace: 'crowding_tag', allow: ['c'] }] }, 'CSV cannot hold the namespace "crowding_tag"'],
    [{ restricts: [{ namespace: 'a', allow: ['!c'] }] }, 'CSV cannot allow the token "!c"'],
    [{ numericRestricts: [{ namespace: 'a=', type: 'int', value: 1n }] }, 'CSV cannot hold the namespace "a="'],
    [{ numericRestricts: [{ namespace: 'a', type: 'float', value: -Infinity }] }, 'is -Infinity'],
  ] as const)('%o is not written', async (attributes, problem) => {
    await expect(written(CSV, [{ id: '1', embedding: Float32Array.of(1), ...attributes }])).rejects.toThrow(problem)
  })
})
