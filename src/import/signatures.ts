import { CorruptModelError } from '../errors.ts'
import {
  type Dim,
  type Files,
  type Graph,
  type OpTable,
  type Port,
  Program,
  type Resource,
  type Signature,
} from '../graph/index.ts'
import { prune } from '../graph/rewrite.ts'
import { decodeMessage, type SavedModel, shapeOf, tensorflow, tensorOf } from '../savedmodel/index.ts'
import { dtypeName } from '../tensor/datatypes.ts'
import { Strings, type Tensor, tensor } from '../tensor/index.ts'
import { bindVariables, changedBy, foldConstants, resourcesOf } from './bind.ts'
import { Builder, type Feeds } from './builder.ts'
import { collectedInitialisers, restoreCollected } from './collections.ts'
import { restoredFunctions } from './functions.ts'
import { restoreCaptured } from './objectkeys.ts'
import { onlyFor, restore } from './restore.ts'

type MetaGraph = tensorflow.MetaGraphDef.$Properties

const FILE = 'saved_model.pb'
/** SignatureDefs that the loader runs or that only describe training; they are no signatures to a user. */
const INTERNAL = new Set(['__saved_model_init_op', '__saved_model_train_op'])
const isPublic = (name: string): boolean => !INTERNAL.has(name)

export interface ImportOptions {
  /** The tags of the meta graph to import, for example ['serve']; by default the one with `serve`, or the only one. */
  readonly tags?: readonly string[]
  /** Import only these signatures, or restored functions. */
  readonly signatures?: readonly string[]
}

/**
 * The signatures of the meta graph that `tags` name. Without tags those of the one for serving, and of the export's other
 * meta graphs the signatures that it does not have.
 * @throws as `importMetaGraph` and `chooseMetaGraph` do, and RangeError for signatures that the export does not have
 */
export async function importSignatures(
  saved: SavedModel,
  ops: OpTable,
  options: ImportOptions = {},
): Promise<Signature[]> {
  const chosen = chooseMetaGraph(saved, options.tags)
  const wanted = options.signatures ?? null
  const signatures = await importMetaGraph(saved, chosen, ops, wanted)
  const others =
    options.tags === undefined ? saved.metaGraphs.filter((other) => other !== chosen && !trains(other)) : []
  for (const other of others) {
    const known = new Set(signatures.map(({ name }) => name))
    const names = Object.keys(other.signatureDef ?? {}).filter(
      (name) => !known.has(name) && (wanted?.includes(name) ?? true),
    )
    if (names.length > 0) signatures.push(...(await importMetaGraph(saved, other, ops, names)))
  }
  if (wanted === null) return signatures
  const absent = wanted.find((name) => !signatures.some((signature) => signature.name === name))
  if (absent === undefined) return signatures.filter(({ name }) => wanted.includes(name))
  const named = [chosen, ...others].flatMap(({ signatureDef }) => Object.keys(signatureDef ?? {})).filter(isPublic)
  const known = new Set([...named, ...signatures.map(({ name }) => name)])
  const list = [...known].map((name) => JSON.stringify(name)).join(', ') || 'none'
  throw new RangeError(`${saved.folder.name} has no signature ${JSON.stringify(absent)} to import; it has ${list}`)
}

const trains = ({ metaInfoDef }: MetaGraph): boolean => metaInfoDef?.tags?.some((tag) => TRAINING.test(tag)) ?? false

/** Tags of meta graphs that are not for inference. */
const TRAINING = /^(train|eval)/i

/**
 * All signatures of one meta graph as typed graphs: functions inlined, variables bound, tables filled by the export's
 * own initialisers, constants folded. An export without signatures has its root object's functions instead.
 *
 * @param wanted only these of its signatures; null for all
 * @throws {CorruptModelError} where the graph contradicts itself or the checkpoint
 */
