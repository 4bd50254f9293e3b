import { definitionIn, type OpenBundle, roomFor } from '../bundle.ts'
import { FIRST_ARENA, Memory } from '../engine/memory.ts'
import { graphsOf, residentsOf } from '../engine/residents.ts'
import type { ModelDefinition } from '../graph/index.ts'
import { GENERATOR } from '../version.ts'
import type { Manifest } from '../weights/index.ts'
import type { Flat } from '../weights/writer.ts'

/** A bundle as a thread is sent it: layers, tables and vocabularies lie in memory that all of them share. */
export interface SharedModel {
  readonly manifest: Manifest
  readonly memory: WebAssembly.Memory
  readonly rest: Uint8Array
}

/** What to send of a bundle that was opened to be shared. */
export const sharedOf = ({ manifest, memory, rest }: OpenBundle): SharedModel => ({
  manifest,
  memory: memory.wasm,
  rest,
})

/** `definition` laid out flat; the arrays stay where they are. */
export async function flatDefinition(definition: ModelDefinition): Promise<Flat> {
  const { flatten } = await import('../weights/writer.ts')
  return flatten(definition, GENERATOR, residentsOf(graphsOf(definition)))
}

/** What was laid out flat, in memory that is shared. */
export function sharedFlat({ manifest, pieces }: Flat): SharedModel {
  const { byteLength } = manifest.weights
  const bundle = roomFor(manifest, byteLength, true)
  const linear = byteLength - bundle.rest.length
  let at = 0
  for (const piece of pieces) {
    if (at < linear) bundle.memory.weights(at, at + piece.length).set(piece)
    else bundle.rest.set(piece, at - linear)
    at += piece.length
  }
  return sharedOf(bundle)
}

/** The model that a thread was sent, whose sums were looked at where it was read; values are the thread's own. */
export async function definitionOf({ manifest, memory, rest }: SharedModel): Promise<{
  readonly definition: ModelDefinition
  readonly memory: Memory
}> {
  const own = new Memory(FIRST_ARENA, { beside: memory })
  return { definition: await definitionIn({ manifest, memory: own, rest }, null), memory: own }
}
