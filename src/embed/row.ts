import type { Model } from '../engine/model.ts'
import type { Json } from '../json/parse.ts'
import { columnsOf, type Row } from '../serve/rows.ts'
import { isMembers, vectorOf } from '../serve/values.ts'
import { openInstance } from '../serve/vertex.ts'

export type Side = 'query' | 'candidate'

/** What a row calls itself: its `id` or `key`, given back beside the answer. */
export interface RowName {
  readonly id?: Json
  readonly key?: Json
}

/** A row of input: features to embed, an embedding that is there already, or what is wrong with it. */
export interface InputRow {
  readonly name: RowName
  /** The row as it came, where it could be read. */
  readonly json?: Json
  readonly features?: Row
  readonly embedding?: Float32Array
  readonly error?: string
}

/** Embeds rows with one tower of a model; without a model it takes rows that hold their embedding. */
export class RowEmbedder {
  private readonly model: Model | null
  private readonly side: Side
  private readonly names: readonly string[]
  private readonly has: boolean
  /** How wide the tower's embeddings are; null until it is known. */
  private width: number | null

  /** @param width of all embeddings; by default those that rows hold are only held against what the tower has made of others */
  constructor(model: Model | null, side: Side, width: number | null = null) {
    this.model = model
    this.side = side
    this.width = width
    this.has = model !== null && model.structure[side] !== null
    this.names = this.has ? this.tower().features.map((port) => port.name) : []
  }

  /** The row that `json` gives. A row that holds an `embedding` already needs no tower. */
  row(json: () => Json): InputRow {
    let name: RowName = {}
    try {
      const row = json()
      if (!isMembers(row)) throw new TypeError('a row must be a JSON object of features')
      name = { ...(row.id === undefined ? {} : { id: row.id }), ...(row.key === undefined ? {} : { key: row.key }) }
      if (row.embedding !== undefined && !this.names.includes('embedding'))
        return { name, json: row, embedding: vectorOf(row.embedding) }
      if (!this.has)
        throw new RangeError(
          this.model === null
            ? 'there is no model to embed features: a row must hold its "embedding"'
            : `the model has no ${this.side} tower: a row must hold its "embedding"`,
        )
      return { name, json: row, features: openInstance(row, this.names).features }
    } catch (error) {
      return { name, error: (error as Error).message }
    }
  }

  /**
   * The embeddings of `rows`, in order, or what is wrong with a row. Where the rows fail together they are tried one by
   * one, so that a bad row spoils only itself.
   */
  embed(rows: readonly InputRow[]): (Float32Array | string)[] {
    const pending = rows.flatMap(({ features }) => (features === undefined ? [] : [features]))
    let found: (Float32Array | string)[]
    try {
      found = pending.length === 0 ? [] : this.run(pending)
    } catch {
      found = pending.map((features) => {
        try {
          return this.run([features])[0]
        } catch (error) {
          return (error as Error).message
        }
      })
    }
    let next = 0
    return rows.map(({ features, embedding, error }) =>
      features !== undefined
        ? found[next++]
        : embedding === undefined
          ? (error ?? 'no embedding')
          : this.given(embedding),
    )
  }

  /** Held against the tower and not against the rows before, of which the first may be the wrong one. */
  private given(embedding: Float32Array): Float32Array | string {
    if (this.width === null || embedding.length === this.width) return embedding
    return `the row's embedding has ${embedding.length} dimensions, those of the ${this.side} tower have ${this.width}`
  }

  private tower(): Model[Side] {
    return (this.model as Model)[this.side]
  }

  private run(rows: readonly Row[]): Float32Array[] {
    const tower = this.tower()
    const { data, shape } = tower.embed(columnsOf(rows, tower.features))
    const width = shape[shape.length - 1]
    if (shape[0] !== rows.length || data.length !== rows.length * width)
      throw new RangeError(`the ${this.side} tower gives [${shape}] for ${rows.length} rows: a vector a row is wanted`)
    this.width ??= width
    return rows.map((_, i) => (data as Float32Array).subarray(i * width, (i + 1) * width))
  }
}
