import { constantOf, type Resource } from '../graph/index.ts'
import { type Checkpoint, decodeMessage, tensorflow } from '../savedmodel/index.ts'
import type { Builder } from './builder.ts'
import { resourceOf } from './restore.ts'

// What TensorFlow 1 keeps in a graph's collections and its loader falls back on: modules of TF Hub and graphs that were
// written by hand have neither a saver nor an init op (python/saved_model/load_v1_in_v2.py).

type MetaGraph = tensorflow.MetaGraphDef.$Properties
type VariableDef = tensorflow.VariableDef.$Properties

/**
 * The ops that the loader runs where an export names none: those that fill tables and local variables
 * (monitored_session.py, Scaffold.default_local_init_op).
 */
export function collectedInitialisers(meta: MetaGraph): string[] {
  if (meta.objectGraphDef != null) return []
  const tables = meta.collectionDef?.table_initializer?.nodeList?.value ?? []
  const local = variablesIn(meta, 'local_variables').map(({ initializerName }) => initializerName ?? '')
  return [...tables, ...local].filter((name) => name !== '')
}

/**
 * Gives those of `wanted` that are in the graph's collection of variables what the checkpoint holds under their names,
 * as the saver does that import_meta_graph makes where an export brings none (training/saver.py).
 */
export async function restoreCollected(
  builder: Builder,
  meta: MetaGraph,
  checkpoint: Checkpoint | null,
  wanted: ReadonlySet<Resource>,
): Promise<void> {
  if (checkpoint === null || meta.saverDef != null || meta.objectGraphDef != null) return
  for (const { variableName, saveSliceInfoDef: slice } of variablesIn(meta, 'variables')) {
    const name = (variableName ?? '').replace(/:0$/, '')
    if (!builder.has(name)) continue
    const value = builder.build([name], [], new Map()).outputs[0]
    // A ref variable is built as its value, read from the handle.
    const resource = resourceOf(constantOf(value) === null ? value.node.inputs[0] : value)
    if (resource?.kind !== 'variable' || !wanted.has(resource)) continue
    resource.value = slice
      ? await checkpoint.readSlice(slice.fullName ?? '', specOf(slice))
      : await checkpoint.read(name)
  }
}

/** A slice as RestoreV2 is told of it: `full shape offset,length:offset,length`. */
function specOf({ fullShape, varOffset, varShape }: tensorflow.SaveSliceInfoDef.$Properties): string {
  const extents = (varOffset ?? []).map((offset, axis) => `${offset},${varShape?.[axis] ?? 0}`)
  return [...(fullShape ?? []), extents.join(':')].join(' ')
}

function variablesIn(meta: MetaGraph, collection: string): VariableDef[] {
  const decode = (bytes: Uint8Array) => tensorflow.VariableDef.decode(bytes)
  return (meta.collectionDef?.[collection]?.bytesList?.value ?? []).map((bytes) =>
    decodeMessage(decode, bytes, 'saved_model.pb', `a variable of the collection ${collection}`),
  )
}
