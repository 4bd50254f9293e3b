import {
  inWords,
  type Signature,
  type Similarity,
  type SimilarityChoice,
  similarityOf,
  type TowerDefinition,
  type Towers,
  withSimilarity,
} from '../graph/index.ts'
import { foremost, tower } from './definition.ts'
import { joinsTowers } from './embeddings.ts'
import { apart, together } from './examples.ts'
import { isNormalized } from './norms.ts'
import { towerOfExport, towersOfOutputs, towersOfSignatures } from './outputs.ts'
import { joinsOf, soleScore, towersOfIndex, towersOfJoin } from './scores.ts'
import { embeddingOutput } from './sides.ts'

/** What the user says of the towers; it overrules what the graph says. */
export interface TowerChoices {
  /** A signature, or `SIGNATURE:OUTPUT`, whose output is the query embedding. */
  readonly query?: string
  readonly candidate?: string
  readonly similarity?: SimilarityChoice
}

/**
 * The towers of one export, in this order: what the user names; a signature a tower; one signature with an output a
 * tower; one graph in which a similarity joins two towers; the query of an index; an export that is one tower.
 * @param source what the export is called, which may say which tower it is alone
 * @throws {RangeError} where the user names a signature, output or metric that is not there
 */
export function findTowers(signatures: readonly Signature[], choices: TowerChoices = {}, source = ''): Towers {
  const notes: string[] = []
  // Of a serialized tf.Example each feature is looked at as an input.
  const parted = signatures.map(apart)
  const joins = parted.flatMap((signature) => joinsOf(signature))
  const joined =
    foremost(joins.filter((found) => found.join !== null && found.join.similarity !== null)) ??
    foremost(joins.filter((found) => found.join !== null))
  const named = {
    query: chosen(signatures, choices.query, 'query'),
    candidate: chosen(signatures, choices.candidate, 'candidate'),
  }
  const found =
    towersOfSignatures(parted, notes) ??
    towersOfOutputs(parted, notes) ??
    towersOfJoin(joined, notes) ??
    towersOfIndex(parted, notes) ??
    towerOfExport(parted, source, notes)
  const whole = (tower: TowerDefinition | null | undefined) => (tower ? together(tower, signatures) : null)
  const query = named.query ?? whole(found?.query)
  const candidate = named.candidate ?? whole(found?.candidate)
  if (named.query !== null || named.candidate !== null) notes.push('towers named by the user')

  let similarity: Similarity | null = null
  if (choices.similarity !== undefined) {
    similarity = similarityOf(choices.similarity)
    notes.push(`similarity ${similarity.metric} chosen by the user`)
  } else if (joined?.join?.similarity && !joinsTowers(joined, query, candidate)) {
    notes.push(
      `output "${joined.output}" of "${joined.signature.name}" compares other embeddings than the towers': of these it does not say how they are compared`,
    )
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
      `output "${scoring.output}" of "${scoring.signature.name}" scores by itself${scoring.join === null ? `: no similarity separates ${partsOf(scoring.signature)} into towers` : ''}`,
    )
  if (query === null && candidate === null && notes.length === 0) notes.push(whyNone(signatures))
  return { query, candidate, similarity, joint, notes }
}

/** What a score is made of. */
const partsOf = ({ inputs: [input, ...more] }: Signature): string => {
  if (input.features !== undefined) return 'the features of its tf.Example'
  return more.length > 0 ? 'its inputs' : `the columns of "${input.name}"`
}

/** Why an export of which nothing is known has no towers. */
function whyNone(signatures: readonly Signature[]): string {
  const several = signatures.filter(({ inputs }) => inputs.length > 1)
  // A function of several arguments' kinds is a signature of one name each.
  const named = new Set((several.length > 0 ? several : signatures).map(({ name }) => `"${name}"`))
  const names = [...named].join(', ')
  return several.length > 0
    ? `no output of ${names} is plainly the embedding of one side, or a score of two inputs: name the towers, if there are any`
    : `${names || 'the export'} takes no two inputs that could be a query and a candidate, and no name says that it is one tower`
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
  if (choices.similarity !== undefined)
    return withSimilarity({ ...towers, similarity: null, joint: null, notes }, choices.similarity)
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