async function importMetaGraph(
  saved: SavedModel,
  meta: MetaGraph,
  ops: OpTable,
  wanted: readonly string[] | null,
): Promise<Signature[]> {
  const builder = new Builder(meta.graphDef ?? {}, ops, { shareByName: meta.objectGraphDef == null })
  const { files, feeds: assets } = await readAssets(saved, meta)

  const named = Object.entries(meta.signatureDef ?? {}).filter(([name]) => isPublic(name))
  const drafts = named
    .filter(([name]) => wanted?.includes(name) ?? true)
    .map(([name, def]) => draft(name, def, builder, assets))
  const needed = new Set<Resource>()
  for (const { graph } of drafts) for (const resource of resourcesOf(graph)) needed.add(resource)

  const initialiser = initialiserOf(meta)
  const initialisers = initialiser === null ? collectedInitialisers(meta) : [initialiser]
  const start = initialisers.length === 0 ? null : initialiserFor(builder.build([], initialisers, assets), needed, ops)
  await restore(builder, meta.saverDef ?? null, saved.checkpoint, needed, ops)
  await restoreCollected(builder, meta, saved.checkpoint, needed)
  await restoreCaptured(builder, saved, meta, needed)
  if (start !== null) new Program(start, ops).run([], files)

  const restored = named.length > 0 ? [] : await restoredFunctions(saved, meta, builder, files, ops)
  const signatures = [...drafts, ...restored]
  const changed = new Set(signatures.flatMap(({ graph }) => [...changedBy(graph, ops)]))
  return signatures.map((signature) => ({
    ...signature,
    graph: prune(foldConstants(bindVariables(signature.graph, changed), ops), ops),
  }))
}

/** The part of the initialiser that `wanted` needs; what that part reads in turn is wanted too. */
function initialiserFor(whole: Graph, wanted: Set<Resource>, ops: OpTable): Graph {
  for (;;) {
    const before = wanted.size
    const graph = onlyFor(whole, wanted, ops)
    for (const resource of resourcesOf(graph)) wanted.add(resource)
    if (wanted.size === before) return graph
  }
}

/**
 * The meta graph with exactly `tags`; without tags the one for serving, the first that is not for training, or the only
 * one, as tf.saved_model.load takes it whatever its tags say.
 * @throws {RangeError} where there is none
 * @throws {TypeError} for tags that are no list
 */
export function chooseMetaGraph(saved: SavedModel, tags?: readonly string[]): MetaGraph {
  if (tags !== undefined && !Array.isArray(tags))
    throw new TypeError(`tags must be a list of strings, got ${JSON.stringify(tags)}`)
  const tagsOf = (meta: MetaGraph) => meta.metaInfoDef?.tags ?? []
  const listed = saved.metaGraphs.map((meta) => `[${tagsOf(meta).join(', ')}]`).join(', ')
  const same = (a: readonly string[], b: readonly string[]) =>
    a.length === b.length && a.every((tag) => b.includes(tag))
  const found =
    tags !== undefined
      ? saved.metaGraphs.find((meta) => same(tagsOf(meta), tags))
      : (saved.metaGraphs.find((meta) => same(tagsOf(meta), ['serve'])) ??
        saved.metaGraphs.find((meta) => tagsOf(meta).includes('serve')) ??
        saved.metaGraphs.find((meta) => !tagsOf(meta).some((tag) => TRAINING.test(tag))) ??
        (saved.metaGraphs.length === 1 ? saved.metaGraphs[0] : undefined))
  if (found !== undefined) return found
  const wanted = tags === undefined ? 'the tag "serve"' : `the tags [${tags.join(', ')}]`
  throw new RangeError(
    `${saved.folder.name} has no meta graph with ${wanted}; it has ${listed || 'none'}: choose one of these as tags`,
  )
}

/** The op that TensorFlow's loader runs after restoring (loader.cc, GetInitOp), or null. */
function initialiserOf(meta: MetaGraph): string | null {
  const signature = meta.signatureDef?.__saved_model_init_op?.outputs?.__saved_model_init_op?.name
  if (signature) return signature.replace(/:\d+$/, '')
  for (const key of ['saved_model_main_op', 'legacy_init_op']) {
    const name = meta.collectionDef?.[key]?.nodeList?.value?.[0]
    if (name) return name.replace(/:\d+$/, '')
  }
  return null
}

/**
 * The assets' bytes by the path that the graph will hold, and what to feed for that to be so. A missing one is no error
 * yet: TensorFlow's loader (loader_util.cc, GetAssetFileDefs) gives the graph its path and opens no file.
 */
async function readAssets(saved: SavedModel, meta: MetaGraph): Promise<{ files: Files; feeds: Feeds }> {
  const files = new Map<string, Uint8Array | CorruptModelError>()
  const feeds = new Map<string, { value: Tensor }>()
  for (const { filename, tensorInfo } of assetsOf(meta)) {
    const path = `assets/${filename ?? ''}`
    if (!files.has(path)) files.set(path, await saved.asset(filename ?? '').catch(missing))
    if (tensorInfo?.name) feeds.set(tensorInfo.name, { value: tensor('string', [], Strings.from([path])) })
  }
  return { files, feeds }
}

