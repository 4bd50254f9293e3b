import { expect, test } from 'vitest'
import { parseUnsigned } from '../../../src/ops/numbertext.ts'

test('unsigned integers are read as TensorFlow 2.20 reads them, the first that does', () => {
  const read = (text: string) => [parseUnsigned(text, 32), parseUnsigned(text, 64)]
  expect(read('4294967295')).toEqual([4294967295n, 4294967295n])
  expect(read('4294967296')).toEqual([null, 4294967296n])
  expect(read('18446744073709551615')).toEqual([null, 18446744073709551615n])
  expect(read('18446744073709551616')).toEqual([null, null])
  expect(read(' 42 ')).toEqual([42n, 42n])
  expect(read('+5')).toEqual([5n, 5n])
  for (const none of ['', ' ', '-0', '-5', '1.5', '0x1f', '1_000']) expect(read(none), none).toEqual([null, null])
})
