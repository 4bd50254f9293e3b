import { xxh32 } from './checksum/xxh32.ts'
import type { DefineOptions, ModelSource } from './define.ts'
import { graphsOf, residentsOf } from './engine/residents.ts'
import type { ModelDefinition } from './graph/index.ts'
import { concatBytes } from './tensor/index.ts'
import { GENERATOR } from './version.ts'
import { MANIFEST, WEIGHTS } from './weights/format.ts'
import type { Flat } from './weights/writer.ts'

export type ConvertOptions = DefineOptions

/** A converted model in the flat format, in memory. */
export class Bundle {
  readonly definition: ModelDefinition
  private readonly flat: Flat

  private constructor(definition: ModelDefinition, flat: Flat) {
    this.definition = definition
    this.flat = flat
  }

  /** A model in memory, flattened. What flattens is loaded for it: an application that only runs bundles leaves it out. */
  static async of(definition: ModelDefinition): Promise<Bundle> {
    const { flatten } = await import('./weights/writer.ts')
    return new Bundle(definition, flatten(definition, GENERATOR, residentsOf(graphsOf(definition))))
  }

  /** manifest.json as text, which begins with the checksum of what follows. */
  get manifest(): string {
    const rest = `${JSON.stringify(this.flat.manifest, null, 1).slice(1)}\n`
    return `{\n "xxh32": ${xxh32().add(new TextEncoder().encode(rest)).value},${rest}`
  }

  /** How large weights.bin is. */
  get byteLength(): number {
    return this.flat.manifest.weights.byteLength
  }

  /** weights.bin as one array of bytes. */
  get weights(): Uint8Array {
    return concatBytes(this.flat.pieces)
  }

  /**
   * Writes the bundle as a folder, all of it or nothing. A bundle that is there already is replaced.
   * @throws {RangeError} where `path` holds something else
   */
  async save(path: string): Promise<void> {
    const { writeFolder } = await import('./platform/nodewrite.ts')
    const files = [
      { name: MANIFEST, pieces: [new TextEncoder().encode(this.manifest)] },
      { name: WEIGHTS, pieces: this.flat.pieces },
    ]
    await writeFolder(path, files, (names) => names.includes(MANIFEST))
  }
}

/**
 * Converts a SavedModel, or a pair of them (`{ query, candidate }`), to the flat format.
 * @throws {CorruptModelError} where a file is damaged
 * @throws {RangeError} where there is no model, or where tags, towers or signatures that the options name are not there
 * @throws {UnsupportedOpError} where the graph has a loop, or its tables an initialiser, that cannot be run; any other op that
 * twotower lacks is refused when a signature that needs it is run
 */
export async function convert(source: ModelSource, options: ConvertOptions = {}): Promise<Bundle> {
  const { define } = await import('./define.ts')
  return Bundle.of(await define(source, options))
}
