import {
  inWords,
  type Metric,
  type Port,
  type Signature,
  type Similarity,
  type TowerDefinition,
  type Towers,
  type Value,
} from '../graph/index.ts'
import { dependence, subgraph } from './dependence.ts'
import { findJoin, isNormalized, type Join } from './join.ts'
import { embeddingOutput, isEmbedding, sideOf } from './sides.ts'

/** What the user says of the towers; it overrules what the graph says. */
export interface TowerChoices {
  /** A signature, or `SIGNATURE:OUTPUT`, whose output is the query embedding. */
  readonly query?: string
  readonly candidate?: string
  readonly similarity?: Metric | Partial<Similarity>
}

/** A similarity as the user names it: scale 1 and no bias where nothing is said. */
export const similarityOf = (choice: Metric | Partial<Similarity>): Similarity =>
  typeof choice === 'string'
    ? { metric: choice, scale: 1, bias: 0, sigmoid: false }
    : {
        metric: choice.metric ?? 'dot',
        scale: choice.scale ?? 1,
        bias: choice.bias ?? 0,
        sigmoid: choice.sigmoid ?? false,
      }

/**
 * The towers of one export, in this order: what the user names; a signature a tower; one signature with an output a
 * tower; one graph in which a similarity joins two towers.
 * @param source what the export is called, which may say which tower it is alone
 * @throws {RangeError} where the user names a signature or output that is not there
 */
export function findTowers(signatures: readonly Signature[], choices: TowerChoices = {}, source = ''): Towers {
  const notes: string[] = []
  const joins = signatures.flatMap((signature) => joinsOf(signature))
  // A signature that is named for scoring says how scores are made; others may only compare.
  const separable = joins.filter((found) => found.join !== null)
  const joined = separable.find((found) => /score|rank|predict/i.test(found.signature.name)) ?? separable[0]
  const named = {
    query: chosen(signatures, choices.query, 'query'),
    candidate: chosen(signatures, choices.candidate, 'candidate'),
  }
  const found =
    towersOfSignatures(signatures, source, notes) ?? towersOfOutputs(signatures, notes) ?? towersOfJoin(joined, notes)
  const query = named.query ?? found?.query ?? null
  const candidate = named.candidate ?? found?.candidate ?? null
  if (named.query !== null || named.candidate !== null) notes.push('towers named by the user')

  let similarity: Similarity | null = null
  if (choices.similarity !== undefined) {
    similarity = similarityOf(choices.similarity)
    notes.push(`similarity ${similarity.metric} chosen by the user`)
  } else if (joined?.join) {
    similarity = joined.join.similarity
    notes.push(
      `similarity ${inWords(similarity)} read from output "${joined.output}" of "${joined.signature.name}" (${joined.join.path.join(' ← ')})`,
    )
  } else similarity = normalizedSimilarity(query, candidate, notes)
  if (query !== null && candidate !== null && similarity === null)
    notes.push('the export does not say how the embeddings are compared')

  const scoring = joins.find((one) => one.join === null)
  const joint =
    scoring !== undefined && similarity === null ? { signature: scoring.signature.name, output: scoring.output } : null
  if (joint !== null)
    notes.push(
      `output "${joint.output}" of "${joint.signature}" scores by itself: no similarity separates its inputs into towers`,
    )
  return { query, candidate, similarity, joint, notes }
}

/**
 * The towers of two exports, one each.
 * @throws {RangeError} where an export has no output that is an embedding, or the user names one that is not there
 */
export function pairTowers(
  query: readonly Signature[],
  candidate: readonly Signature[],
  choices: TowerChoices = {},
): Towers {
  const notes = ['each tower is an export of its own']
  const towers = {
    query: soleTower(query, choices.query, 'query'),
    candidate: soleTower(candidate, choices.candidate, 'candidate'),
  }
  if (choices.similarity !== undefined) {
    const similarity = similarityOf(choices.similarity)
    return {
      ...towers,
      similarity,
      joint: null,
      notes: [...notes, `similarity ${similarity.metric} chosen by the user`],
    }
  }
  const similarity = normalizedSimilarity(towers.query, towers.candidate, notes)
  if (similarity === null) notes.push('two exports do not say how their embeddings are compared')
  return { ...towers, similarity, joint: null, notes }
}

