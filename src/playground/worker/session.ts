import type { Model } from '../../engine/model.ts'
import type { OpTable, Port } from '../../graph/index.ts'
import { modelOf } from '../../load.ts'
import { compileKernels, ExactIndex } from '../../search/index.ts'
import type { Members } from '../../serve/values.ts'
import { heldCandidates } from '../../towers/index.ts'
import { embedItems, type Given, type Items, type Rows } from './items.ts'
import { type Plane, planeOf } from './project.ts'
import type { Read } from './source.ts'

/** Items on the map at most. */
const MOST_PLACED = 50_000

/** A model that is open, and all that is known of it. */
export interface Session {
  readonly read: Read
  readonly model: Model
  /** The reference ops of its graphs. */
  readonly ops: OpTable
  /** From the first byte to a model that runs. */
  readonly milliseconds: number
  /** Rows of query features to begin with. */
  readonly examples: readonly Members[]
  readonly items: Items | null
  /** Milliseconds that it took to embed them. */
  readonly embedded: number
  readonly index: ExactIndex | null
  readonly map: ItemMap | null
  /** What was given and could not be used, in words. */
  readonly remarks: readonly string[]
}

/** Where items lie. */
export interface ItemMap {
  readonly plane: Plane
  /** The items that are shown: all, or where there are very many every n-th. */
  readonly placed: Uint32Array
  /** x and y of each of them. */
  readonly points: Float32Array
}

/** A model that runs, with the candidates that its export holds. */
export async function start(read: Read): Promise<Session> {
  const begin = performance.now()
  let ops: OpTable = new Map()
  const model = await modelOf(read.definition, {
    watch(known) {
      ops = known
      return known
    },
  })
  const milliseconds = read.milliseconds + performance.now() - begin
  const held = heldCandidates(read.definition)
  const items =
    held === null || held.width !== model.structure.query?.output.shape?.at(-1)
      ? null
      : { ...held, from: 'the candidates that the export holds', labels: held.ids, rows: [], remarks: [] }
  return searched({
    ...{ read, model, ops, milliseconds, items, examples: [], remarks: [] },
    ...{ embedded: 0, index: null, map: null },
  })
}

/**
 * The session with rows that were given, each list sorted by the tower whose features it has; what is of no use is told in
 * remarks.
 */
export function withRows(session: Session, given: Given, progress: (words: string) => void): Promise<Session> {
  let { items, examples, remarks, embedded } = session
  for (const rows of given) {
    try {
      if (rows instanceof Error) throw rows
      const side = sideOf(session.model, rows)
      if (side === 'query') examples = rows.rows
      else if (side === 'candidate') {
        progress(`embedding ${rows.rows.length} items`)
        const begin = performance.now()
        items = embedItems(session.model, rows, progress)
        embedded = performance.now() - begin
        remarks = [...remarks, ...items.remarks]
      } else remarks = [...remarks, side]
    } catch (error) {
      remarks = [...remarks, (error as Error).message]
    }
  }
  return searched({ ...session, items, examples, remarks, embedded })
}

/** The session with its items to be searched, and to be seen on a map. */
export async function searched(session: Session): Promise<Session> {
  const { items, model } = session
  const { similarity, query } = model.structure
  if (items === null || similarity === null || query === null) return { ...session, index: null, map: null }
  const { ids, vectors } = items
  const index = new ExactIndex(ids, vectors, similarity, await compileKernels())
  const { width } = index
  const vector = (item: number) => placeable(vectors.subarray(item * width, (item + 1) * width), index)
  const stride = Math.max(1, Math.ceil(ids.length / MOST_PLACED))
  const placed = Uint32Array.from({ length: Math.ceil(ids.length / stride) }, (_, i) => i * stride)
  const shown = new Float32Array(placed.length * width)
  for (const [i, item] of placed.entries()) shown.set(vector(item), i * width)
  const plane = planeOf(shown, placed.length)
  const points = new Float32Array(2 * placed.length)
  for (let i = 0; i < placed.length; i++) points.set(plane.place(shown.subarray(i * width, (i + 1) * width)), 2 * i)
  return { ...session, index, map: { plane, placed, points } }
}

/** A vector as the map places it: under the cosine only its direction counts. */
export function placeable(vector: Float32Array, { similarity }: ExactIndex): Float32Array {
  if (similarity.metric !== 'cosine') return vector
  const norm = Math.hypot(...vector) || 1
  return vector.map((value) => value / norm)
}

/** Whose features rows have; else why they are of no use, in words. */
function sideOf(model: Model, { from, rows }: Rows): 'query' | 'candidate' | string {
  const [row] = rows
  if (row === undefined) return `${from} is empty`
  const has = (ports: readonly Port[]) =>
    ports.every(({ name, fallback }) => fallback !== undefined || Object.hasOwn(row, name)) &&
    ports.some(({ name }) => Object.hasOwn(row, name))
  const { query, candidate } = model.structure
  const isCandidate = candidate !== null && has(model.candidate.features)
  if (isCandidate || Array.isArray(row.embedding)) return 'candidate'
  if (query !== null && has(model.query.features)) return 'query'
  const lacking = candidate === null ? [] : model.candidate.features.filter(({ name }) => !Object.hasOwn(row, name))
  const names = lacking.map(({ name }) => name).join(', ')
  return `${from} is left out: its rows have the features of neither tower${names === '' ? '' : ` (as items they lack ${names})`}`
}
