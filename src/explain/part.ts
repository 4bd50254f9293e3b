import { bindInputs, type Features, type Nested, type Preparation } from '../engine/inputs.ts'
import { type Graph, type OpTable, type Port, Program } from '../graph/index.ts'
import type { Preprocess } from '../preprocess/schema.ts'
import type { Tensor } from '../tensor/index.ts'
import { dependence } from '../towers/dependence.ts'
import { followDeclared } from './declared.ts'
import { type Followed, follow } from './follow.ts'
import { type Recording, record } from './record.ts'
import { type Scalar, scalarsOf, textOf, type Vector, vectorOf } from './stage.ts'

/** A tower or a signature: what is followed through, and how raw features become its inputs. */
export interface Part {
  readonly kind: 'tower' | 'signature'
  /** `query` or `candidate`, or the signature's. */
  readonly name: string
  readonly graph: Graph
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly preparation: Preparation
  readonly declared: Preprocess['inputs']
}

/** One input from its raw value to where layers take over. */
export interface ExplainedInput {
  readonly name: string
  /** The raw feature that it is made of; the input itself where no preprocessing is declared. */
  readonly from: string
  /** False where the caller left it out and the model's default stands for it. */
  readonly given: boolean
  readonly raw: readonly Scalar[]
  readonly stages: readonly Followed[]
}

export interface ExplainedOutput {
  readonly name: string
  readonly shape: readonly number[]
  /** Where it has a few elements, those. */
  readonly values?: readonly Scalar[]
  /** Of the first row of floats. */
  readonly vector?: Vector
}

export interface ExplainedPart {
  readonly kind: Part['kind']
  readonly name: string
  readonly inputs: readonly ExplainedInput[]
  readonly outputs: readonly ExplainedOutput[]
}

/** Floats of up to as many elements are listed, more are described, as embeddings are; of others as many are listed. */
const [FEW, MANY] = [8, 64]

/** `query tower`, `signature "serving_default"` */
export const titleOf = ({ kind, name }: Pick<Part, 'kind' | 'name'>): string =>
  kind === 'tower' ? `${name} tower` : `signature "${name}"`

const bound = ({ kind, name, inputs, preparation }: Part, features: Features): Tensor[] =>
  bindInputs(inputs, preparation.apply(features, inputs), kind === 'tower' ? `${name} tower` : name)

export const runPart = (part: Part, features: Features, ops: OpTable): Tensor[] =>
  new Program(part.graph, ops).run(bound(part, features))

/** Follows one instance through a part. */
export function explainPart(
  part: Part,
  features: Features,
  ops: OpTable,
): { readonly explained: ExplainedPart; readonly outputs: readonly Tensor[] } {
  const tensors = bound(part, features)
  const recording = record(part.graph, tensors, ops)
  const depends = dependence(part.graph)
  const inputs = part.inputs.map((port, i): ExplainedInput => {
    const stages = follow(part.graph, depends, recording, i)
    const declaration = Object.hasOwn(part.declared, port.name) ? part.declared[port.name] : undefined
    const from = declaration?.from ?? port.name
    // An input that is given itself is taken as it is.
    if (declaration === undefined || (Object.hasOwn(features, port.name) && from !== port.name)) {
      return {
        name: port.name,
        from: port.name,
        given: Object.hasOwn(features, port.name),
        raw: scalarsOf(tensors[i]),
        stages,
      }
    }
    const [raw] = features[from] as readonly Nested[]
    return {
      name: port.name,
      from,
      given: true,
      raw: flat(raw),
      stages: joined(followDeclared(declaration, raw), stages),
    }
  })
  return {
    explained: { kind: part.kind, name: part.name, inputs, outputs: outputsOf(part, recording) },
    outputs: recording.outputs,
  }
}

/** The graph's stages after the declared ones. */
const joined = (declared: readonly Followed[], stages: readonly Followed[]): Followed[] => [
  ...declared,
  ...stages.map((stage) => ({
    ...stage,
    after: stage.after.length === 0 ? [declared.length - 1] : stage.after.map((i) => i + declared.length),
  })),
]

const flat = (raw: Nested): Scalar[] =>
  raw instanceof Uint8Array ? [textOf(raw)] : Array.isArray(raw) ? raw.flatMap(flat) : [raw as Scalar]

function outputsOf({ kind, outputs }: Part, recording: Recording): ExplainedOutput[] {
  return outputs.map(({ name }, i) => {
    const t = recording.outputs[i]
    const { shape } = t
    if (t.dtype === 'float32' && (kind === 'tower' || t.data.length > FEW))
      return { name, shape, vector: vectorOf(t.data.subarray(0, shape.at(-1))) }
    return { name, shape, values: scalarsOf(t).slice(0, MANY) }
  })
}
