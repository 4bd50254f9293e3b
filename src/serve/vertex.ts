import { type Json, parseJson } from '../json/parse.ts'
import { isMembers, type Members } from './values.ts'

/** An instance with what it carries besides its features. */
export interface Instance {
  readonly features: Members
  /** To be given back beside the answer. */
  readonly key?: Json
}

/**
 * An instance as Vertex AI's two-tower models take it, `{"data": "{\"user_id\": [\"1\"]}", "key": "k"}`: the features are
 * JSON inside a string. Any other instance, and one of a model that has an input `data` itself, is its own features.
 *
 * @param inputs names of the model's inputs
 * @throws {TypeError} where `data` is not JSON of an object
 */
export function openInstance(instance: Members, inputs: readonly string[]): Instance {
  const { data, key } = instance
  if (typeof data !== 'string' || inputs.includes('data')) return { features: instance }
  let features: Json
  try {
    features = parseJson(data)
  } catch (error) {
    throw new TypeError(`"data" must be JSON text of the features: ${(error as Error).message}`)
  }
  if (!isMembers(features)) throw new TypeError('"data" must be JSON text of an object that names the features')
  return { features, ...(key === undefined ? {} : { key }) }
}
