import type { Resource } from '../graph/index.ts'
import { decodeMessage, type SavedModel, tensorflow } from '../savedmodel/index.ts'
import type { Builder } from './builder.ts'
import { resourceOf } from './restore.ts'

type MetaGraph = tensorflow.MetaGraphDef.$Properties

const OBJECT_GRAPH = '_CHECKPOINTABLE_OBJECT_GRAPH'

/** Where the checkpoint keeps each object's value: its own object graph, walked along with the model's by names. */
export async function checkpointKeys(saved: SavedModel, meta: MetaGraph): Promise<Map<number, string>> {
  const keys = new Map<number, string>()
  const stored = await saved.checkpoint?.read(OBJECT_GRAPH)
  if (stored?.dtype !== 'string') return keys
  const decode = (bytes: Uint8Array) => tensorflow.TrackableObjectGraph.decode(bytes)
  const tracked = decodeMessage(decode, stored.data.at(0), 'variables/variables.index', 'the object graph').nodes
  const nodes = meta.objectGraphDef?.nodes ?? []
  const visited = new Set([0])
  const pending: [object: number, tracked: number][] = [[0, 0]]
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [object, at] = pair
    const key = tracked[at]?.attributes?.find((attribute) => attribute.name === 'VARIABLE_VALUE')?.checkpointKey
    if (key) keys.set(object, key)
    for (const { localName, nodeId } of nodes[object]?.children ?? []) {
      const twin = tracked[at]?.children?.find((child) => child.localName === localName)
      if (twin === undefined || nodeId == null || visited.has(nodeId)) continue
      visited.add(nodeId)
      pending.push([nodeId, twin.nodeId ?? 0])
    }
  }
  return keys
}

/**
 * Gives those of `wanted` that the restore op left empty the values of the objects that signatures captured them for, as
 * `tf.saved_model.load` does. `tf.saved_model.save` of a Keras 3 model writes two variables for each of its own: the
 * signatures read one and the restore op fills the other.
 */
export async function restoreCaptured(
  builder: Builder,
  saved: SavedModel,
  meta: MetaGraph,
  wanted: ReadonlySet<Resource>,
): Promise<void> {
  const isEmpty = (resource: Resource | null) => resource?.kind === 'variable' && resource.value === null
  const functions = meta.objectGraphDef?.concreteFunctions
  if (functions == null || ![...wanted].some(isEmpty)) return
  const keys = await checkpointKeys(saved, meta)
  for (const { attr, input } of meta.graphDef?.node ?? []) {
    const captures = functions[attr?.f?.func?.name ?? '']?.boundInputs ?? []
    const refs = (input ?? []).filter((ref) => !ref.startsWith('^')).slice(-captures.length)
    if (captures.length === 0 || refs.length !== captures.length) continue
    for (const [i, ref] of refs.entries()) {
      const key = keys.get(captures[i])
      if (key === undefined || saved.checkpoint === null) continue
      const resource = resourceOf(builder.build([ref], [], new Map()).outputs[0])
      if (resource?.kind === 'variable' && wanted.has(resource) && isEmpty(resource))
        resource.value = await saved.checkpoint.read(key)
    }
  }
}
