import type { Model } from '../engine/model.ts'
import { linesOf, writeAnswer } from './jsonl.ts'
import type { Answer, Job, Piece } from './piece.ts'
import { RowEmbedder } from './row.ts'
import { Utf8Writer } from './text.ts'

/** Answers pieces: reads their rows, embeds them and writes what is to stand in the output. */
export class Answerer {
  private readonly rows: RowEmbedder
  private readonly batch: number
  private readonly writer = new Utf8Writer()

  constructor(model: Model, { side, batch }: Job) {
    this.rows = new RowEmbedder(model, side)
    this.batch = batch
  }

  answer({ name, first, body }: Piece): Answer {
    const lines = linesOf(body as Uint8Array, first)
    let failed = 0
    for (let start = 0; start < lines.length; start += this.batch) {
      const part = lines.slice(start, start + this.batch)
      const rows = part.map((line) => this.rows.row(line.json))
      for (const [i, found] of this.rows.embed(rows).entries()) {
        const bad = typeof found === 'string'
        if (bad) failed++
        writeAnswer(this.writer, rows[i].name, bad ? `${name}:${part[i].number}: ${found}` : found)
      }
    }
    return { rows: lines.length, failed, text: this.writer.take() }
  }
}
