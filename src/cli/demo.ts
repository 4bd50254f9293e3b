import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { convert } from '../convert.ts'
import type { Features, Model } from '../engine/model.ts'
import { compileKernels } from '../engine/variants.ts'
import { load } from '../load.ts'
import { ExactIndex } from '../search/exact.ts'
import { concatBytes } from '../tensor/index.ts'

// The demo: a really trained model on real films (weights/demo), from SavedModels to ranked titles, held against what
// TensorFlow recorded and against tfjs-wasm.

const FOLDER = fileURLToPath(new URL('../../weights/demo/', import.meta.url))
const BUNDLE = fileURLToPath(new URL('../../build/demo', import.meta.url))
const BATCH = 256

type Row = Readonly<Record<string, string | number | readonly number[]>>

interface Ranking {
  readonly viewers: readonly {
    readonly viewer: string
    readonly embedding: readonly number[]
    readonly top: readonly { readonly id: string; readonly score: number }[]
  }[]
}

/** Converts the demo's two SavedModels, embeds all films and answers the viewers. */
export async function demo(): Promise<void> {
  const [films, viewers, ranking] = [await jsonLines('films.jsonl'), await jsonLines('viewers.jsonl'), await recorded()]
  say('A two-tower model trained with TensorFlow on real films; the viewers are simulated (weights/demo/README.md).\n')

  const converted = await timed(async () => {
    const bundle = await convert({ query: `${FOLDER}query_model`, candidate: `${FOLDER}candidate_model` })
    await bundle.save(BUNDLE)
    return bundle
  })
  const { towers } = converted.result.definition
  const megabytes = (converted.result.weights.length / 1e6).toFixed(1)
  say(`converted   two SavedModels into build/demo (${megabytes} MB) in ${ms(converted.ms)}`)
  for (const note of towers.notes) say(`            ${note}`)

  const loaded = await timed(() => load(BUNDLE))
  const model = loaded.result
  say(`loaded      the bundle, without importer or protobuf, in ${ms(loaded.ms)}`)

  const embedded = await timed(async () => embedFilms(model, films))
  const rate = Math.round(films.length / (embedded.ms / 1000))
  say(`embedded    ${films.length} films in ${ms(embedded.ms)} (${rate} films/s, one core)\n`)
  if (towers.similarity === null) throw new Error('the demo model does not say how its towers are compared')
  const index = new ExactIndex(
    films.map((film) => String(film.id)),
    embedded.result,
    towers.similarity,
    await compileKernels(),
  )

  let worst = 0
  const titles = new Map(films.map((film) => [String(film.id), `${film.title} (${film.year})`]))
  for (const viewer of viewers) {
    const query = model.query.embed(columns(model, 'query', [viewer])).data as Float32Array
    const answer = index.search(query, 10)
    const golden = ranking.viewers.find((entry) => entry.viewer === viewer.id)
    golden?.embedding.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - query[i]))
    })
    golden?.top.forEach((entry, i) => {
      worst = Math.max(worst, Math.abs(entry.score - answer.scores[i]))
    })
    const same = golden?.top.filter((entry) => answer.ids.includes(entry.id)).length ?? 0
    say(`${viewer.id}: ${viewer.description}   [${same} of TensorFlow's 10]`)
    for (let i = 0; i < 5; i++) say(`  ${answer.scores[i].toFixed(3)}  ${titles.get(answer.ids[i])}`)
  }
  say(`\nTensorFlow  largest difference to its recorded embeddings and scores: ${worst.toExponential(1)}`)
  say(`tfjs-wasm   ${await againstTfjs(films, embedded.result)}`)
  const one = columns(model, 'query', [viewers[0]])
  say(
    `timings     one viewer ${us(median(() => model.query.embed(one)))}, with the search over all films ${us(median(() => index.search(model.query.embed(one).data as Float32Array, 10)))}`,
  )
  if (worst > 1e-4) {
    process.exitCode = 1
    say('            that is more than rounding: something is wrong')
  }
}

async function jsonLines(name: string): Promise<Row[]> {
  const text = await readFile(`${FOLDER}${name}`, 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}

const recorded = async (): Promise<Ranking> =>
  JSON.parse(await readFile(`${FOLDER}goldens/ranking.json`, 'utf8')) as Ranking

/** The rows' values by the tower's inputs; a row's other members are for people. */
function columns(model: Model, side: 'query' | 'candidate', rows: readonly Row[]): Features {
  return Object.fromEntries(model[side].inputs.map(({ name }) => [name, rows.map((row) => row[name])]))
}

function embedFilms(model: Model, films: readonly Row[]): Float32Array {
  const parts: Float32Array[] = []
  for (let start = 0; start < films.length; start += BATCH) {
    parts.push(
      model.candidate.embed(columns(model, 'candidate', films.slice(start, start + BATCH))).data as Float32Array,
    )
  }
  const all = concatBytes(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)))
  return new Float32Array(all.buffer)
}

/** The same films through tfjs's ops, where it is installed. */
async function againstTfjs(films: readonly Row[], ours: Float32Array): Promise<string> {
  try {
    const theirs = await timed(async () => embedFilms(await load(BUNDLE, { backend: 'tfjs' }), films))
    let worst = 0
    theirs.result.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - ours[i]))
    })
    return `largest difference of all film embeddings: ${worst.toExponential(1)}`
  } catch (error) {
    return (error as Error).message
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const start = performance.now()
  const result = await work()
  return { result, ms: performance.now() - start }
}

/** Milliseconds of one call: the median of 200 after 50 to warm up. */
function median(call: () => unknown): number {
  const times: number[] = []
  for (let i = 0; i < 250; i++) {
    const start = performance.now()
    call()
    if (i >= 50) times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[times.length >> 1]
}

const ms = (time: number): string => `${time.toFixed(0)} ms`
const us = (time: number): string => `${(time * 1000).toFixed(0)} µs`
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
