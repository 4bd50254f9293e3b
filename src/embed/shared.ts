import { CorruptModelError } from '../errors.ts'
import type { ModelDefinition } from '../graph/index.ts'
import { type Folder, readFile } from '../platform/folder.ts'
import { GENERATOR } from '../version.ts'
import { MANIFEST, WEIGHTS } from '../weights/index.ts'

/** A model in the flat format whose weights lie in memory that threads share: there is one copy of tables and vocabularies. */
export interface SharedModel {
  /** manifest.json as text. */
  readonly manifest: string
  /** weights.bin, over a SharedArrayBuffer. */
  readonly weights: Uint8Array
}

/** How much is read at a time, so that reading takes little memory of its own. */
const CHUNK = 16 << 20

const shared = (byteLength: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(byteLength))

/** The bundle in `folder`, or null where there is none. @throws {CorruptModelError} where its weights are missing */
export async function sharedBundle(folder: Folder): Promise<SharedModel | null> {
  const manifest = await readFile(folder, MANIFEST)
  if (manifest === null) return null
  const source = await folder.open(WEIGHTS)
  if (source === null) throw new CorruptModelError(WEIGHTS, `is missing beside ${MANIFEST}`)
  try {
    const weights = shared(source.byteLength)
    for (let at = 0; at < weights.length; at += CHUNK)
      weights.set(await source.slice(at, Math.min(at + CHUNK, weights.length)), at)
    return { manifest: new TextDecoder().decode(manifest), weights }
  } finally {
    await source.close?.()
  }
}

/** `definition` laid out flat, in memory that is shared. */
export async function sharedDefinition(definition: ModelDefinition): Promise<SharedModel> {
  const { flatten } = await import('../weights/writer.ts')
  const { manifest, pieces } = flatten(definition, GENERATOR)
  const weights = shared(manifest.weights.byteLength)
  let at = 0
  for (const piece of pieces) {
    weights.set(piece, at)
    at += piece.length
  }
  return { manifest: JSON.stringify(manifest), weights }
}
