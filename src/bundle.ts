import type { Checksum } from './checksum/xxh32.ts'
import { FIRST_ARENA, Memory } from './engine/memory.ts'
import { CorruptModelError } from './errors.ts'
import type { ModelDefinition } from './graph/index.ts'
import { type Folder, fill, readFile } from './platform/folder.ts'
import { linearOf, MANIFEST, type Manifest, readManifest, unflatten, WEIGHTS } from './weights/index.ts'

/** A bundle that is in memory: each array once, where it is read. */
export interface OpenBundle {
  readonly manifest: Manifest
  /** The kernels' memory, for the engine to go on with: the first bytes of weights.bin are in it. */
  readonly memory: Memory
  /** The bytes of weights.bin after those. */
  readonly rest: Uint8Array
}

/**
 * The bundle in `folder`, or null where there is none.
 * @param shared whether other threads are to read the same weights
 * @throws {CorruptModelError} where a file of it is missing or damaged
 */
export async function openBundle(folder: Folder, shared = false): Promise<OpenBundle | null> {
  // Both at once: a folder may be far away.
  const [text, source] = await Promise.all([readFile(folder, MANIFEST), folder.open(WEIGHTS)])
  try {
    if (text === null) return null
    if (source === null) throw new CorruptModelError(WEIGHTS, `is missing beside ${MANIFEST}`)
    const bundle = roomFor(readManifest(new TextDecoder().decode(text)), source.byteLength, shared)
    const { memory, rest } = bundle
    const linear = source.byteLength - rest.length
    await fill(source, 0, memory.weights(0, linear))
    await fill(source, linear, rest)
    return bundle
  } finally {
    await source?.close?.()
  }
}

/**
 * Memory for a bundle, to be filled.
 * @param byteLength of its weights.bin
 */
export function roomFor(manifest: Manifest, byteLength: number, shared: boolean): OpenBundle {
  const linear = linearOf(manifest, byteLength)
  const others = byteLength - linear
  return {
    manifest,
    memory: new Memory(FIRST_ARENA, { weights: linear, shared }),
    rest: shared ? new Uint8Array(new SharedArrayBuffer(others)) : new Uint8Array(others),
  }
}

/** A bundle whose files are in memory already: what kernels read is copied. */
export function placeBundle(manifest: Manifest, bytes: Uint8Array): OpenBundle {
  const linear = linearOf(manifest, bytes.length)
  const memory = new Memory(FIRST_ARENA, { weights: linear })
  memory.weights(0, linear).set(bytes.subarray(0, linear))
  // Arrays are views, and a view of 64-bit elements must start at a multiple of 8.
  return { manifest, memory, rest: bytes.byteOffset % 8 === 0 ? bytes.subarray(linear) : bytes.slice(linear) }
}

/**
 * The model in a bundle, whose arrays stay where they are.
 * @param checksum as `unflatten` takes it
 * @throws {CorruptModelError} where the bundle is damaged
 */
export function definitionIn(
  { manifest, memory, rest }: OpenBundle,
  checksum?: Checksum | null,
): Promise<ModelDefinition> {
  const { byteLength } = manifest.weights
  const linear = byteLength - rest.length
  const weights = {
    byteLength,
    linear,
    get growths() {
      return memory.growths
    },
    view: (start: number, end: number) =>
      start < linear ? memory.weights(start, end) : rest.subarray(start - linear, end - linear),
  }
  return unflatten(manifest, weights, checksum)
}
