import { leb, memoryImport } from './wasmformat.ts'

const IMPORT_SECTION = 2
const OWN = Uint8Array.from(memoryImport(1, false))
const SHARED = memoryImport(1, true)

/**
 * The module of `bytes` for a memory that threads share. Only the import differs (WebAssembly's binary format, "limits"): no
 * kernel is atomic, so that their code is the same.
 */
export function importingShared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < bytes.length; ) {
    const { value: size, next: start } = readLeb(bytes, at + 1)
    if (bytes[at] === IMPORT_SECTION) {
      const section = bytes.subarray(start, start + size)
      const place = indexOf(section, OWN)
      if (place < 0) break
      const [before, after] = [section.subarray(0, place), section.subarray(place + OWN.length)]
      const grown = [...before, ...SHARED, ...after]
      return Uint8Array.from([
        ...bytes.subarray(0, at + 1),
        ...leb(grown.length),
        ...grown,
        ...bytes.subarray(start + size),
      ])
    }
    at = start + size
  }
  throw new RangeError('the module imports no memory as kernels do')
}

function readLeb(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  const byte = bytes[at]
  if (byte < 128) return { value: byte, next: at + 1 }
  const { value, next } = readLeb(bytes, at + 1)
  return { value: (byte & 127) | (value << 7), next }
}

const indexOf = (bytes: Uint8Array, part: Uint8Array): number =>
  bytes.findIndex((_, i) => part.every((byte, j) => bytes[i + j] === byte))
