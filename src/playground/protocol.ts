// What the page asks of its worker, and what it is told. All of it can be cloned from one to the other.
import type { ExplainedPart } from '../explain/part.ts'
import type { ExplainedScore } from '../explain/score.ts'
import type { Dim, Similarity, SimilarityChoice } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import type { Members } from '../serve/values.ts'
import type { DType } from '../tensor/index.ts'

/** A file that the visitor gave, with its path within what was given: a clone of a File forgets it. */
export interface Picked {
  readonly path: string
  readonly file: File
}

/** Where a model is: files of the visitor's, or an address with those of what goes with it. */
export type Source = { readonly picked: readonly Picked[] } | Offer

/** A model that the site brings along (models.json), its files by addresses relative to the page. */
export interface Offer {
  readonly name: string
  /** The folder of a bundle or SavedModel. */
  readonly model: string
  /** Rows of candidate features, one JSON document a line. */
  readonly items?: string
  /** Rows of query features to begin with. */
  readonly examples?: string
}

/** models.json beside the page. */
export interface Site {
  readonly models: readonly Offer[]
  /** Whether tfjs-wasm lies beside the page, to be measured against. */
  readonly tfjs: boolean
}

export interface PortView {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly Dim[] | null
}

/** A part of the model that has a form: a tower or a signature. */
export interface PartView {
  readonly kind: 'tower' | 'signature'
  readonly name: string
  readonly fields: readonly Field[]
  /** A row to begin with. */
  readonly row: Members
  readonly outputs: readonly PortView[]
  /** From the features up to the embedding; of signatures none. */
  readonly layers: readonly Layer[]
}

/** One feature, and how a person gives it. */
export interface Field extends PortView {
  readonly control: Control
  /** Whether the model has a default for it. */
  readonly optional: boolean
}

export type Control =
  /** One word of a vocabulary, or one that is not in it. */
  | { readonly kind: 'choice'; readonly size: number; readonly numeric: boolean }
  | { readonly kind: 'text'; readonly tokens: boolean }
  | { readonly kind: 'number'; readonly range: Range; readonly whole: boolean }
  | { readonly kind: 'numbers'; readonly ranges: readonly Range[]; readonly whole: boolean }
  | { readonly kind: 'flag' }
  /** Several words or ids; `size` of their vocabulary, 0 where there is none. */
  | { readonly kind: 'list'; readonly size: number; readonly numeric: boolean; readonly length: number | null }
  | { readonly kind: 'json' }

/** Which numbers are usual, and who says so. */
export interface Range {
  readonly low: number
  readonly high: number
  readonly from: 'normalisation' | 'buckets' | 'ids' | 'rows' | 'guess'
}

/** A layer as it is drawn. */
export interface Layer {
  readonly words: string
  /** Numbers that come out of it. */
  readonly width: number
}

export interface SignatureView {
  readonly name: string
  readonly method: string
  readonly inputs: readonly PortView[]
  readonly outputs: readonly PortView[]
}

/** A model that was opened. */
export interface Opened {
  readonly name: string
  readonly kind: 'bundle' | 'SavedModel' | 'pair of SavedModels'
  /** What its files take. */
  readonly bytes: number | null
  readonly milliseconds: number
  readonly signatures: readonly SignatureView[]
  readonly similarity: Similarity | null
  readonly similarityWords: string | null
  readonly notes: readonly string[]
  readonly query: PartView | null
  readonly candidate: PartView | null
  /** Each signature as a part, for models without towers and for those who want it. */
  readonly parts: readonly PartView[]
  readonly items: ItemsView | null
  readonly examples: readonly Example[]
  /** What was given and could not be used, in words. */
  readonly remarks: readonly string[]
}

export interface Example {
  readonly label: string
  readonly row: Members
}

/** The items that are searched. */
export interface ItemsView {
  /** Where they come from, in words. */
  readonly from: string
  readonly labels: readonly string[]
  /** Places on the map, x and y of each item of `placed`. */
  readonly points: Float32Array
  /** The items on the map: all, or where there are very many every n-th. */
  readonly placed: Uint32Array
  /** The part of the variance that the map shows. */
  readonly shown: number
  /** Whether their features are known, so that one can fill the form. */
  readonly rows: boolean
  readonly milliseconds: number
}

/** One item for a query. */
export interface Hit {
  readonly item: number
  readonly rank: number
  readonly score: number
}

/** What a query finds. */
export interface Ranking {
  readonly hits: readonly Hit[]
  /** The item that was asked for, wherever it stands. */
  readonly pinned: Hit | null
  readonly embedding: Float32Array
  /** Where the query lands on the map. */
  readonly point: readonly [number, number] | null
}

/** What came of one instance of a part. */
export interface Followed {
  readonly part: ExplainedPart
  readonly score: ExplainedScore | null
  /** Every output as JSON would give it, cut where it is long. */
  readonly outputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly text: string }[]
}

/** Medians, in microseconds a call. */
export interface Timings {
  readonly embed: number
  readonly search: number | null
  /** The same request by tfjs-wasm, where it was asked for. */
  readonly tfjs: number | null
}

/** What the worker does; each call may fail with an error whose message is for people. */
export interface Desk {
  open(source: Source): Promise<Opened>
  /** Adds items or examples to the open model. */
  add(picked: readonly Picked[]): Promise<Opened>
  choose(similarity: SimilarityChoice): Promise<Opened>
  rank(row: Members, k: number, pinned: number | null): Promise<Ranking>
  follow(part: PartName, row: Members): Promise<Followed>
  /** The score of a pair and what makes it. */
  compare(query: Members, candidate: Members): Promise<ExplainedScore | null>
  suggest(part: PartName, feature: string, text: string): Promise<readonly string[]>
  /** The features of an item. */
  item(item: number): Promise<Members | null>
  /** Items whose labels hold `text`. */
  find(text: string): Promise<readonly number[]>
  measure(row: Members, tfjs: boolean): Promise<Timings>
  /** A request's body for servers, as text. */
  text(row: Members): Promise<string>
}

export type PartName = Pick<PartView, 'kind' | 'name'>
export type { Json, Members }

type Call = { [Name in keyof Desk]: { readonly name: Name; readonly args: Parameters<Desk[Name]> } }[keyof Desk]

/** From the page: a call with a number by which its answer is known. */
export type Asked = { readonly number: number } & Call

/** From the worker: an answer, or how far a long one is. */
export type Told =
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly problem: string }
  | { readonly progress: string }
