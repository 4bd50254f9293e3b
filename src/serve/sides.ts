import type { Features, Model, PublicTensor } from '../engine/model.ts'
import type { Json } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import { columnsOf } from './rows.ts'
import { isMembers, type Members, vectorOf } from './values.ts'
import { openInstance } from './vertex.ts'

/**
 * One side of a comparison as `Model.score` takes it: embeddings as they are, features as columns.
 * @throws {TypeError} where the rows are neither
 * @throws {RangeError} for embeddings of different lengths, or a feature that is missing
 */
function sideOf(model: Model, which: 'query' | 'candidate', rows: readonly Json[]): Features | PublicTensor {
  if (rows.every((row) => Array.isArray(row))) {
    const vectors = rows.map(vectorOf)
    const width = vectors[0]?.length ?? 0
    if (vectors.some((vector) => vector.length !== width))
      throw new RangeError(`the ${which} embeddings have different lengths`)
    const data = new Float32Array(rows.length * width)
    for (const [i, vector] of vectors.entries()) data.set(vector, i * width)
    return { dtype: 'float32', shape: [rows.length, width], data }
  }
  if (!rows.every(isMembers)) throw new TypeError(`"${which}" must be features or an embedding`)
  const names = model.featuresOf(which).map((port) => port.name)
  return columnsOf(
    rows.map((row) => openInstance(row as Members, names).features),
    model.featuresOf(which),
  )
}

/**
 * The scores of one query with each candidate: by the similarity of their embeddings or, where no similarity separates the
 * towers, by the whole graph on the features of both.
 * @throws as `sideOf`, and where a model that scores by itself is given embeddings
 */
export function scoresOf(model: Model, query: Json, candidates: readonly Json[]): Float32Array {
  const { similarity, joint } = model.structure
  if (similarity !== null || joint === null)
    return model.score(sideOf(model, 'query', [query]), sideOf(model, 'candidate', candidates)).data as Float32Array
  const given = model.rawInputs(joint.signature).flatMap(({ name, features }) => [name, ...Object.keys(features ?? {})])
  return wholeScores(
    model,
    candidates.map((candidate) => {
      if (!isMembers(query) || !isMembers(candidate))
        throw new TypeError('"query" and "candidate" must be features: the model scores by itself, without embeddings')
      const twice = given.find(
        (name) =>
          Object.hasOwn(query, name) &&
          Object.hasOwn(candidate, name) &&
          jsonText(query[name]) !== jsonText(candidate[name]),
      )
      if (twice !== undefined) throw new TypeError(`the sides give "${twice}" differently, which the model takes once`)
      return { ...query, ...candidate }
    }),
  )
}

/** The scores of whole instances by the signature that scores by itself. */
export function wholeScores(model: Model, rows: readonly Members[]): Float32Array {
  const { joint, notes } = model.structure
  if (joint === null) throw new RangeError(`no output of the model scores by itself (${notes.join('; ')})`)
  const ports = model.rawInputs(joint.signature)
  const names = ports.map((port) => port.name)
  const features = columnsOf(
    rows.map((row) => openInstance(row, names).features),
    ports,
  )
  return model.run(joint.signature, features)[joint.output].data as Float32Array
}
