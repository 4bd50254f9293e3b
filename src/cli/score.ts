import type { Features, Model, PublicTensor } from '../engine/model.ts'
import { load } from '../load.ts'
import { float32Text, type Json, jsonText, parseJson } from '../serve/json.ts'
import { columnsOf } from '../serve/rows.ts'
import { isMembers, type Members } from '../serve/values.ts'
import { openInstance } from '../serve/vertex.ts'
import { vectorOf } from './embedding.ts'
import { EXIT } from './exit.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { notKnown } from './similarity.ts'
import { readLines, write } from './stdio.ts'

/** Scores pairs, or one query against a list of candidates, one JSON object a line. */
export async function score(path: string, files: readonly string[], options: LoadingOptions): Promise<void> {
  const model = await load(path, loadOptions(options))
  const { similarity, joint, notes } = model.structure
  if (similarity === null && joint === null) throw notKnown(notes)
  for await (const { text, at } of readLines(files)) {
    let answer: string
    try {
      answer = scoreLine(model, parseJson(text()))
    } catch (error) {
      process.exitCode = EXIT.failed
      answer = JSON.stringify({ error: `${at}: ${(error as Error).message}` })
    }
    await write(process.stdout, `${answer}\n`)
  }
}

function scoreLine(model: Model, line: Json): string {
  if (
    !isMembers(line) ||
    line.query === undefined ||
    (line.candidate === undefined) === (line.candidates === undefined)
  ) {
    throw new TypeError('a line must be {"query": …, "candidate": …} or {"query": …, "candidates": […]}')
  }
  const name = ['id', 'key']
    .filter((key) => line[key] !== undefined)
    .map((key) => `"${key}": ${jsonText(line[key])}, `)
    .join('')
  const query = side(model, 'query', [line.query])
  if (line.candidate !== undefined) {
    const [value] = model.score(query, side(model, 'candidate', [line.candidate])).data as Float32Array
    return `{${name}"score": ${float32Text(value)}}`
  }
  if (!Array.isArray(line.candidates)) throw new TypeError('"candidates" must be a list')
  const scores = model.score(query, side(model, 'candidate', line.candidates)).data as Float32Array
  return `{${name}"scores": [${Array.from(scores, float32Text).join(', ')}]}`
}

/** One side of the comparison: embeddings as they are, features as columns. */
function side(model: Model, which: 'query' | 'candidate', rows: readonly Json[]): Features | PublicTensor {
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
