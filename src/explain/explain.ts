import { type Features, NO_PREPARATION } from '../engine/inputs.ts'
import type { ModelDefinition, OpTable, Port, Signature, TowerDefinition } from '../graph/index.ts'
import { Preprocessor, parsePreprocess } from '../preprocess/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { type ExplainedPart, explainPart, type Part, runPart, titleOf } from './part.ts'
import { type ExplainedScore, explainSimilarity, influences, type Side, scoreOf } from './score.ts'
import { shortest } from './stage.ts'

type Which = 'query' | 'candidate'

/** What is to be explained: features of a signature, or of one tower or both. A feature is a list with one row. */
export type Question =
  | { readonly signature: string; readonly features: Features }
  | { readonly query?: Features; readonly candidate?: Features }

/** One instance followed through a model, as `explain --json` prints it; docs/cli.md documents the members. */
export interface Explanation {
  readonly parts: readonly ExplainedPart[]
  readonly score?: ExplainedScore
}

/**
 * Follows one instance through a signature, or through towers to their score.
 * @param ops the reference ops of the model's graphs
 * @throws {RangeError} where the model lacks the tower, or a feature does not fit
 */
export function explain(definition: ModelDefinition, question: Question, ops: OpTable): Explanation {
  const { towers } = definition
  if ('signature' in question) return ofSignature(definition, question.signature, question.features, ops)
  const { query, candidate } = question
  if (query !== undefined && candidate !== undefined && towers.similarity === null && towers.joint !== null)
    return ofSignature(definition, towers.joint.signature, { ...query, ...candidate }, ops)
  const sides = (['query', 'candidate'] as const).flatMap((which) => {
    const features = question[which]
    if (features === undefined) return []
    const part = towerPart(definition, which)
    return [{ part, features, ...explainPart(part, features, ops) }]
  })
  const parts = sides.map(({ explained }) => explained)
  const { similarity } = towers
  if (sides.length < 2 || similarity === null) return { parts }
  const vectors = sides.map(({ outputs }) => vector(outputs))
  const score = explainSimilarity(vectors[0], vectors[1], similarity)
  const each = sides.map(
    ({ part, features }, i): Side => ({
      part: titleOf(part),
      features,
      optional: optionalOf(part),
      score(changed) {
        const own = vector(runPart(part, changed, ops))
        return i === 0 ? scoreOf(own, vectors[1], similarity) : scoreOf(vectors[0], own, similarity)
      },
    }),
  )
  return { parts, score: { ...score, features: influences(score.value, each) } }
}

/** A signature; where its first output is one number, that is the score. */
function ofSignature(definition: ModelDefinition, name: string, features: Features, ops: OpTable): Explanation {
  const part = signaturePart(definition, name)
  const { explained, outputs } = explainPart(part, features, ops)
  const value = numberOf(outputs)
  if (value === null) return { parts: [explained] }
  const side: Side = {
    part: titleOf(part),
    features,
    optional: optionalOf(part),
    score: (changed) => numberOf(runPart(part, changed, ops)) ?? Number.NaN,
  }
  return {
    parts: [explained],
    score: { how: `output "${part.outputs[0].name}"`, value, dimensions: [], features: influences(value, [side]) },
  }
}

const numberOf = ([first]: readonly Tensor[]): number | null =>
  first?.dtype === 'float32' && first.data.length === 1 ? shortest(first.data[0]) : null

function vector([embedding]: readonly Tensor[]): Float32Array {
  if (embedding.dtype !== 'float32') throw new TypeError(`an embedding must be float32, got ${embedding.dtype}`)
  return embedding.data
}

const optionalOf = (part: Part): ReadonlySet<string> =>
  new Set(featuresOf(part).flatMap(({ name, fallback }) => (fallback === undefined ? [] : [name])))

/** The features that callers give for a part. */
export const featuresOf = ({ preparation, inputs }: Part): readonly Port[] => preparation.features(inputs)

/** @throws {RangeError} where the model has no such tower */
export function towerPart(definition: ModelDefinition, which: Which): Part {
  const tower: TowerDefinition | null = definition.towers[which]
  if (tower === null)
    throw new RangeError(
      `${definition.source} has no ${which} tower (${definition.towers.notes.join('; ') || 'none was found'}); name a --signature`,
    )
  return {
    kind: 'tower',
    name: which,
    graph: tower.graph,
    inputs: tower.inputs,
    outputs: [tower.output],
    ...prepared(definition),
  }
}

/** @throws {RangeError} where the model has no such signature */
export function signaturePart(definition: ModelDefinition, name: string): Part {
  const found: Signature | undefined = definition.signatures.find((signature) => signature.name === name)
  if (found === undefined) {
    const known = definition.signatures.map((signature) => `"${signature.name}"`).join(', ') || 'none'
    throw new RangeError(`${definition.source} has no signature "${name}"; it has ${known}`)
  }
  const { graph, inputs, outputs } = found
  return { kind: 'signature', name, graph, inputs, outputs, ...prepared(definition) }
}

const prepared = ({ preprocess }: ModelDefinition): Pick<Part, 'preparation' | 'declared'> =>
  preprocess === undefined
    ? { preparation: NO_PREPARATION, declared: {} }
    : { preparation: new Preprocessor(preprocess), declared: parsePreprocess(preprocess).inputs }