function soleTower(signatures: readonly Signature[], choice: string | undefined, side: string): TowerDefinition {
  const named = chosen(signatures, choice, side)
  if (named !== null) return named
  const signature = signatures.find(({ name }) => name === 'serving_default') ?? signatures[0]
  const output = signature === undefined ? -1 : embeddingOutput(signature)
  if (output < 0) {
    const known =
      signatures.flatMap(({ name, outputs }) => outputs.map((port) => `${name}:${port.name}`)).join(', ') || 'none'
    throw new RangeError(
      `no output of the ${side} export is plainly its embedding (outputs: ${known}); name it as SIGNATURE:OUTPUT`,
    )
  }
  return tower(signature, output)
}

/** The tower that the user names, or null where none is named. */
function chosen(signatures: readonly Signature[], choice: string | undefined, side: string): TowerDefinition | null {
  if (choice === undefined) return null
  for (const signature of signatures) {
    if (choice === signature.name) {
      const output = embeddingOutput(signature)
      if (output < 0)
        throw new RangeError(
          `signature "${choice}" has no output that is plainly an embedding; name it as ${choice}:OUTPUT`,
        )
      return tower(signature, output)
    }
    const output = signature.outputs.findIndex((port) => choice === `${signature.name}:${port.name}`)
    if (output >= 0) return tower(signature, output)
  }
  const known =
    signatures.flatMap(({ name, outputs }) => outputs.map((port) => `${name}:${port.name}`)).join(', ') || 'none'
  throw new RangeError(
    `the ${side} tower "${choice}" is not a signature or SIGNATURE:OUTPUT of the model; it has ${known}`,
  )
}

function tower(signature: Signature, output: number): TowerDefinition {
  return towerAt(signature, signature.graph.outputs[output], signature.outputs[output])
}

function towerAt(signature: Signature, value: Value, port: Signature['outputs'][number]): TowerDefinition {
  return { signature: signature.name, output: port, ...subgraph(signature.graph, signature.inputs, value) }
}

/** Signatures of which each is plainly one tower. */
function towersOfSignatures(
  signatures: readonly Signature[],
  source: string,
  notes: string[],
): { query: TowerDefinition | null; candidate: TowerDefinition | null } | null {
  const found: { query: TowerDefinition | null; candidate: TowerDefinition | null } = { query: null, candidate: null }
  for (const signature of signatures) {
    const side = sideOf([signature.name])
    const output = embeddingOutput(signature)
    if (side === null || output < 0 || found[side] !== null) continue
    found[side] = tower(signature, output)
    notes.push(`signature "${signature.name}" is the ${side} tower by its name`)
  }
  if (found.query !== null || found.candidate !== null) return found
  if (signatures.length !== 1) return null
  // An export of one tower alone: a user model, an item model.
  const [signature] = signatures
  const names = [...signature.inputs, ...signature.outputs].map((port) => port.name)
  const ids = names.filter((name) => /(^|_)id$/i.test(name))
  const [output, side] = [embeddingOutput(signature), sideOf([source]) ?? sideOf(ids) ?? sideOf(names)]
  if (signature.outputs.length !== 1 || output < 0 || side === null) return null
  found[side] = tower(signature, output)
  notes.push(`signature "${signature.name}" is the ${side} tower by the names of the export and its inputs`)
  return found
}

/** Embeddings that are compared have one width; an open one may be it. */
const sameWidth = (a: Port, b: Port): boolean => {
  const [m, n] = [a.shape?.[1] ?? null, b.shape?.[1] ?? null]
  return m === null || n === null || m === n
}

