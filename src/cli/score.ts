import type { Model } from '../engine/model.ts'
import { type Json, parseJson } from '../json/parse.ts'
import { float32Text, jsonText } from '../json/text.ts'
import { load } from '../load.ts'
import { scoresOf, wholeScores } from '../serve/sides.ts'
import { isMembers } from '../serve/values.ts'
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

const SIDES = ['query', 'candidate', 'candidates']
const SHAPE =
  'a line must be {"query": …, "candidate": …} or {"query": …, "candidates": […]}; where the model scores by itself it may be an instance'

function scoreLine(model: Model, line: Json): string {
  if (!isMembers(line)) throw new TypeError(SHAPE)
  const { similarity, joint } = model.structure
  const whole = similarity === null && joint !== null && !SIDES.some((side) => line[side] !== undefined)
  if (!whole && (line.query === undefined || (line.candidate === undefined) === (line.candidates === undefined)))
    throw new TypeError(SHAPE)
  const name = ['id', 'key']
    .filter((key) => line[key] !== undefined)
    .map((key) => `"${key}": ${jsonText(line[key])}, `)
    .join('')
  if (whole) return `{${name}"score": ${float32Text(wholeScores(model, [line])[0])}}`
  if (line.candidate !== undefined)
    return `{${name}"score": ${float32Text(scoresOf(model, line.query, [line.candidate])[0])}}`
  if (!Array.isArray(line.candidates)) throw new TypeError('"candidates" must be a list')
  const scores = scoresOf(model, line.query, line.candidates)
  return `{${name}"scores": [${Array.from(scores, float32Text).join(', ')}]}`
}