function missing(error: unknown): CorruptModelError {
  if (error instanceof CorruptModelError) return error
  throw error
}

/** TF1 exports keep their assets in a collection (loader_util.cc, GetAssetFileDefs). */
export function assetsOf(meta: MetaGraph): readonly tensorflow.AssetFileDef.$Properties[] {
  if (meta.assetFileDef?.length) return meta.assetFileDef
  const packed = meta.collectionDef?.saved_model_assets?.anyList?.value ?? []
  return packed.map(({ value }) =>
    decodeMessage(
      (bytes) => tensorflow.AssetFileDef.decode(bytes),
      value ?? new Uint8Array(0),
      FILE,
      'an asset of the collection saved_model_assets',
    ),
  )
}

/** A signature with its graph still reading variables. */
function draft(name: string, def: tensorflow.SignatureDef.$Properties, builder: Builder, assets: Feeds): Signature {
  const inputs = ports(def.inputs ?? {}, name)
  const outputs = ports(def.outputs ?? {}, name)
  // Ports are in the order of their names: of two for one tensor TensorFlow feeds the last, too.
  const feeds = [...assets, ...inputs.map(({ port, tensor }) => [tensor, { name: port.name }] as const)]
  const graph = builder.build(
    outputs.map((output) => output.tensor),
    [],
    feeds,
  )
  return {
    name,
    method: def.methodName ?? '',
    inputs: inputs.map(({ port, tensor }) =>
      withFallback(narrowed(port, builder.fedShape(tensor)), def.defaults ?? {}, () => builder.defaultOf(tensor)),
    ),
    outputs: outputs.map((output) => output.port),
    graph,
  }
}

/** The port with what the tensor behind it knows better: a signature may leave dimensions open that the graph does not. */
function narrowed(port: Port, known: readonly Dim[] | null): Port {
  if (known === null || (port.shape !== null && port.shape.length !== known.length)) return port
  return { ...port, shape: known.map((dim, i) => dim ?? port.shape?.[i] ?? null) }
}

/** The port with its default: the signature's, or the graph's own. Names are the export's, so one may be `constructor`. */
function withFallback(
  port: Port,
  defaults: Readonly<Record<string, tensorflow.TensorProto.$Properties>>,
  ofGraph: () => Tensor | null,
): Port {
  const fallback = Object.hasOwn(defaults, port.name) ? tensorOf(defaults[port.name]) : ofGraph()
  return fallback === null ? port : { ...port, fallback }
}

/** TypeSpecProto.RAGGED_TENSOR_SPEC */
const RAGGED = 3

/** A ragged tensor is its values and, from the outermost dimension to the innermost, its row splits. */
const raggedPart = (i: number): string => (i === 0 ? 'values' : i === 1 ? 'row_splits' : `row_splits_${i - 1}`)

/** The ends of a signature with the tensors they stand for; a sparse or ragged one is several dense ones. */
function ports(
  infos: Readonly<Record<string, tensorflow.TensorInfo.$Properties>>,
  signature: string,
): { port: Port; tensor: string }[] {
  const found: { port: Port; tensor: string }[] = []
  for (const [name, info] of Object.entries(infos)) {
    if (info.name) {
      const shape = shapeOf(info.tensorShape ?? { unknownRank: true })
      found.push({ port: { name, dtype: dtypeName(info.dtype ?? 0), shape }, tensor: info.name })
    } else if (info.cooSparse) {
      const dtype = dtypeName(info.dtype ?? 0)
      const { valuesTensorName, indicesTensorName, denseShapeTensorName } = info.cooSparse
      found.push({ port: { name: `${name}/values`, dtype, shape: [null] }, tensor: valuesTensorName ?? '' })
      found.push({
        port: { name: `${name}/indices`, dtype: 'int64', shape: [null, null] },
        tensor: indicesTensorName ?? '',
      })
      found.push({
        port: { name: `${name}/dense_shape`, dtype: 'int64', shape: [null] },
        tensor: denseShapeTensorName ?? '',
      })
    } else if (info.compositeTensor?.components) {
      const { components, typeSpec } = info.compositeTensor
      const ragged = typeSpec?.typeSpecClass === RAGGED
      const parts = components.map((part, i) => [`${name}/${ragged ? raggedPart(i) : i}`, part] as const)
      found.push(...ports(Object.fromEntries(parts), signature))
    } else throw new CorruptModelError(FILE, `signature "${signature}": "${name}" names no tensor`)
  }
  return found.sort((a, b) => (a.port.name < b.port.name ? -1 : 1))
}
