import { define } from '../define.ts'
import {
  constantOf,
  functionsOf,
  type Graph,
  type ModelDefinition,
  type Resource,
  type Similarity,
  type Table,
} from '../graph/index.ts'
import { chooseMetaGraph } from '../import/index.ts'
import { readBundle } from '../load.ts'
import { familyOf } from '../ops/families.ts'
import { type Folder, readFile } from '../platform/folder.ts'
import { readSavedModel, type SavedModel, shapeOf, type tensorflow } from '../savedmodel/index.ts'
import { dtypeName } from '../tensor/datatypes.ts'
import { BYTES, type DType, isNumeric, sizeOf, type Tensor } from '../tensor/index.ts'
import { MANIFEST, type Manifest, readManifest } from '../weights/index.ts'

type MetaGraph = tensorflow.MetaGraphDef.$Properties

/** What a model holds, as `inspect --json` prints it; docs/cli.md documents the members. */
export interface Survey {
  readonly kind: 'SavedModel' | 'bundle'
  readonly metaGraphs: readonly { readonly tags: readonly string[]; readonly tensorflow: string }[]
  readonly signatures: readonly SurveyedSignature[]
  readonly towers: {
    readonly query: readonly string[] | null
    readonly candidate: readonly string[] | null
    readonly similarity: Similarity | null
    readonly notes: readonly string[]
  }
  readonly tables: readonly {
    readonly name: string
    readonly keys: DType
    readonly values: DType
    readonly size: number
    readonly first: readonly string[]
  }[]
  readonly variables: readonly {
    readonly name: string
    readonly dtype: string
    readonly shape: readonly number[]
    readonly bytes: number
  }[]
  readonly assets: readonly { readonly name: string; readonly bytes: number }[]
  readonly ops: readonly { readonly op: string; readonly count: number; readonly supported: boolean }[]
  /** Why the model cannot be run, where it cannot. */
  readonly problem?: string
}

interface SurveyedSignature {
  readonly name: string
  readonly method: string
  readonly inputs: readonly SurveyedPort[]
  /** What callers give instead of the inputs, where preprocessing is declared. */
  readonly features?: readonly SurveyedPort[]
  readonly outputs: readonly SurveyedPort[]
}

interface SurveyedPort {
  readonly name: string
  readonly dtype: string
  /** A dimension that the batch decides is null; null where not even the rank is known. */
  readonly shape: readonly (number | null)[] | null
}

/** How many of a table's keys are shown. */
const FIRST = 5
/** Entries of a checkpoint that are no part of the model: training's own, and the loader's. */
const NOT_THE_MODELS = /^(_CHECKPOINTABLE_OBJECT_GRAPH$|save_counter|keras_api\/)|\.OPTIMIZER_SLOT/

/** What the SavedModel or bundle in `folder` holds. A SavedModel that cannot be run is surveyed as far as it can be read. */
export async function survey(folder: Folder, tags?: readonly string[]): Promise<Survey> {
  const manifest = await readFile(folder, MANIFEST)
  if (manifest !== null) {
    const { arrays } = readManifest(new TextDecoder().decode(manifest))
    return {
      kind: 'bundle',
      metaGraphs: [],
      ...(await contents(await readBundle(folder))),
      variables: arrays.map(ofArray),
      assets: [],
    }
  }
  const saved = await readSavedModel(folder)
  const meta = chooseMetaGraph(saved, tags)
  return {
    kind: 'SavedModel',
    metaGraphs: saved.metaGraphs.map(({ metaInfoDef }) => ({
      tags: metaInfoDef?.tags ?? [],
      tensorflow: metaInfoDef?.tensorflowVersion ?? '',
    })),
    ...(await imported(folder, meta, tags)),
    variables: variablesOf(saved),
    assets: saved.assets.map(({ name, byteLength }) => ({ name, bytes: byteLength })),
  }
}

type Contents = Pick<Survey, 'signatures' | 'tables' | 'ops' | 'towers' | 'problem'>

async function imported(folder: Folder, meta: MetaGraph, tags?: readonly string[]): Promise<Contents> {
  try {
    return await contents(await define(folder, tags === undefined ? {} : { tags }))
  } catch (error) {
    return { ...declared(meta), problem: (error as Error).message }
  }
}

