import { featureHints } from '../../bench/hints.ts'
import { interleave } from '../../bench/measure.ts'
import type { Features, Model } from '../../engine/model.ts'
import { explain, featuresOf, type Question, towerPart } from '../../explain/explain.ts'
import type { Part } from '../../explain/part.ts'
import type { ExplainedScore } from '../../explain/score.ts'
import { shortest } from '../../explain/stage.ts'
import { type SimilarityChoice, withSimilarity } from '../../graph/index.ts'
import { jsonText } from '../../json/text.ts'
import type { ExactIndex } from '../../search/index.ts'
import { columnsOf } from '../../serve/rows.ts'
import { nested } from '../../serve/values.ts'
import type { Desk, Followed, Hit, Members, Opened, PartName, Picked, Ranking, Source, Timings } from '../protocol.ts'
import { isWhole } from './fields.ts'
import { rowsOfFiles, rowsOfOffer } from './items.ts'
import { placeable, type Session, searched, start, withRows } from './session.ts'
import { readOffer, readPicked, rowFiles } from './source.ts'
import { Suggestions } from './suggestions.ts'
import { onTfjs } from './tfjs.ts'
import { partOf, viewOf } from './view.ts'

/** Elements of an output that are shown, and items that a text finds. */
const [ELEMENTS, FOUND] = [64, 40]
/** Seconds that are spent to measure a request, alone and beside tfjs-wasm. */
const [ALONE, BESIDE] = [0.15, 2]

/** One model at a time, and what the page asks of it. */
export class WorkerDesk implements Desk {
  private readonly progress: (words: string) => void
  private session: Session | null = null
  private suggestions = new Map<string, Suggestions>()
  private tfjs: Promise<Model> | null = null

  constructor(progress: (words: string) => void) {
    this.progress = progress
  }

  async open(source: Source): Promise<Opened> {
    this.progress('reading the model')
    const picked = 'picked' in source
    const session = await start(picked ? await readPicked(source.picked) : await readOffer(source))
    // A model opens without its rows too.
    const given = picked ? await rowsOfFiles(source.picked) : await rowsOfOffer(source)
    return this.take(await withRows(session, given, this.progress))
  }

  async add(picked: readonly Picked[]): Promise<Opened> {
    const session = this.opened()
    if (rowFiles(picked).length === 0)
      throw new TypeError('items and examples are lines of JSON: drop a file whose name ends in .jsonl')
    const given = await rowsOfFiles(picked)
    const [first] = given
    if (given.every((rows) => rows instanceof Error)) throw first
    return this.take(await withRows(session, given, this.progress))
  }

  async choose(similarity: SimilarityChoice): Promise<Opened> {
    const { read, ...before } = this.opened()
    const definition = { ...read.definition, towers: withSimilarity(read.definition.towers, similarity) }
    const { items, embedded, examples, remarks } = before
    const fresh = await start({ ...read, definition })
    return this.take(await searched({ ...fresh, embedded, examples, remarks, items: items ?? fresh.items }))
  }

  async rank(row: Members, k: number, pinned: number | null): Promise<Ranking> {
    const { model, index, map } = this.opened()
    const embedding = embeddingOf(model, row)
    if (index === null) return { hits: [], pinned: null, embedding, point: null }
    const found = index.ranker.rank(index.asked([embedding], k))[0]
    const { scores } = index.neighbors(found)
    const hits = found.map(([, item], i) => ({ item, rank: i + 1, score: shortest(scores[i]) }))
    const point = map?.plane.place(placeable(embedding, index)) ?? null
    return { hits, pinned: pinned === null ? null : rankOf(index, embedding, pinned), embedding, point }
  }

  async follow(name: PartName, row: Members): Promise<Followed> {
    const { read, ops, model } = this.opened()
    const part = partOf(read.definition, name)
    const features = featuresFor(part, row)
    const question: Question =
      name.kind === 'signature'
        ? { signature: name.name, features }
        : name.name === 'query'
          ? { query: features }
          : { candidate: features }
    const { parts, score } = explain(read.definition, question, ops)
    const outputs =
      name.kind === 'signature'
        ? Object.entries(model.run(name.name, features)).map(([output, { shape, data }]) => ({
            name: output,
            shape,
            text: elementsText(data as ArrayLike<unknown>),
          }))
        : []
    return { part: parts[0], score: score ?? null, outputs }
  }

