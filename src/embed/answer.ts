import type { Model } from '../engine/model.ts'
import type { ModelDefinition, Port } from '../graph/index.ts'
import { Utf8Writer } from '../json/utf8.ts'
import { type ModelOptions, modelOf } from '../load.ts'
import type { OpenRanges } from './input/parquet.ts'
import { type Reader, readerOf } from './input/reader.ts'
import { batchPredictionLine, idOf, type Layout, nameText, plainLine, vectorSearchLine } from './output/layout.ts'
import type { Answer, AnswerLayout, InputFormat, Job, Piece } from './piece.ts'
import { type InputRow, RowEmbedder } from './row.ts'
import { UnknownWords } from './unknown.ts'

const LINES: Readonly<Record<Exclude<AnswerLayout, 'vectors'>, Layout>> = {
  plain: plainLine,
  'vector-search': vectorSearchLine,
  'batch-prediction': batchPredictionLine,
}

/** A model whose lookups in vocabularies are counted. */
export interface WatchedModel {
  readonly model: Model
  readonly words: UnknownWords
}

/** A model that is in memory already, ready to answer pieces. */
export async function watchedModel(definition: ModelDefinition, options: ModelOptions): Promise<WatchedModel> {
  const words = new UnknownWords()
  for (const tower of [definition.towers.query, definition.towers.candidate])
    if (tower !== null) words.watch(tower.graph, tower.inputs)
  return { model: await modelOf(definition, { ...options, watch: words.counting }), words }
}

/** Answers pieces: reads their rows, embeds them and writes what is to stand in the output. */
export class Answerer {
  private readonly rows: RowEmbedder
  private readonly ports: readonly Port[]
  private readonly job: Job
  private readonly words: UnknownWords
  private readonly readers: ReadonlyMap<InputFormat, Reader>
  private readonly lines = new Utf8Writer()
  private readonly errors = new Utf8Writer()

  /** @param open opens a file of a format whose rows are read where they are answered */
  static async of({ model, words }: WatchedModel, job: Job, open: OpenRanges): Promise<Answerer> {
    const readers = job.formats.map(async (format) => [format, await readerOf(format, open)] as const)
    return new Answerer(model, job, words, new Map(await Promise.all(readers)))
  }

  private constructor(model: Model, job: Job, words: UnknownWords, readers: ReadonlyMap<InputFormat, Reader>) {
    this.words = words
    this.readers = readers
    const tower = model.structure[job.side]
    // Of the tower and not of the rows before: other threads have others.
    this.rows = new RowEmbedder(model, job.side, tower?.output.shape?.slice(1).at(-1) ?? null)
    this.ports = tower === null ? [] : model[job.side].features
    this.job = job
  }

  /** Answers `piece`; one is answered after the other. */
  async answer(piece: Piece): Promise<Answer> {
    const { name } = piece
    const read = await (this.readers.get(piece.format) as Reader)(piece, this.ports)
    const vectors = new Vectors()
    let failed = 0
    for (let start = 0; start < read.length; start += this.job.batch) {
      const part = read.slice(start, start + this.job.batch)
      const rows = part.map((row) => this.rows.row(row.json))
      for (const [i, found] of this.rows.embed(rows).entries()) {
        const problem = typeof found === 'string' ? found : this.write(rows[i], found, vectors)
        if (problem === null) continue
        failed++
        this.fail(name, part[i].number, rows[i], problem)
      }
    }
    const { ids } = vectors
    const [text, errors, lookups] = [this.lines.take(), this.errors.take(), this.words.take()]
    return { rows: read.length, failed, text, ...vectors.take(), ids, errors, lookups }
  }

  /** What is wrong with the answer where it cannot be written so, else null. */
  private write(row: InputRow, embedding: Float32Array, vectors: Vectors): string | null {
    const { layout } = this.job
    try {
      if (layout === 'vectors') vectors.add(idOf(row.name), embedding)
      else LINES[layout](this.lines, row, embedding)
      return null
    } catch (error) {
      return (error as Error).message
    }
  }

  private fail(name: string, number: number, row: InputRow, problem: string): void {
    if (this.job.errors === 'in place')
      this.lines.text(`{${nameText(row.name)}"error": ${JSON.stringify(`${name}:${number}: ${problem}`)}}\n`)
    else
      this.errors.text(
        `{"file": ${JSON.stringify(name)}, "line": ${number}, ${nameText(row.name)}"error": ${JSON.stringify(problem)}}\n`,
      )
  }
}

/** Embeddings of one width, one after the other. */
class Vectors {
  readonly ids: (string | null)[] = []
  private readonly parts: Float32Array[] = []

  add(id: string | null, embedding: Float32Array): void {
    const width = this.parts[0]?.length ?? embedding.length
    if (embedding.length !== width)
      throw new RangeError(`the embedding has ${embedding.length} dimensions, the ones before have ${width}`)
    this.ids.push(id)
    this.parts.push(embedding)
  }

  take(): { readonly vectors: Float32Array<ArrayBuffer> } {
    const vectors = new Float32Array(this.parts.length * (this.parts[0]?.length ?? 0))
    for (const [i, part] of this.parts.entries()) vectors.set(part, i * part.length)
    return { vectors }
  }
}
