import type { Checksum } from '../../checksum/xxh32.ts'
import { GENERATOR } from '../../version.ts'
import {
  aligned,
  dtypeOf,
  FORMAT,
  type IndexHead,
  type IndexManifest,
  MAGIC,
  PREFIX,
  type SectionRecord,
  type Sections,
  VERSION,
} from './format.ts'

/** An index as the bytes of its file, piece by piece; sections are not copied. */
export interface Written {
  readonly manifest: IndexManifest
  readonly pieces: readonly Uint8Array[]
}

/** Lays an index out as a file. */
export function writeIndex(head: IndexHead, sections: Sections, generation: string, checksum: Checksum): Written {
  const records: SectionRecord[] = []
  const pieces: Uint8Array[] = []
  let end = 0
  for (const [name, array] of Object.entries(sections)) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    const offset = aligned(end)
    if (offset > end) pieces.push(new Uint8Array(offset - end))
    pieces.push(bytes)
    end = offset + bytes.length
    const { length, byteLength } = array
    records.push({ name, dtype: dtypeOf(array), length, offset, byteLength, xxh32: checksum().add(bytes).value })
  }
  const manifest: IndexManifest = {
    format: FORMAT,
    version: VERSION,
    generator: GENERATOR,
    generation,
    ...head,
    sections: records,
  }
  const text = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)
  const first = new Uint8Array(aligned(PREFIX + text.length))
  const view = new DataView(first.buffer)
  first.set(MAGIC)
  view.setUint32(MAGIC.length, text.length, true)
  view.setUint32(MAGIC.length + 4, checksum().add(text).value, true)
  first.set(text, PREFIX)
  return { manifest, pieces: [first, ...pieces] }
}
