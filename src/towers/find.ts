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
import { indexedQuery } from './indexed.ts'
import { findJoin, type Join } from './join.ts'
import { isNormalized } from './norms.ts'
import { embeddingOutput, isEmbedding, namesEmbedding, sideOf } from './sides.ts'

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
 * tower; one graph in which a similarity joins two towers; the query of an index; an export that is one tower.
 * @param source what the export is called, which may say which tower it is alone
 * @throws {RangeError} where the user names a signature or output that is not there
 */
export function findTowers(signatures: readonly Signature[], choices: TowerChoices = {}, source = ''): Towers {
  const notes: string[] = []
  const joins = signatures.flatMap((signature) => joinsOf(signature))
  const joined =
    foremost(joins.filter((found) => found.join !== null && found.join.similarity !== null)) ??
    foremost(joins.filter((found) => found.join !== null))
  const named = {
    query: chosen(signatures, choices.query, 'query'),
    candidate: chosen(signatures, choices.candidate, 'candidate'),
  }
  const found =
    towersOfSignatures(signatures, notes) ??
    towersOfOutputs(signatures, notes) ??
    towersOfJoin(joined, notes) ??
    towersOfIndex(signatures, notes) ??
    towerOfExport(signatures, source, notes)
  const query = named.query ?? found?.query ?? null
  const candidate = named.candidate ?? found?.candidate ?? null
  if (named.query !== null || named.candidate !== null) notes.push('towers named by the user')

  let similarity: Similarity | null = null
  if (choices.similarity !== undefined) {
    similarity = similarityOf(choices.similarity)
    notes.push(`similarity ${similarity.metric} chosen by the user`)
  } else if (joined?.join?.similarity) {
    similarity = joined.join.similarity
    notes.push(
      `similarity ${inWords(similarity)} read from output "${joined.output}" of "${joined.signature.name}" (${joined.join.path.join(' ← ')})`,
    )
  } else if (joined?.join) {
    notes.push(
      `output "${joined.output}" of "${joined.signature.name}" makes more of the embeddings than scale · similarity + bias (${joined.join.path.join(' ← ')})`,
    )
  } else similarity = found?.similarity ?? normalizedSimilarity(query, candidate, notes)
  if (query !== null && candidate !== null && similarity === null && !joined)
    notes.push('the export does not say how the embeddings are compared')

  const scoring = similarity === null ? soleScore(joins) : undefined
  const joint = scoring === undefined ? null : { signature: scoring.signature.name, output: scoring.output }
  if (scoring !== undefined)
    notes.push(
      `output "${scoring.output}" of "${scoring.signature.name}" scores by itself${scoring.join === null ? ': no similarity separates its inputs into towers' : ''}`,
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

interface Found {
  readonly query: TowerDefinition | null
  readonly candidate: TowerDefinition | null
  readonly similarity?: Similarity
}

/** Signatures of which each is plainly one tower. */
function towersOfSignatures(signatures: readonly Signature[], notes: string[]): Found | null {
  const found: { query: TowerDefinition | null; candidate: TowerDefinition | null } = { query: null, candidate: null }
  for (const signature of signatures) {
    const side = sideOf([signature.name])
    const output = embeddingOutput(signature)
    if (side === null || output < 0 || found[side] !== null) continue
    found[side] = tower(signature, output)
    notes.push(`signature "${signature.name}" is the ${side} tower by its name`)
  }
  return found.query === null && found.candidate === null ? null : found
}

/** An export of one tower alone: a user model, an item model. Keras names its signature twice. */
function towerOfExport(signatures: readonly Signature[], source: string, notes: string[]): Found | null {
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

/** The one that a signature named for scoring holds, or the default one; else the first. */
const foremost = <T extends { readonly signature: Signature }>(all: readonly T[]): T | undefined =>
  all.find(({ signature }) => /score|rank|predict/i.test(signature.name)) ??
  all.find(({ signature }) => signature.name === 'serving_default') ??
  all[0]

/** Embeddings that are compared have one width; an open one may be it. */
const sameWidth = (a: Port, b: Port): boolean => {
  const [m, n] = [a.shape?.[1] ?? null, b.shape?.[1] ?? null]
  return m === null || n === null || m === n
}

/**
 * One signature with two embeddings of different inputs. Outputs of any width may depend on different inputs, so names
 * must speak for at least one side; without names the two must be the only float outputs, of one known width.
 */
function towersOfOutputs(signatures: readonly Signature[], notes: string[]): Found | null {
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

const UNTOLD = '; the names do not say which is which, the first is taken for the query'

interface Joined {
  readonly signature: Signature
  readonly output: string
  readonly join: Join | null
  /** One number a row. */
  readonly isScore: boolean
}

/** Outputs that score several inputs together, with where they join them. Embeddings are none. */
function joinsOf(signature: Signature): Joined[] {
  const sources = dependence(signature.graph)
  const found: Joined[] = []
  signature.outputs.forEach((port, i) => {
    const value = signature.graph.outputs[i]
    if (port.dtype !== 'float32' || (sources.get(value.node)?.size ?? 0) < 2) return
    if (indexedQuery(value) !== null) return
    const isScore = port.shape?.slice(1).every((dim) => dim === 1) ?? false
    const join = findJoin(signature.graph, value)
    // A width that is not 1 is no score of a pair; of all pairs it may be.
    const isJoin =
      join !== null && (isScore || (!join.deep && (port.shape ?? []).slice(1).every((dim) => dim === null)))
    if (isJoin || isScore) found.push({ signature, output: port.name, join: isJoin ? join : null, isScore })
  })
  return found
}

/** The score of a signature that has only one, or only one that is named so. */
function soleScore(joins: readonly Joined[]): Joined | undefined {
  const scores = joins.filter(({ isScore }) => isScore)
  const first = foremost(scores)
  const own = scores.filter(({ signature }) => signature === first?.signature)
  const named = own.filter(({ output }) => /score|rating|rank|prob|logit|predict|ctr|similar|relevan/i.test(output))
  return [own, named].find(({ length }) => length === 1)?.[0]
}

/** An index over candidates that the export holds: what it multiplies them with is the query. */
function towersOfIndex(signatures: readonly Signature[], notes: string[]): Found | null {
  for (const signature of signatures) {
    for (const output of signature.graph.outputs) {
      const indexed = indexedQuery(output)
      if (indexed === null) continue
      const port = { name: 'query_embedding', dtype: 'float32' as const, shape: [null, indexed.width] }
      notes.push(
        `"${signature.name}" ranks ${indexed.rows} candidates that it holds by the dot product: its inputs are the query's, the candidate tower is not in the export`,
      )
      return { query: towerAt(signature, indexed.query, port), candidate: null, similarity: similarityOf('dot') }
    }
  }
  return null
}

function towersOfJoin(joined: Joined | undefined, notes: string[]): Found | null {
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
    `"${signature.name}" joins ${names(query).join(', ')} (query) with ${names(candidate).join(', ')} (candidate)${known ? '' : UNTOLD}`,
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
