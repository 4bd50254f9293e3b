import { type InputRow, RowEmbedder, type RowName, type Side } from '../embed/row.ts'
import type { Model } from '../engine/model.ts'
import { type Json, parseJson } from '../json/parse.ts'
import type { Line } from './stdio.ts'

/** A line of input with its embedding, or with what is wrong with it. */
export interface Embedded {
  readonly at: string
  readonly name: RowName
  /** The line as it came, where it could be read. */
  readonly json?: Json
  readonly embedding?: Float32Array
  readonly error?: string
}

/** Embeds rows of raw features, batch by batch, in order. */
export async function* embedLines(
  lines: AsyncIterable<Line>,
  model: Model | null,
  side: Side,
  batch: number,
): AsyncGenerator<Embedded> {
  const embedder = new RowEmbedder(model, side)
  let waiting: { readonly at: string; readonly row: InputRow }[] = []
  function* answers(): Generator<Embedded> {
    const found = embedder.embed(waiting.map(({ row }) => row))
    for (const [i, { at, row }] of waiting.entries()) {
      const answer = found[i]
      const { name, json } = row
      yield {
        at,
        name,
        ...(json !== undefined && { json }),
        ...(typeof answer === 'string' ? { error: answer } : { embedding: answer }),
      }
    }
    waiting = []
  }
  for await (const { text, at } of lines) {
    waiting.push({ at, row: embedder.row(() => parseJson(text())) })
    if (waiting.length === batch) yield* answers()
  }
  yield* answers()
}
