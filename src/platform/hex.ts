import { builtin } from './builtin.ts'

/**
 * The bytes that hexadecimal digits write, lower case, two a byte. By Node's own decoder where there is one: a loop over
 * 90,000 digits, of code that is not optimized yet, takes 4 ms of a process's start.
 */
export function bytesOfHex(digits: string): Uint8Array<ArrayBuffer> {
  const node = builtin('node:buffer')
  if (node !== undefined) return Uint8Array.from(node.Buffer.from(digits, 'hex'))
  const bytes = new Uint8Array(digits.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (digitOf(digits.charCodeAt(2 * i)) << 4) | digitOf(digits.charCodeAt(2 * i + 1))
  }
  return bytes
}

/** 0–9 are the codes 48 to 57, a–f 97 to 102. */
const digitOf = (code: number): number => (code & 15) + 9 * (code >> 6)
