import { Engine } from '../engine/engine.ts'
import { Model } from '../engine/model.ts'
import { compileKernels } from '../engine/variants.ts'
import { featuresOf } from '../explain/explain.ts'
import { type Part, titleOf } from '../explain/part.ts'
import type { Graph, ModelDefinition, Node, Port } from '../graph/index.ts'
import { modelOf } from '../load.ts'
import { loadAllOps } from '../ops/index.ts'
import type { Row } from '../serve/rows.ts'
import type { TensorOf } from '../tensor/index.ts'
import { dependence } from '../towers/dependence.ts'
import { type Agreement, agreement } from './agreement.ts'
import { featureHints } from './hints.ts'
import { type Layers, layersOf } from './layers.ts'
import { type Answer, type Contender, type Effort, interleave, type Timing } from './measure.ts'
import { type Profile, profileOf, type Slice, Stopwatch } from './profile.ts'
import { batchesOf, batchOf, fits, fixedBatch, madeRows } from './rows.ts'

type Floats = TensorOf<'float32'>
type Features = ReturnType<typeof batchOf>

/** Names of engines. */
export const [OURS, TFJS] = ['twotower', 'tfjs-wasm'] as const

/** What a contender does in a call: everything from raw features on, or the dense layers alone. */
export type Measured = 'request' | 'layers'

/** Another engine, ready for the layers of a part. */
export interface Peer {
  readonly name: string
  /** @throws {Error} where it cannot run them; the message says why */
  layers(graph: Graph, ranks: readonly number[]): Promise<(inputs: readonly Floats[]) => Answer | Promise<Answer>>
}

export interface BenchOptions {
  readonly batches: readonly number[]
  /** For each batch, all contenders together. */
  readonly seconds: number
  readonly deterministic?: boolean
  /** Rows of features; those that the part takes are used. */
  readonly rows: readonly Row[]
  readonly peers: readonly Peer[]
  /** True where tfjs-wasm is there to run whole requests. */
  readonly tfjs: boolean
  /** Whether to say where a request's time goes, in the smallest and the largest batch. */
  readonly profile: boolean
}

/** One contender at one batch: microseconds a call. */
export interface Entry extends Timing {
  readonly engine: string
  readonly measured: Measured
  readonly rowsPerSecond: number
  /** The largest difference of a number from ours, and whether that is rounding; both of ours are compared too. */
  readonly difference: number
  readonly agrees: boolean
}

/** A part of a model, measured; docs/cli.md documents the members. */
export interface PartReport {
  readonly part: string
  /** How many rows the batches are made of, and where they came from. */
  readonly rows: { readonly count: number; readonly made: boolean }
  /** The layers that were cut off; in words why not. */
  readonly layers: { readonly count: number; readonly inputs: readonly (readonly number[])[] } | string
  readonly batches: readonly { readonly rows: number; readonly entries: readonly Entry[] }[]
  /** Contenders that could not be measured, and why. */
  readonly absent: readonly { readonly engine: string; readonly measured: Measured; readonly why: string }[]
  readonly profiles: readonly Profile[]
}

/**
 * Measures a tower or signature, beside what else is there.
 * @throws {RangeError} where the part does not take the rows
 */
export async function benchPart(part: Part, options: BenchOptions): Promise<PartReport> {
  const features = featuresOf(part)
  const fixed = fixedBatch(features)
  const batches = fixed === null ? options.batches : [fixed]
  const { rows, made } = rowsFor(part, features, options.rows)
  const first = batchOf(rows, features, batches[0])
  const absent: Absent[] = []
  const request = await requestOf(part, options)
  firstAnswer(() => request(first), made)
  const cut = await cutLayers(part, first, options)
  const engines = await start(part, request, cut, options, absent)
  const measured: PartReport['batches'][number][] = []
  for (const count of batches) {
    const turns = batchesOf(rows, features, count).map(
      (batch): Batch => ({ features: batch, flowing: typeof cut === 'string' ? [] : cut.flowing(batch) }),
    )
    const entries = await measureBatch(engines, turns, count, options, absent)
    measured.push({ rows: count, entries })
  }
  const profiles: Profile[] = []
  for (const count of options.profile ? new Set([batches[0], batches[batches.length - 1]]) : [])
    profiles.push(await profilePart(part, cut, batchOf(rows, features, count), count, options))
  return {
    part: titleOf(part),
    rows: { count: rows.length, made },
    layers: typeof cut === 'string' ? cut : { count: cut.layers.count, inputs: cut.widths },
    batches: measured,
    absent,
    profiles,
  }
}