/** One signature with two embeddings of different inputs. */
function towersOfOutputs(
  signatures: readonly Signature[],
  notes: string[],
): { query: TowerDefinition; candidate: TowerDefinition } | null {
  for (const signature of signatures) {
    const sources = dependence(signature.graph)
    const inputsOf = (i: number) => sources.get(signature.graph.outputs[i].node) ?? new Set<number>()
    const outputs = signature.outputs
      .map((_, i) => i)
      .filter((i) => isEmbedding(signature.outputs[i]) && inputsOf(i).size > 0)
    for (const a of outputs) {
      for (const b of outputs) {
        if (
          a >= b ||
          [...inputsOf(a)].some((input) => inputsOf(b).has(input)) ||
          !sameWidth(signature.outputs[a], signature.outputs[b])
        )
          continue
        const names = (i: number) => [
          signature.outputs[i].name,
          ...[...inputsOf(i)].map((input) => signature.inputs[input].name),
        ]
        const swapped =
          sideOf([signature.outputs[a].name]) === 'candidate' ||
          (sideOf([signature.outputs[b].name]) === null && sideOf(names(a)) === 'candidate') ||
          sideOf([signature.outputs[b].name]) === 'query'
        const [query, candidate] = swapped ? [b, a] : [a, b]
        notes.push(
          `outputs "${signature.outputs[query].name}" and "${signature.outputs[candidate].name}" of "${signature.name}" depend on different inputs: query and candidate tower`,
        )
        return { query: tower(signature, query), candidate: tower(signature, candidate) }
      }
    }
  }
  return null
}

interface Joined {
  readonly signature: Signature
  readonly output: string
  readonly join: Join | null
}

/** Outputs that score several inputs together, with where they join them. Embeddings are none. */
function joinsOf(signature: Signature): Joined[] {
  const sources = dependence(signature.graph)
  const found: Joined[] = []
  signature.outputs.forEach((port, i) => {
    const value = signature.graph.outputs[i]
    if (port.dtype !== 'float32' || (sources.get(value.node)?.size ?? 0) < 2) return
    const join = findJoin(signature.graph, value)
    const isScore = port.shape !== null && (port.shape.length <= 1 || (port.shape.length === 2 && port.shape[1] === 1))
    if (join !== null || isScore) found.push({ signature, output: port.name, join })
  })
  return found
}

function towersOfJoin(
  joined: Joined | undefined,
  notes: string[],
): { query: TowerDefinition; candidate: TowerDefinition } | null {
  if (!joined?.join) return null
  const { signature, join } = joined
  const port = (name: string) => ({ name, dtype: 'float32' as const, shape: [null, null] })
  const [left, right] = [join.left, join.right].map((value) => subgraph(signature.graph, signature.inputs, value))
  const names = (side: { inputs: readonly { name: string }[] }) => side.inputs.map((input) => input.name)
  const swapped =
    sideOf(names(left)) === 'candidate' || (sideOf(names(left)) === null && sideOf(names(right)) === 'query')
  const [query, candidate] = swapped ? [right, left] : [left, right]
  const known = sideOf(names(left)) !== null || sideOf(names(right)) !== null
  notes.push(
    `"${signature.name}" joins ${names(query).join(', ')} (query) with ${names(candidate).join(', ')} (candidate)${known ? '' : '; the names do not say which is which, the first is taken for the query'}`,
  )
  return {
    query: { signature: signature.name, output: port('query_embedding'), ...query },
    candidate: { signature: signature.name, output: port('candidate_embedding'), ...candidate },
  }
}

/** Of two towers that both end in an L2 normalisation, dot and cosine are one thing. */
function normalizedSimilarity(
  query: TowerDefinition | null,
  candidate: TowerDefinition | null,
  notes: string[],
): Similarity | null {
  if (query === null || candidate === null) return null
  if (!isNormalized(query.graph.outputs[0]) || !isNormalized(candidate.graph.outputs[0])) return null
  notes.push('both towers end in an L2 normalisation: their dot product is the cosine')
  return similarityOf('cosine')
}
