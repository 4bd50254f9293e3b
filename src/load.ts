import { compileKernels, Engine } from './engine/engine.ts'
import { Model } from './engine/model.ts'
import { CorruptModelError } from './errors.ts'
import { functionsOf, type Graph, type ModelDefinition } from './graph/index.ts'
import { loadOps } from './ops/index.ts'
import { type Folder, readAll, readFile } from './platform/folder.ts'
import { folderAt } from './platform/open.ts'
import { MANIFEST, readManifest, unflatten, WEIGHTS } from './weights/index.ts'

export interface LoadOptions {
  /** The meta graph of a SavedModel by its tags; by default the one for serving. */
  readonly tags?: readonly string[]
  /** What runs the numeric part: our kernels, or tfjs-wasm as an independent reference (an optional package). */
  readonly backend?: 'kernels' | 'tfjs'
  /** The kernels, compiled, where the runtime forbids compiling: `import wasm from 'twotower/kernels.wasm'`. */
  readonly wasm?: WebAssembly.Module
}

/** A bundle whose files are in memory already. */
export interface BundleBytes {
  /** manifest.json: its text, its bytes, or what JSON.parse made of it. */
  readonly manifest: string | Uint8Array | object
  readonly weights: Uint8Array | ArrayBuffer
}

/**
 * Loads a model: a converted bundle, or a SavedModel, which is converted on the way.
 * @param source a path, a folder of another kind, or a bundle's bytes
 * @throws {CorruptModelError} where a file is damaged; the message names it
 * @throws {RangeError} where there is no model
 */
export async function load(source: string | Folder | BundleBytes, options: LoadOptions = {}): Promise<Model> {
  const definition =
    typeof source === 'object' && 'manifest' in source
      ? fromBytes(source)
      : await fromFolder(await folderAt(source), options)
  const [ops, module] = await Promise.all([loadOps(opsOf(definition)), options.wasm ?? compileKernels()])
  if (options.backend !== 'tfjs') return new Model(definition, new Engine(definition, ops, module))
  const { withTfjs } = await import('./reference/tfjs.ts')
  return new Model(definition, new Engine(definition, ops, module, await withTfjs(ops)))
}

function fromBytes({ manifest, weights }: BundleBytes): ModelDefinition {
  const text =
    typeof manifest === 'string'
      ? manifest
      : manifest instanceof Uint8Array
        ? new TextDecoder().decode(manifest)
        : JSON.stringify(manifest)
  const bytes = weights instanceof Uint8Array ? weights : new Uint8Array(weights)
  // Arrays are views, and a view of 64-bit elements must start at a multiple of 8.
  return unflatten(readManifest(text), bytes.byteOffset % 8 === 0 ? bytes : bytes.slice())
}

async function fromFolder(folder: Folder, options: LoadOptions): Promise<ModelDefinition> {
  const manifest = await readFile(folder, MANIFEST)
  if (manifest === null) {
    const { define } = await import('./define.ts')
    return define(folder, options)
  }
  const file = await folder.open(WEIGHTS)
  if (file === null) throw new CorruptModelError(WEIGHTS, `is missing beside ${MANIFEST}`)
  try {
    return fromBytes({ manifest, weights: await readAll(file) })
  } finally {
    await file.close?.()
  }
}

/** The ops that a model's graphs need, those of their functions included. */
function opsOf(definition: ModelDefinition): Set<string> {
  const found = new Set<string>()
  const visit = (graph: Graph): void => {
    for (const node of graph.nodes) {
      found.add(node.op)
      for (const inner of functionsOf(node)) visit(inner)
    }
  }
  for (const { graph } of definition.signatures) visit(graph)
  return found
}
