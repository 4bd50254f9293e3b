import type { Features } from '../engine/inputs.ts'
import type { Model } from '../engine/model.ts'
import type { Part } from '../explain/part.ts'
import type { Graph, ModelDefinition, Port } from '../graph/index.ts'
import { modelOf } from '../load.ts'
import type { TensorOf } from '../tensor/index.ts'
import { type Layers, layersOf } from './layers.ts'
import type { Answer } from './measure.ts'

// A part of a model on our engine and on others: whole requests, and its layers alone.

type Floats = TensorOf<'float32'>

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

/** Which engines are wanted, and how ours runs. */
export interface EngineChoice {
  readonly peers: readonly Peer[]
  /** True where tfjs-wasm is there to run whole requests. */
  readonly tfjs: boolean
  readonly deterministic: boolean
}

/** An engine that could not be measured, and why. */
export interface Absent {
  readonly engine: string
  readonly measured: Measured
  readonly why: string
}

/** What went wrong, in one line. */
export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]

/** What all contenders get: raw features, and the numbers that preprocessing makes of them. */
export interface Batch {
  readonly features: Features
  readonly flowing: readonly Floats[]
}

/** An engine that is ready. */
export interface Ready {
  readonly engine: string
  readonly measured: Measured
  readonly call: (batch: Batch) => Answer | Promise<Answer>
}

/** The engines that run the part, ours first; the others are told in `absent`. */
export async function startEngines(
  part: Part,
  request: (features: Features) => Answer,
  cut: Cut | string,
  { peers, tfjs, deterministic }: EngineChoice,
  absent: Absent[],
): Promise<Ready[]> {
  const ready: Ready[] = [{ engine: OURS, measured: 'request', call: ({ features }) => request(features) }]
  const bytes = part.graph.nodes.some(({ op }) => op === 'twotower>DenseInt8')
  if (tfjs && bytes) absent.push({ engine: TFJS, measured: 'request', why: 'it has no layers in bytes' })
  else if (tfjs) {
    const theirs = await requestOf(part, { deterministic, backend: 'tfjs' })
    ready.push({ engine: TFJS, measured: 'request', call: ({ features }) => theirs(features) })
  }
  if (typeof cut === 'string') return ready
  ready.push({ engine: OURS, measured: 'layers', call: ({ flowing }) => cut.run(flowing) })
  for (const { name, layers } of peers) {
    try {
      const run = await layers(cut.layers.graph, cut.ranks)
      ready.push({ engine: name, measured: 'layers', call: ({ flowing }) => run(flowing) })
    } catch (error) {
      absent.push({ engine: name, measured: 'layers', why: firstLine(error) })
    }
  }
  return ready
}

/** The signature of a model of one graph. */
export const NAME = 'bench'
const NO_TOWERS = { query: null, candidate: null, similarity: null, joint: null, notes: [] } as const

/** A model of one graph. */
export const alone = (
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

interface Choice {
  readonly deterministic: boolean
  readonly backend?: 'tfjs'
}

const dataOf = (outputs: ReturnType<Model['run']>, ports: readonly Port[]): Answer =>
  ports.map(({ name }) => outputs[name].data)

/** Whole requests: what a caller gives, and what he gets. */
export async function requestOf(part: Part, choice: Choice): Promise<(features: Features) => Answer> {
  const { graph, inputs, outputs, declared } = part
  const model = await modelOf(alone(graph, inputs, outputs, declared), choice)
  return (features) => dataOf(model.run(NAME, features), outputs)
}

/** The layers of a part, with our own kernels for them and what makes their inputs. */
export interface Cut {
  readonly layers: Layers
  /** Dimensions of each input, and their sizes but for the first, the rows. */
  readonly ranks: readonly number[]
  readonly widths: readonly (readonly number[])[]
  readonly run: (inputs: readonly Floats[]) => Answer
  readonly flowing: (features: Features) => readonly Floats[]
}

/** @param sample features by which the layers' inputs are known */
export async function cutLayers(part: Part, sample: Features, choice: Choice): Promise<Cut | string> {
  const layers = layersOf(part.graph, part.outputs)
  if (typeof layers === 'string') return layers
  const { graph, inputs, outputs, from } = layers
  const before = await modelOf(alone({ ...part.graph, outputs: from }, part.inputs, inputs, part.declared), choice)
  const flow = (features: Features) => {
    const made = before.run(NAME, features)
    return inputs.map(({ name }) => made[name])
  }
  const sampled = flow(sample)
  const other = sampled.findIndex(({ dtype }) => dtype !== 'float32')
  if (other >= 0) return `its layers begin at "${from[other].node.name}", which is ${sampled[other].dtype}, not float32`
  const model = await modelOf(alone(graph, inputs, outputs), choice)
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
