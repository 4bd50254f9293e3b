import type { Features, Model, PublicTensor } from '../engine/model.ts'
import type { Json } from '../json/parse.ts'
import { columnsOf } from './rows.ts'
import { isMembers, type Members, vectorOf } from './values.ts'
import { openInstance } from './vertex.ts'

/**
 * One side of a comparison as `Model.score` takes it: embeddings as they are, features as columns.
 * @throws {TypeError} where the rows are neither
 * @throws {RangeError} for embeddings of different lengths, or a feature that is missing
 */
export function sideOf(model: Model, which: 'query' | 'candidate', rows: readonly Json[]): Features | PublicTensor {
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
  const features = rows.map((row) => openInstance(row as Members, names).features)
  // A signature that scores by itself takes both sides' features: each side brings its own.
  const apart = model.structure.similarity !== null
  const ports = model.featuresOf(which).filter((port) => apart || Object.hasOwn(features[0] ?? {}, port.name))
  return columnsOf(features, ports)
}
