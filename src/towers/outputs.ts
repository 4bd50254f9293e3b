import type { Port, Signature, TowerDefinition } from '../graph/index.ts'
import { type Found, foremost, tower, UNTOLD } from './definition.ts'
import { dependence } from './dependence.ts'
import { embeddingOutput, isEmbedding, namesEmbedding, sideOf } from './sides.ts'

// Towers that an export shows as outputs of its signatures.

/** Signatures of which each is plainly one tower. */
export function towersOfSignatures(signatures: readonly Signature[], notes: string[]): Found | null {
  const found: { query: TowerDefinition | null; candidate: TowerDefinition | null } = { query: null, candidate: null }
  for (const signature of [...signatures].sort((a, b) => forTraining(a) - forTraining(b))) {
    const side = sideOf([signature.name])
    const output = embeddingOutput(signature)
    if (side === null || output < 0 || found[side] !== null) continue
    found[side] = tower(signature, output)
    notes.push(`signature "${signature.name}" is the ${side} tower by its name`)
  }
  return found.query === null && found.candidate === null ? null : found
}

/** 1 for a trace of a function for training, where dropout and batch statistics are on: any other goes first. */
const forTraining = ({ name }: Signature): number => Number(/[(, ]training=true\b/.test(name))

/** An export of one tower alone: a user model, an item model. Keras names its signature twice. */
export function towerOfExport(signatures: readonly Signature[], source: string, notes: string[]): Found | null {
  const embedding = signatures.filter((signature) => embeddingOutput(signature) >= 0)
  const signature = foremost(embedding.map((signature) => ({ signature })))?.signature
  if (signature === undefined || embedding.some((other) => !sameInputs(other, signature))) return null
  const output = embeddingOutput(signature)
  const inputs = signature.inputs.map((port) => port.name)
  const ids = inputs.filter((name) => /(^|_)id$|[a-z]Id$/.test(name))
  const side = sideOf([source]) ?? sideOf(ids) ?? sideOf([...inputs, ...signature.outputs.map((port) => port.name)])
  // Ids that speak for the other side, or for both, contradict what the export is called.
  if (side === null || ids.some((id) => (sideOf([id]) ?? side) !== side)) return null
  notes.push(`signature "${signature.name}" is the ${side} tower by the names of the export and its inputs`)
  return { query: null, candidate: null, [side]: tower(signature, output) }
}

const sameInputs = (a: Signature, b: Signature): boolean =>
  a.inputs.length === b.inputs.length && a.inputs.every(({ name }) => b.inputs.some((other) => other.name === name))

/** Embeddings that are compared have one width; an open one may be it. */
const sameWidth = (a: Port, b: Port): boolean => {
  const [m, n] = [a.shape?.[1] ?? null, b.shape?.[1] ?? null]
  return m === null || n === null || m === n
}

/**
 * One signature with two embeddings of different inputs. Outputs of any width may depend on different inputs, so names
 * must speak for at least one side; without names the two must be the only float outputs, of one known width.
 */
export function towersOfOutputs(signatures: readonly Signature[], notes: string[]): Found | null {
  for (const signature of signatures) {
    const sources = dependence(signature.graph)
    const inputsOf = (i: number) => sources.get(signature.graph.outputs[i].node) ?? new Set<number>()
    const { outputs } = signature
    const embeddings = outputs.map((_, i) => i).filter((i) => isEmbedding(outputs[i]) && inputsOf(i).size > 0)
    const sideOfOutput = (i: number) =>
      sideOf([outputs[i].name]) ?? sideOf([...inputsOf(i)].map((input) => signature.inputs[input].name))
    const pairs = embeddings
      .flatMap((a, at) => embeddings.slice(at + 1).map((b) => [a, b] as const))
      .filter(([a, b]) => sameWidth(outputs[a], outputs[b]) && ![...inputsOf(a)].some((i) => inputsOf(b).has(i)))
    const told = pairs.filter(([a, b]) => sideOfOutput(a) !== sideOfOutput(b))
    const floats = outputs.filter(({ dtype }) => dtype === 'float32').length
    const widthOf = (i: number) => outputs[i].shape?.[1] ?? null
    const untold =
      floats === 2 && pairs.length === 1 && pairs[0].every((i) => sideOfOutput(i) === null && widthOf(i) !== null)
    const embedded = told.filter((pair) => pair.every((i) => namesEmbedding(outputs[i].name)))
    const pair = [told, embedded, untold ? pairs : []].find(({ length }) => length === 1)?.[0]
    if (pair === undefined) {
      if (told.length > 1)
        notes.push(
          `several outputs of "${signature.name}" may be towers (${[...new Set(told.flat())].map((i) => outputs[i].name).join(', ')}); name two`,
        )
      continue
    }
    const [a, b] = pair
    const swapped = sideOfOutput(a) === 'candidate' || sideOfOutput(b) === 'query'
    const [query, candidate] = swapped ? [b, a] : [a, b]
    notes.push(
      `outputs "${outputs[query].name}" and "${outputs[candidate].name}" of "${signature.name}" depend on different inputs: query and candidate tower${untold ? UNTOLD : ''}`,
    )
    return { query: tower(signature, query), candidate: tower(signature, candidate) }
  }
  return null
}