  async compare(query: Members, candidate: Members): Promise<ExplainedScore | null> {
    const { read, ops } = this.opened()
    const { definition } = read
    const question = {
      query: featuresFor(towerPart(definition, 'query'), query),
      candidate: featuresFor(towerPart(definition, 'candidate'), candidate),
    }
    return explain(definition, question, ops).score ?? null
  }

  async suggest(name: PartName, feature: string, text: string): Promise<readonly string[]> {
    const key = JSON.stringify([name.kind, name.name, feature])
    let known = this.suggestions.get(key)
    if (known === undefined) {
      const part = partOf(this.opened().read.definition, name)
      const ports = featuresOf(part)
      const hints = featureHints(part.graph, part.inputs, ports, part.declared)
      const { table, known: words } = hints[ports.findIndex((port) => port.name === feature)]
      known = new Suggestions(table, words)
      this.suggestions.set(key, known)
    }
    return known.find(text)
  }

  async item(item: number): Promise<Members | null> {
    return this.opened().items?.rows[item] ?? null
  }

  async find(text: string): Promise<readonly number[]> {
    const wanted = text.toLowerCase()
    const labels = this.opened().items?.labels ?? []
    const found: number[] = []
    for (let i = 0; i < labels.length && found.length < FOUND; i++)
      if (labels[i].toLowerCase().includes(wanted)) found.push(i)
    return found.sort((a, b) => labels[a].toLowerCase().indexOf(wanted) - labels[b].toLowerCase().indexOf(wanted))
  }

  async measure(row: Members, tfjs: boolean): Promise<Timings> {
    const { read, ops, model, index } = this.opened()
    const features = featuresFor(towerPart(read.definition, 'query'), row)
    const embedding = embeddingOf(model, row)
    const contenders = [{ name: 'embed', call: () => [model.query.embed(features).data] }]
    if (index !== null) contenders.push({ name: 'search', call: () => [index.search(embedding, 10).scores] })
    if (tfjs) {
      this.progress('starting tfjs-wasm')
      this.tfjs ??= onTfjs(read.definition, ops)
      const theirs = await this.tfjs.catch((error: Error) => {
        // What could not be fetched may be there the next time.
        this.tfjs = null
        throw error
      })
      contenders.push({ name: 'tfjs', call: () => [theirs.query.embed(features).data] })
      this.progress('measuring')
    }
    const times = await interleave(contenders, { seconds: tfjs ? BESIDE : ALONE })
    const of = (name: string) => times.get(name)?.median ?? null
    return { embed: of('embed') ?? 0, search: of('search'), tfjs: of('tfjs') }
  }

  async text(row: Members): Promise<string> {
    return jsonText(row)
  }

  private opened(): Session {
    if (this.session === null) throw new RangeError('no model is open')
    return this.session
  }

  private take(session: Session): Opened {
    this.session = session
    this.suggestions = new Map()
    this.tfjs = null
    return viewOf(session)
  }
}

/** Where an item stands: after all that are nearer, and among equals in the items' order. */
function rankOf(index: ExactIndex, query: Float32Array, item: number): Hit {
  const { ranker } = index
  const key = ranker.key(query, item)
  let rank = 1
  for (let row = 0; row < index.ids.length; row++) {
    const other = ranker.key(query, row)
    if (other > key || (other === key && row < item)) rank++
  }
  return { item, rank, score: shortest(index.neighbors([[key, item]]).scores[0]) }
}

const embeddingOf = (model: Model, row: Members): Float32Array =>
  (model.query.embed(columnsOf([row], model.query.features)).data as Float32Array).slice()

/** One row as a part takes it: a feature of a fixed size as it stands. */
function featuresFor(part: Part, row: Members): Features {
  const ports = featuresOf(part)
  const whole = ports.filter((port) => isWhole(port) && Object.hasOwn(row, port.name))
  return {
    ...columnsOf(
      [row],
      ports.filter(({ shape }) => shape?.length !== 0),
    ),
    ...Object.fromEntries(whole.map(({ name }) => [name, nested(row[name], name)])),
  }
}

function elementsText(data: ArrayLike<unknown>): string {
  const shown = Array.from({ length: Math.min(data.length, ELEMENTS) }, (_, i) => {
    const value = data[i]
    if (typeof value === 'number') return String(data instanceof Float32Array ? shortest(value) : value)
    return typeof value === 'string' ? JSON.stringify(value) : String(value)
  })
  return `${shown.join(', ')}${data.length > ELEMENTS ? ` … of ${data.length}` : ''}`
}
