import { afterEach, expect, test, vi } from 'vitest'
import { bytesOfHex } from '../../../src/platform/hex.ts'

afterEach(() => vi.unstubAllGlobals())

const every = Uint8Array.from({ length: 256 }, (_, i) => i)
const digits = Array.from(every, (byte) => byte.toString(16).padStart(2, '0')).join('')

test('every byte is read from its digits, in Node', () => {
  expect(bytesOfHex(digits)).toEqual(every)
  expect(bytesOfHex('')).toEqual(new Uint8Array(0))
})

test('and where there is nothing of Node', () => {
  vi.stubGlobal('process', undefined)
  expect(bytesOfHex(digits)).toEqual(every)
  expect(bytesOfHex('')).toEqual(new Uint8Array(0))
})