async function contents({ signatures, towers, preprocess }: ModelDefinition): Promise<Contents> {
  const [counts, tables] = [new Map<string, number>(), new Set<Table>()]
  for (const { graph } of signatures) visit(graph, counts, tables)
  const { query, candidate, similarity, notes } = towers
  const preparation =
    preprocess === undefined ? null : new (await import('../preprocess/index.ts')).Preprocessor(preprocess)
  const ports = (list: readonly SurveyedPort[]) => list.map(({ name, dtype, shape }) => ({ name, dtype, shape }))
  return {
    signatures: signatures.map(({ name, method, inputs, outputs }) => ({
      name,
      method,
      inputs: ports(inputs),
      ...(preparation === null ? {} : { features: ports(preparation.features(inputs)) }),
      outputs: ports(outputs),
    })),
    towers: {
      query: query?.inputs.map((port) => port.name) ?? null,
      candidate: candidate?.inputs.map((port) => port.name) ?? null,
      similarity,
      notes,
    },
    tables: [...tables].map((held) => ({
      name: held.name,
      keys: held.keyDtype,
      values: held.valueDtype,
      size: held.size,
      first: held.initialized ? first(held.export().keys) : [],
    })),
    ops: ranked(counts),
  }
}

/** Counts the ops of `graph` and of its functions, and gathers the tables that they look up. */
function visit(graph: Graph, counts: Map<string, number>, tables: Set<Table>): void {
  for (const node of graph.nodes) {
    const held = constantOf({ node, index: 0 })
    if (held === null && node.op !== 'Parameter') counts.set(node.op, (counts.get(node.op) ?? 0) + 1)
    if (held?.dtype === 'resource') {
      const resource = held.data[0] as Resource
      if (resource.kind === 'table') tables.add(resource)
    }
    for (const inner of functionsOf(node)) visit(inner, counts, tables)
  }
}

/** What the signatures say of themselves: of a model that cannot be imported. */
function declared(meta: MetaGraph): Contents {
  const ports = (infos: Readonly<Record<string, tensorflow.TensorInfo.$Properties>> | null | undefined) =>
    Object.entries(infos ?? {})
      .map(([name, info]) => ({ name, dtype: dtypeName(info.dtype ?? 0), shape: shapeOf(info.tensorShape) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    signatures: Object.entries(meta.signatureDef ?? {})
      .filter(([name]) => !name.startsWith('__saved_model_'))
      .map(([name, { methodName, inputs, outputs }]) => ({
        name,
        method: methodName ?? '',
        inputs: ports(inputs),
        outputs: ports(outputs),
      })),
    towers: { query: null, candidate: null, similarity: null, notes: [] },
    tables: [],
    ops: [],
  }
}

const ranked = (counts: ReadonlyMap<string, number>): Survey['ops'] =>
  [...counts]
    .map(([op, count]) => ({ op, count, supported: familyOf(op) !== undefined }))
    .sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1))

const variablesOf = ({ checkpoint }: SavedModel): Survey['variables'] =>
  [...(checkpoint?.entries.values() ?? [])]
    .filter(({ key }) => !NOT_THE_MODELS.test(key))
    .map(({ key, dtype, dtypeNumber, shape, size }) => ({
      name: key.replace(/\/\.ATTRIBUTES\/VARIABLE_VALUE$/, ''),
      dtype: dtype ?? dtypeName(dtypeNumber),
      shape,
      // A sliced variable's own entry has no size; a string's is what its text takes.
      bytes: dtype === null || BYTES[dtype] === 0 ? size : sizeOf(shape) * BYTES[dtype],
    }))

const ofArray = ({ name, dtype, shape, byteLength }: Manifest['arrays'][number]): Survey['variables'][number] => ({
  name,
  dtype,
  shape,
  bytes: byteLength,
})

function first(keys: Tensor): string[] {
  const count = Math.min(FIRST, sizeOf(keys.shape))
  return Array.from({ length: count }, (_, i) =>
    keys.dtype === 'string' ? keys.data.text(i) : isNumeric(keys) ? String(keys.data[i]) : '',
  )
}