type Absent = PartReport['absent'][number]

/** As many rows are made. */
const ROWS = 1024

/** Those of the given rows that the part takes; where it takes none, made ones. */
function rowsFor(part: Part, features: readonly Port[], given: readonly Row[]) {
  const own = given.filter((row) => fits(row, features))
  if (own.length > 0) return { rows: own, made: false }
  const hints = featureHints(part.graph, part.inputs, features, part.declared)
  return { rows: madeRows(features, hints, ROWS), made: true }
}

/** What the model refuses is told with where the rows came from. */
function firstAnswer(answer: () => unknown, made: boolean): void {
  try {
    answer()
  } catch (error) {
    if (!made) throw error
    throw new RangeError(
      `the rows that were made from the signature are not what the model takes (${firstLine(error)}): give rows of your own with --rows`,
      { cause: error },
    )
  }
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]

/** What all contenders get: raw features, and the numbers that preprocessing makes of them. */
interface Batch {
  readonly features: Features
  readonly flowing: readonly Floats[]
}

/** An engine that is ready. */
interface Ready {
  readonly engine: string
  readonly measured: Measured
  readonly call: (batch: Batch) => Answer | Promise<Answer>
}

/** The engines that run the part, ours first; the others are told in `absent`. */
async function start(
  part: Part,
  request: (features: Features) => Answer,
  cut: Cut | string,
  options: BenchOptions,
  absent: Absent[],
): Promise<Ready[]> {
  const ready: Ready[] = [{ engine: OURS, measured: 'request', call: ({ features }) => request(features) }]
  if (options.tfjs) {
    const theirs = await requestOf(part, { ...options, backend: 'tfjs' })
    ready.push({ engine: TFJS, measured: 'request', call: ({ features }) => theirs(features) })
  }
  if (typeof cut === 'string') return ready
  ready.push({ engine: OURS, measured: 'layers', call: ({ flowing }) => cut.run(flowing) })
  for (const { name, layers } of options.peers) {
    try {
      const run = await layers(cut.layers.graph, cut.ranks)
      ready.push({ engine: name, measured: 'layers', call: ({ flowing }) => run(flowing) })
    } catch (error) {
      absent.push({ engine: name, measured: 'layers', why: firstLine(error) })
    }
  }
  return ready
}

/**
 * Compares the engines' answers with ours, then times them in turns, each going round the batches. One that fails is told in
 * `absent`, once.
 */
async function measureBatch(
  engines: readonly Ready[],
  batches: readonly Batch[],
  rows: number,
  effort: Effort,
  absent: Absent[],
): Promise<Entry[]> {
  const wanted: Answer[] = []
  for (const batch of batches) wanted.push(await engines[0].call(batch))
  const able: (Ready & Contender & Agreement)[] = []
  for (const ready of engines) {
    const { engine, measured, call } = ready
    const found: Agreement[] = []
    try {
      for (const [i, batch] of batches.entries()) found.push(agreement(wanted[i], await call(batch)))
    } catch (error) {
      if (!absent.some((other) => other.engine === engine && other.measured === measured))
        absent.push({ engine, measured, why: firstLine(error) })
      continue
    }
    let next = 0
    able.push({
      ...ready,
      name: `${engine} ${measured}`,
      call: () => call(batches[next++ % batches.length]),
      difference: Math.max(...found.map(({ difference }) => difference)),
      agrees: found.every(({ agrees }) => agrees),
    })
  }
  const timings = await interleave(able, effort)
  return able.map(({ name, engine, measured, difference, agrees }) => {
    const timing = timings.get(name) as Timing
    return { engine, measured, ...timing, rowsPerSecond: (rows / timing.median) * 1e6, difference, agrees }
  })
}

const NAME = 'bench'
const NO_TOWERS = { query: null, candidate: null, similarity: null, joint: null, notes: [] } as const

