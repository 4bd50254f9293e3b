import { describe, expect, test } from 'vitest'
import { adviceOn } from '../../../src/check/advice.ts'
import { isMissing } from '../../../src/check/missing.ts'
import { Attrs } from '../../../src/graph/index.ts'
import { namesIn, opOf } from '../../../src/import/complex.ts'

test('the names of an export are those of its ops, and of complex ones where it has any complex type', () => {
  const of = (type: number) => {
    const library = { function: [{ nodeDef: [{ op: 'Mul', attr: { T: { type } } }] }] }
    return [...namesIn([{ graphDef: { node: [{ op: 'PartitionedCall' }], library } }])]
  }
  expect(of(1)).toEqual(['PartitionedCall', 'Mul'])
  for (const type of [8, 18]) expect(of(type)).toContain('complex>Mul')
})

describe('an op whose tensors are complex', () => {
  test('is an entry of its own', () => {
    expect(opOf('Mul', new Attrs({ T: 'complex64' }))).toBe('complex>Mul')
    expect(opOf('Cast', new Attrs({ SrcT: 'float32', DstT: 'complex128' }))).toBe('complex>Cast')
    expect(opOf('Mul', new Attrs({ T: 'float32' }))).toBe('Mul')
  })

  test('is the same where it carries, lists or transforms them', () => {
    expect(opOf('While', new Attrs({ T: ['int32', 'complex64'] }))).toBe('While')
    expect(opOf('TensorListStack', new Attrs({ element_dtype: 'complex64' }))).toBe('TensorListStack')
    expect(opOf('RFFT', new Attrs({ Treal: 'float32', Tcomplex: 'complex64' }))).toBe('RFFT')
  })

  test('is missing where none knows them, by a name that says why', () => {
    for (const [op, attrs] of [
      ['MatrixInverse', { T: 'complex64' }],
      ['TensorArrayV3', { dtype: 'complex64' }],
      ['Bitcast', { T: 'complex64', type: 'float32' }],
      ['ParallelMapDataset', { output_types: ['int64', 'complex64'] }],
    ] as const) {
      expect(isMissing(op)).toBe(false)
      const name = opOf(op, new Attrs(attrs))
      expect(name).toBe(`${op} of complex64`)
      expect(isMissing(name)).toBe(true)
      expect(adviceOn(name)).toMatchObject({ kind: 'op on complex numbers' })
    }
  })
})
