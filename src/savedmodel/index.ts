// A SavedModel's folder as data: graph definitions, variables, assets. Nothing is interpreted here.
// The layout is that of tensorflow/cc/saved_model/constants.h.

import protobuf from 'protobufjs/minimal.js'
import { CorruptModelError } from '../errors.ts'
import { type Folder, readFile } from '../platform/folder.ts'
import { type Asset, listAssets, readAsset } from './assets.ts'
import { Checkpoint } from './checkpoint.ts'
import { decodeMessage } from './message.ts'
import { tensorflow } from './proto/generated.js'

export type { Asset } from './assets.ts'
export { Checkpoint } from './checkpoint.ts'
export type { CheckpointEntry } from './entry.ts'
export { decodeMessage } from './message.ts'
export { tensorflow } from './proto/generated.js'
export type { Extent } from './slices.ts'
export { type Int64, shapeOf, tensorOf } from './tensorproto.ts'

export interface SavedModel {
  readonly folder: Folder
  /** One for each set of tags; never empty. */
  readonly metaGraphs: readonly tensorflow.MetaGraphDef[]
  /** The variables, or null for a model that has none on disk. */
  readonly checkpoint: Checkpoint | null
  readonly assets: readonly Asset[]
  /**
   * The bytes of `assets/<filename>`.
   * @throws {RangeError} where `filename` leaves that folder
   * @throws {CorruptModelError} where there is no such file
   */
  asset(filename: string): Promise<Uint8Array>
}

const GRAPH = 'saved_model.pb'
/** Field 1, a varint, and field 2, a message. */
const SCHEMA_VERSION_TAG = 0x08
const META_GRAPHS_TAG = 0x12
/** Field 1 of a GraphDef, a message; no SavedModel begins so. */
const NODE_TAG = 0x0a
const VARIABLES = 'variables/variables'
/** Files that hold the graph in a form that is not read, and what to do about each. */
const FOREIGN: Readonly<Record<string, string>> = {
  'saved_model.pbtxt':
    'the text format is not read: load the model in TensorFlow and save it again, which writes saved_model.pb',
  'manifest.json':
    'belongs to a bundle, which is converted already: load it as it is, or name the SavedModel that it was made of',
  'saved_model.cpb':
    'the chunked format is not read: save the model with tf.saved_model.SaveOptions(experimental_image_format=False)',
  // As Vertex AI's two-tower jobs write them.
  'query_model/saved_model.pb':
    'is one tower of two: convert both together, by --query JOB/query_model --candidate JOB/candidate_model, or convert({ query, candidate })',
}

/**
 * Reads the graph definitions and the index of the variables; the variables' values and the assets wait until asked for.
 * @throws {CorruptModelError} where the folder holds no SavedModel, or its files are damaged; names the file
 */
export async function readSavedModel(folder: Folder): Promise<SavedModel> {
  const bytes = await readFile(folder, GRAPH)
  if (bytes === null) throw await missing(folder)
  const metaGraphs = readMetaGraphs(bytes)
  const checkpoint = await Checkpoint.find(folder, VARIABLES)
  const stray = (await folder.list('variables')).find((name) => name.startsWith('variables.data-'))
  if (checkpoint === null && stray !== undefined) {
    throw new CorruptModelError(`${VARIABLES}.index`, `missing beside ${stray}; without it no variable can be found`)
  }
  const assets = await listAssets(folder)
  return { folder, metaGraphs, checkpoint, assets, asset: (filename) => readAsset(folder, filename) }
}

async function missing(folder: Folder): Promise<CorruptModelError> {
  for (const [file, advice] of Object.entries(FOREIGN)) {
    const source = await folder.open(file)
    await source?.close?.()
    if (source !== null) return new CorruptModelError(file, advice)
  }
  return new CorruptModelError(
    GRAPH,
    `missing in ${folder.name}; a SavedModel's folder holds saved_model.pb and, beside it, variables/ and assets/, a bundle's manifest.json and weights.bin. Give the folder that holds one of them itself: it is often a numbered one inside`,
  )
}

function readMetaGraphs(bytes: Uint8Array): tensorflow.MetaGraphDef[] {
  if (bytes[0] === NODE_TAG) {
    const advice = 'load it in TensorFlow and save it with tf.saved_model.save, with its signatures'
    throw new CorruptModelError(
      GRAPH,
      `begins with a node, as a frozen graph (GraphDef) does, not a SavedModel: ${advice}`,
    )
  }
  const metaGraphs = decodeMessage(decodeSavedModel, bytes, GRAPH, 'SavedModel')
  if (metaGraphs.length > 0) return metaGraphs
  throw new CorruptModelError(GRAPH, `holds no graph in its ${bytes.length} bytes: it is empty or cut short`)
}

/**
 * The meta graphs of a SavedModel message: its field 2. It has had this one and the schema version (field 1) only, ever,
 * so another field is garbage, or another message.
 */
function decodeSavedModel(bytes: Uint8Array): tensorflow.MetaGraphDef[] {
  const reader = protobuf.Reader.create(bytes)
  const metaGraphs: tensorflow.MetaGraphDef[] = []
  while (reader.pos < reader.len) {
    const start = reader.pos
    const tag = reader.uint32()
    if (tag === SCHEMA_VERSION_TAG) reader.int64()
    else if (tag === META_GRAPHS_TAG) metaGraphs.push(tensorflow.MetaGraphDef.decode(reader, reader.uint32()))
    else throw new RangeError(`unknown field ${tag >>> 3} at byte ${start}`)
  }
  return metaGraphs
}
