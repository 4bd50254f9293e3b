import type { Model } from '../engine/model.ts'
import { type Json, parseJson } from '../serve/json.ts'
import { columnsOf, type Row } from '../serve/rows.ts'
import { isMembers } from '../serve/values.ts'
import { openInstance } from '../serve/vertex.ts'
import type { Line } from './stdio.ts'

type Side = 'query' | 'candidate'

/** A line of input with its embedding, or with what is wrong with it. */
export interface Embedded {
  readonly at: string
  /** What the row calls itself: its `id` or `key`, given back beside the answer. */
  readonly name: { readonly id?: Json; readonly key?: Json }
  readonly embedding?: Float32Array
  readonly error?: string
}

interface Parsed {
  readonly at: string
  readonly name: Embedded['name']
  readonly row?: Row
  readonly embedding?: Float32Array
  readonly error?: string
}

/**
 * Embeds rows of raw features, batch by batch, in order. Where a batch fails its rows are tried one by one, so that one bad
 * row spoils only itself. A row that holds an `embedding` already is taken as it is, and needs no tower.
 */
export async function* embedLines(
  lines: AsyncIterable<Line>,
  model: Model,
  side: Side,
  batch: number,
): AsyncGenerator<Embedded> {
  let waiting: Parsed[] = []
  for await (const line of lines) {
    waiting.push(parse(line, model, side))
    if (waiting.length < batch) continue
    yield* embedBatch(waiting, model, side)
    waiting = []
  }
  yield* embedBatch(waiting, model, side)
}

function parse({ text, at }: Line, model: Model, side: Side): Parsed {
  let name: Embedded['name'] = {}
  try {
    const row = parseJson(text())
    if (!isMembers(row)) throw new TypeError('a row must be a JSON object of features')
    name = { ...(row.id === undefined ? {} : { id: row.id }), ...(row.key === undefined ? {} : { key: row.key }) }
    const names = model.structure[side] === null ? [] : model[side].features.map((port) => port.name)
    if (row.embedding !== undefined && !names.includes('embedding'))
      return { at, name, embedding: vectorOf(row.embedding) }
    if (model.structure[side] === null)
      throw new RangeError(`the model has no ${side} tower: a row must hold its "embedding"`)
    return { at, name, row: openInstance(row, names).features }
  } catch (error) {
    return { at, name, error: (error as Error).message }
  }
}

/** @throws {TypeError} where `json` is not a list of numbers */
export function vectorOf(json: Json): Float32Array {
  if (!Array.isArray(json) || !json.every((value) => typeof value === 'number'))
    throw new TypeError('an embedding must be a list of numbers')
  return Float32Array.from(json as number[])
}

function* embedBatch(batch: readonly Parsed[], model: Model, side: Side): Generator<Embedded> {
  const pending = batch.filter((item) => item.row !== undefined)
  const vectors = new Map<Parsed, Float32Array | string>()
  const run = (items: readonly Parsed[]): void => {
    const tower = model[side]
    const { data, shape } = tower.embed(
      columnsOf(
        items.map((item) => item.row as Row),
        tower.features,
      ),
    )
    const width = shape[shape.length - 1]
    for (const [i, item] of items.entries()) vectors.set(item, (data as Float32Array).slice(i * width, (i + 1) * width))
  }
  try {
    if (pending.length > 0) run(pending)
  } catch {
    for (const item of pending) {
      try {
        run([item])
      } catch (error) {
        vectors.set(item, (error as Error).message)
      }
    }
  }
  for (const item of batch) {
    const vector = item.embedding ?? vectors.get(item)
    if (vector instanceof Float32Array) yield { at: item.at, name: item.name, embedding: vector }
    else yield { at: item.at, name: item.name, error: item.error ?? vector ?? 'no embedding' }
  }
}
