import type { Json } from '../json/parse.ts'
import { isBytes, isMembers, type Members } from '../serve/values.ts'

/** One instance as an endpoint took it, with what it answered. */
export interface RecordedAnswer {
  /** For messages: the file and line, and the place in a request of several. */
  readonly at: string
  /** The signature that was asked, where the recording names it. */
  readonly signature?: string
  /** Raw features by name; a bare instance as it is. */
  readonly instance: Json
  readonly prediction: Json
}

/** A query and a candidate with their recorded score. */
export interface RecordedScore {
  readonly at: string
  readonly query: Members
  readonly candidate: Members
  readonly score: number
}

/** What a file of recordings holds. */
export interface Recordings {
  readonly answers: readonly RecordedAnswer[]
  readonly scores: readonly RecordedScore[]
  /** How many were refusals of the endpoint: they say nothing of numbers and are left out. */
  readonly refusals: number
}

/**
 * The recordings in one JSON document: `{"instance", "prediction"}` as a batch prediction writes it; a request with its
 * response, in one object or as `{"request", "response"}`; columns with `outputs`; scored pairs; goldens.
 * @throws {TypeError} where it is none of these, or an answer lacks
 */
export function recordingsIn(item: Json, at: string): Recordings {
  if (!isMembers(item)) throw new TypeError(`${at}: ${WANTED}`)
  if (Array.isArray(item.cases)) return joined(item.cases.map((one: Json, i: number) => golden(one, `${at} case ${i}`)))
  if (isMembers(item.request) && isMembers(item.response))
    return recordingsIn({ ...item.request, ...item.response }, at)
  if (item.error !== undefined) return { ...NOTHING, refusals: 1 }
  if (item.query !== undefined) return pairs(item, at)
  const signature = typeof item.signature_name === 'string' ? { signature: item.signature_name } : {}
  const prediction = item.prediction ?? item.output
  if (item.instance !== undefined && prediction !== undefined)
    return { ...NOTHING, answers: [{ at, ...signature, instance: item.instance, prediction }] }
  const instances = item.instances ?? (item.inputs === undefined ? undefined : rowsOf(item.inputs, at))
  const answers = item.predictions ?? (item.outputs === undefined ? undefined : rowsOf(item.outputs, at))
  if (!Array.isArray(instances) || !Array.isArray(answers)) throw new TypeError(`${at}: ${WANTED}`)
  if (instances.length !== answers.length)
    throw new RangeError(`${at}: ${instances.length} instances and ${answers.length} predictions`)
  return {
    ...NOTHING,
    answers: instances.map((instance: Json, i: number) => ({
      at: instances.length === 1 ? at : `${at} instance ${i}`,
      ...signature,
      instance,
      prediction: answers[i],
    })),
  }
}

export const joined = (all: readonly Recordings[]): Recordings => ({
  answers: all.flatMap(({ answers }) => answers),
  scores: all.flatMap(({ scores }) => scores),
  refusals: all.reduce((sum, { refusals }) => sum + refusals, 0),
})

const NOTHING: Recordings = { answers: [], scores: [], refusals: 0 }

const WANTED =
  'a recording is {"instance", "prediction"}, {"instances", "predictions"}, {"request", "response"}, {"inputs", "outputs"} or {"query", "candidate", "score"}'

function pairs(item: Members, at: string): Recordings {
  const [candidates, scores] =
    item.candidates === undefined ? [[item.candidate], [item.score ?? item.prediction]] : [item.candidates, item.scores]
  if (!isMembers(item.query) || !Array.isArray(candidates) || !Array.isArray(scores))
    throw new TypeError(`${at}: a scored pair is {"query", "candidate", "score"}, or with lists "candidates", "scores"`)
  const { query } = item
  if (candidates.length !== scores.length)
    throw new RangeError(`${at}: ${candidates.length} candidates and ${scores.length} scores`)
  return {
    ...NOTHING,
    scores: candidates.map((candidate: Json | undefined, i: number) => {
      const score: Json | undefined = Array.isArray(scores[i]) && scores[i].length === 1 ? scores[i][0] : scores[i]
      if (candidate === undefined || !isMembers(candidate) || typeof score !== 'number')
        throw new TypeError(`${at}: a candidate must be an object of features, and its score a number`)
      return { at: candidates.length === 1 ? at : `${at} candidate ${i}`, query, candidate, score }
    }),
  }
}

/** Columns as rows: an object of lists of one length, or the only column's values. */
function rowsOf(columns: Json, at: string): readonly Json[] {
  if (Array.isArray(columns)) return columns
  if (!isMembers(columns) || isBytes(columns)) throw new TypeError(`${at}: ${WANTED}`)
  const entries = Object.entries(columns)
  const count = Array.isArray(entries[0]?.[1]) ? entries[0][1].length : 0
  if (!entries.every(([, values]) => Array.isArray(values) && values.length === count))
    throw new RangeError(`${at}: the columns must be lists with one value an instance each`)
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(entries.map(([name, values]) => [name, (values as readonly Json[])[i]])),
  )
}

/** A golden: `{"signature", "inputs": {NAME: {dtype, shape, data}}, "outputs" | "error"}`. */
function golden(item: Json, at: string): Recordings {
  if (!isMembers(item) || !isMembers(item.inputs)) throw new TypeError(`${at}: a case must have "inputs"`)
  if (!isMembers(item.outputs)) return { ...NOTHING, refusals: 1 }
  const signature = typeof item.signature === 'string' ? { signature_name: item.signature } : {}
  return recordingsIn({ ...signature, inputs: lists(item.inputs, at), outputs: lists(item.outputs, at) }, at)
}

/** Flat tensors as lists of rows. */
const lists = (tensors: Members, at: string): Members =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, value]) => {
      if (!isMembers(value) || !Array.isArray(value.shape) || !Array.isArray(value.data))
        throw new TypeError(`${at}: "${name}" must be {dtype, shape, data}`)
      return [name, nestedLists(value.data, value.shape as readonly number[])]
    }),
  )

function nestedLists(data: readonly Json[], shape: readonly number[]): readonly Json[] {
  if (shape.length <= 1) return data
  const step = data.length / Math.max(1, shape[0])
  return Array.from({ length: shape[0] }, (_, i) => nestedLists(data.slice(i * step, (i + 1) * step), shape.slice(1)))
}
