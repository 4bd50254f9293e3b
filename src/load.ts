import { definitionIn, type OpenBundle, openBundle, placeBundle } from './bundle.ts'
import { bindingsFor } from './engine/bindings.ts'
import { xxh32By } from './engine/checksum.ts'
import { Engine } from './engine/engine.ts'
import type { Memory } from './engine/memory.ts'
import { Model } from './engine/model.ts'
import { compileKernels, type KernelChoice } from './engine/variants.ts'
import { CorruptModelError } from './errors.ts'
import {
  functionsOf,
  type Graph,
  type ModelDefinition,
  type Node,
  type OpTable,
  type SimilarityChoice,
  withSimilarity,
} from './graph/index.ts'
import { loadOpsOf } from './ops/index.ts'
import type { Folder } from './platform/folder.ts'
import { type FetchOptions, type FolderSource, folderAt } from './platform/open.ts'
import type { Resident } from './resident.ts'
import { MANIFEST, readManifest } from './weights/index.ts'

export interface LoadOptions extends KernelChoice, FetchOptions {
  /** The meta graph of a SavedModel by its tags; by default the one for serving. */
  readonly tags?: readonly string[]
  /** How embeddings are compared, where the model does not say it or says it wrongly: a metric, or one with a scale, a bias and a logistic. */
  readonly similarity?: SimilarityChoice
  /** What runs the numeric part: our kernels, or tfjs-wasm as an independent reference (an optional package). */
  readonly backend?: 'kernels' | 'tfjs'
  /** The kernels, compiled, where the runtime forbids compiling: `import wasm from 'twotower/kernels.wasm'`. */
  readonly wasm?: WebAssembly.Module
}

/** A bundle whose files are in memory already. */
export interface BundleBytes {
  /** manifest.json: its text, its bytes, or what JSON.parse made of it. */
  readonly manifest: string | Uint8Array | ArrayBuffer | object
  readonly weights: Uint8Array | ArrayBuffer
  /** As the option of this name. */
  readonly wasm?: WebAssembly.Module
}

/**
 * Loads a model: a converted bundle, or a SavedModel, which is converted on the way.
 * @param source a path, an address, the files of a folder, or a bundle's bytes
 * @throws {CorruptModelError} where a file is damaged; the message names it
 * @throws {RangeError} where there is no model, or no such similarity or backend
 * @throws {UnsupportedOpError} as `convert`, of a SavedModel
 */
export async function load(source: FolderSource | BundleBytes, options: LoadOptions & Watching = {}): Promise<Model> {
  const bytes = typeof source === 'object' && source !== null && 'manifest' in source ? source : null
  // Compiled while the files are read.
  const given = options.wasm ?? bytes?.wasm
  const [found, kernels] = await Promise.all([
    bytes === null ? foundAt(source as FolderSource, options) : fromBytes(bytes),
    given ?? compileKernels(options, 'core'),
  ])
  const { definition: read, memory } =
    'manifest' in found
      ? { definition: await definitionIn(found, xxh32By(kernels, found.memory)), memory: found.memory }
      : await moved(found, options)
  const { similarity } = options
  const definition = similarity === undefined ? read : { ...read, towers: withSimilarity(read.towers, similarity) }
  return modelOf(definition, { ...options, wasm: given, memory })
}

/** A SavedModel, its layers where kernels read them. */
async function moved(folder: Folder, options: LoadOptions): Promise<Resident> {
  const { resident } = await import('./resident.ts')
  return resident(await defined(folder, options))
}

export interface Watching {
  /** Puts other ops in the place of the model's, for example such as take notes. */
  readonly watch?: (ops: OpTable, definition: ModelDefinition) => OpTable
}

export interface ModelOptions extends Omit<LoadOptions, 'tags' | 'similarity' | 'wasm'>, Watching {
  readonly wasm?: WebAssembly.Module | undefined
  /** The kernels' memory where some of the weights lie in it already. */
  readonly memory?: Memory | undefined
}

/** A model that is in memory already, ready to run. */
export async function modelOf(definition: ModelDefinition, options: ModelOptions = {}): Promise<Model> {
  const nodes = nodesOf(definition)
  const [known, bindings] = await Promise.all([loadOpsOf(nodes), bindingsFor(new Set(nodes.map(({ op }) => op)))])
  const module = options.wasm ?? (await compileKernels(options, bindings.length === 0 ? 'core' : 'all'))
  const ops = options.watch?.(known, definition) ?? known
  const { backend = 'kernels' } = options
  const instead = backend === 'kernels' ? undefined : await (await import('./reference/tfjs.ts')).opsOn(backend, ops)
  const engine = new Engine(definition, ops, module, {
    instead,
    memory: options.memory,
    bindings,
    deterministic: options.deterministic ?? false,
  })
  // What takes numbers alone has little beside layers; others have plans once they are called again and again.
  if (definition.signatures.every(({ inputs }) => inputs.every(({ dtype }) => dtype === 'float32')))
    await engine.loadPlanner()
  if (definition.preprocess === undefined) return new Model(definition, engine)
  const { Preprocessor } = await import('./preprocess/index.ts')
  return new Model(definition, engine, new Preprocessor(definition.preprocess))
}

function fromBytes({ manifest, weights }: BundleBytes): OpenBundle {
  const isBinary = manifest instanceof Uint8Array || manifest instanceof ArrayBuffer
  const text =
    typeof manifest === 'string' ? manifest : isBinary ? new TextDecoder().decode(manifest) : JSON.stringify(manifest)
  return placeBundle(readManifest(text), weights instanceof Uint8Array ? weights : new Uint8Array(weights))
}

/** The files of the bundle at `source`, or where it is none the folder of a SavedModel. */
async function foundAt(source: FolderSource, options: FetchOptions): Promise<OpenBundle | Folder> {
  const folder = await folderAt(source, options)
  return (await openBundle(folder)) ?? folder
}

async function defined(folder: Folder, { tags }: LoadOptions): Promise<ModelDefinition> {
  const { define } = await import('./define.ts')
  return define(folder, tags === undefined ? {} : { tags })
}

/**
 * The model in a bundle's folder.
 * @throws {CorruptModelError} where a file of it is missing or damaged
 */
export async function readBundle(folder: Folder): Promise<ModelDefinition> {
  const bundle = await openBundle(folder)
  if (bundle === null) throw new CorruptModelError(MANIFEST, 'is missing')
  return definitionIn(bundle)
}

/** The model in a folder, a bundle's or a SavedModel's; a bundle has no tags to choose from. @throws as `load` does */
export async function readModel(folder: Folder, options: Pick<LoadOptions, 'tags'> = {}): Promise<ModelDefinition> {
  const bundle = await openBundle(folder)
  return bundle === null ? defined(folder, options) : definitionIn(bundle)
}

/** The nodes of a model's graphs, those of their functions included. */
function nodesOf(definition: ModelDefinition): Node[] {
  const found: Node[] = []
  const visit = (graph: Graph): void => {
    for (const node of graph.nodes) {
      found.push(node)
      for (const inner of functionsOf(node)) visit(inner)
    }
  }
  for (const { graph } of definition.signatures) visit(graph)
  return found
}
