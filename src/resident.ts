import { aligned } from './engine/linear.ts'
import { type Elements, FIRST_ARENA, Memory } from './engine/memory.ts'
import { graphsOf, residentsOf } from './engine/residents.ts'
import { CONST, constant, type Graph, type ModelDefinition, type Node } from './graph/index.ts'
import { rewrite } from './graph/rewrite.ts'
import type { Tensor } from './tensor/index.ts'
import { ALIGNMENT } from './weights/format.ts'
import { type StoredWeights, storedTensor } from './weights/stored.ts'

/** A model, and the kernels' memory for the engine to go on with: the weights that kernels read are in it. */
export interface Resident {
  readonly definition: ModelDefinition
  readonly memory: Memory
}

/**
 * `definition` with what kernels read moved into their memory, where a bundle's lies from the beginning: a SavedModel would
 * hold its layers twice, once as they were read. That copy is the caller's to give up.
 */
export function resident(definition: ModelDefinition): Resident {
  const places = new Map<unknown, number>()
  let length = 0
  for (const node of residentsOf(graphsOf(definition))) {
    const { data } = node.attrs.tensor('value')
    places.set(data, length)
    length += aligned((data as Elements).byteLength, ALIGNMENT)
  }
  const memory = new Memory(FIRST_ARENA, { weights: length })
  for (const [data, at] of places) {
    const { buffer, byteOffset, byteLength } = data as Elements
    memory.weights(at, at + byteLength).set(new Uint8Array(buffer, byteOffset, byteLength))
  }
  return { definition: withConstants(definition, places, storedIn(memory, length)), memory }
}

/** A function of its own: what closures of one function hold they hold together, and `places` hold the copy that was read. */
const storedIn = (memory: Memory, length: number): StoredWeights => ({
  byteLength: length,
  linear: length,
  get growths() {
    return memory.growths
  },
  view: (start, end) => memory.weights(start, end),
})

/** The model with the constants whose data are among `places` read from there. */
function withConstants(
  definition: ModelDefinition,
  places: ReadonlyMap<unknown, number>,
  weights: StoredWeights,
): ModelDefinition {
  // What shared an array, or a graph, goes on to share it.
  const tensors = new Map<string, Tensor>()
  const graphs = new Map<Graph, Graph>()
  const moved = (node: Node): Node | null => {
    const held = node.op === CONST ? node.attrs.tensor('value') : null
    const place = held === null ? undefined : places.get(held.data)
    if (held === null || place === undefined) return null
    const { dtype, shape } = held
    if (dtype !== 'float32' && dtype !== 'int8' && dtype !== 'int32') return null
    const key = `${place} ${shape}`
    const tensor = tensors.get(key) ?? storedTensor(weights, dtype, shape, place, held.data.byteLength)
    tensors.set(key, tensor)
    return constant(node.name, tensor)
  }
  const part = <T extends { readonly graph: Graph }>(whole: T): T => {
    const graph =
      graphs.get(whole.graph) ??
      rewrite(whole.graph, (node, { emit }) => {
        const own = moved(node)
        return own === null ? null : [{ node: emit(own), index: 0 }]
      })
    graphs.set(whole.graph, graph)
    return { ...whole, graph }
  }
  const { signatures, towers } = definition
  const [query, candidate] = [towers.query, towers.candidate].map((tower) => tower && part(tower))
  return { ...definition, signatures: signatures.map(part), towers: { ...towers, query, candidate } }
}