/** A model of one graph. */
const alone = (
  graph: Graph,
  inputs: readonly Port[],
  outputs: readonly Port[],
  declared: Part['declared'] = {},
): ModelDefinition => ({
  source: 'the model',
  signatures: [{ name: NAME, method: '', inputs, outputs, graph }],
  towers: NO_TOWERS,
  ...(Object.keys(declared).length === 0 ? {} : { preprocess: { version: 1, inputs: declared } }),
})

type Choice = Pick<BenchOptions, 'deterministic'> & { readonly backend?: 'tfjs' }

const chosen = ({ deterministic, backend }: Choice) => ({
  ...(deterministic === undefined ? {} : { deterministic }),
  ...(backend === undefined ? {} : { backend }),
})

const dataOf = (outputs: ReturnType<Model['run']>, ports: readonly Port[]): Answer =>
  ports.map(({ name }) => outputs[name].data)

/** Whole requests: what a caller gives, and what he gets. */
async function requestOf(part: Part, choice: Choice): Promise<(features: Features) => Answer> {
  const { graph, inputs, outputs, declared } = part
  const model = await modelOf(alone(graph, inputs, outputs, declared), chosen(choice))
  return (features) => dataOf(model.run(NAME, features), outputs)
}

/** The layers of a part, with our own kernels for them and what makes their inputs. */
interface Cut {
  readonly layers: Layers
  /** Dimensions of each input, and their sizes but for the first, the rows. */
  readonly ranks: readonly number[]
  readonly widths: readonly (readonly number[])[]
  readonly run: (inputs: readonly Floats[]) => Answer
  readonly flowing: (features: Features) => readonly Floats[]
}

/** @param sample features by which the layers' inputs are known */
async function cutLayers(part: Part, sample: Features, choice: Choice): Promise<Cut | string> {
  const layers = layersOf(part.graph, part.outputs)
  if (typeof layers === 'string') return layers
  const { graph, inputs, outputs, from } = layers
  const before = await modelOf(
    alone({ ...part.graph, outputs: from }, part.inputs, inputs, part.declared),
    chosen(choice),
  )
  const flow = (features: Features) => {
    const made = before.run(NAME, features)
    return inputs.map(({ name }) => made[name])
  }
  const sampled = flow(sample)
  const other = sampled.findIndex(({ dtype }) => dtype !== 'float32')
  if (other >= 0) return `its layers begin at "${from[other].node.name}", which is ${sampled[other].dtype}, not float32`
  const model = await modelOf(alone(graph, inputs, outputs), chosen(choice))
  return {
    layers,
    ranks: sampled.map(({ shape }) => shape.length),
    widths: sampled.map(({ shape }) => shape.slice(1)),
    run(tensors) {
      const features = Object.fromEntries(inputs.map(({ name }, i) => [name, tensors[i]]))
      return dataOf(model.run(NAME, features), outputs)
    },
    flowing: (features) => flow(features) as Floats[],
  }
}

/** Of a profile: an odd number. */
const SLICES = 31

async function profilePart(
  part: Part,
  cut: Cut | string,
  features: Features,
  rows: number,
  { seconds, deterministic = false }: BenchOptions,
): Promise<Profile> {
  const { graph, inputs, outputs, preparation } = part
  const definition = alone(graph, inputs, outputs)
  const watch = new Stopwatch()
  const engine = new Engine(definition, await loadAllOps(), await compileKernels({ deterministic }), {
    deterministic,
    around: (ops) => watch.around(ops),
  })
  const model = new Model(definition, engine, preparation)
  const slice = (milliseconds: number): Slice => {
    watch.take()
    const start = performance.now()
    let requests = 0
    do {
      model.run(NAME, features)
      requests++
    } while (performance.now() - start < milliseconds)
    return { requests, milliseconds: performance.now() - start, nodes: watch.take() }
  }
  // Warm, then in slices.
  slice(300 * seconds)
  const slices = Array.from({ length: SLICES }, () => slice((700 * seconds) / SLICES))
  const depends = dependence(graph)
  const layers = typeof cut === 'string' ? null : cut.layers.nodes
  return profileOf(slices, rows, (node: Node) => {
    const [only, ...others] = depends.get(node) ?? []
    return {
      stage: layers === null ? null : layers.has(node) ? 'layers' : 'preprocessing',
      feature: only === undefined || others.length > 0 ? null : inputs[only].name,
    }
  })
}
