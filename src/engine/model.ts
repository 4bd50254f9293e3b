import type { ModelDefinition, Port, Signature, Similarity, TowerDefinition } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'
import type { Engine } from './engine.ts'
import { bindInputs, type Features, NO_PREPARATION, type Preparation, type PublicTensor, toPublic } from './inputs.ts'
import { Runner } from './runner.ts'
import { compare } from './similarity.ts'

export type { Features, InputValue, Nested, PublicTensor } from './inputs.ts'

/** What a signature takes and gives. A dimension that the batch decides is null; `shape` null where not even the rank is known. */
export interface SignatureInfo {
  readonly name: string
  readonly method: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

/** A model that is ready: every call is synchronous, and its results are the caller's own. */
export class Model {
  readonly signatures: readonly SignatureInfo[]
  private readonly definition: ModelDefinition
  private readonly engine: Engine
  private readonly preparation: Preparation
  private readonly runners = new Map<Signature, Runner>()
  private readonly towers = new Map<'query' | 'candidate', Tower>()

  /** @param preparation what makes the signatures' inputs out of raw features */
  constructor(definition: ModelDefinition, engine: Engine, preparation: Preparation = NO_PREPARATION) {
    this.definition = definition
    this.engine = engine
    this.preparation = preparation
    this.signatures = definition.signatures.map(({ name, method, inputs, outputs }) => ({
      name,
      method,
      inputs,
      outputs,
    }))
    for (const side of ['query', 'candidate'] as const) {
      const spec = definition.towers[side]
      if (spec !== null) this.towers.set(side, new Tower(side, spec, engine, preparation))
    }
  }

  /** The query tower. @throws {RangeError} where the model has none */
  get query(): Tower {
    return this.tower('query')
  }

  /** The candidate tower. @throws {RangeError} where the model has none */
  get candidate(): Tower {
    return this.tower('candidate')
  }

  private tower(side: 'query' | 'candidate'): Tower {
    const tower = this.towers.get(side)
    if (tower !== undefined) return tower
    const why = this.definition.towers.notes.join('; ') || 'none was found'
    throw new RangeError(`${this.definition.source} has no ${side} tower (${why}); name it when you convert the model`)
  }

  /** The features that `score` takes for a side: the tower's, or where no similarity separates the towers, all. */
  featuresOf(side: 'query' | 'candidate'): readonly Port[] {
    const { similarity, joint } = this.definition.towers
    return similarity === null && joint !== null ? this.rawInputs(joint.signature) : this[side].features
  }

  /** What callers give for a signature: its inputs, or the raw features that preprocess.json makes them of. */
  rawInputs(signature?: string): readonly Port[] {
    return this.preparation.features(this.signature(signature).inputs)
  }

  /** How embeddings are compared: 'dot', 'cosine' or 'euclidean'; null where neither the graph nor the user says it. */
  get similarity(): Similarity['metric'] | null {
    return this.definition.towers.similarity?.metric ?? null
  }

  /** In what dense layers compute: 'int8' where the model was converted so. */
  get dtype(): 'float32' | 'int8' {
    const { signatures } = this.definition
    return signatures.some(({ graph }) => graph.nodes.some(({ op }) => op === 'twotower>DenseInt8'))
      ? 'int8'
      : 'float32'
  }

  /** The towers in full: scale, bias, sigmoid, and what was found in the graph. */
  get structure(): ModelDefinition['towers'] {
    return this.definition.towers
  }

  /**
   * Runs a signature.
   * @param signature its name; without one `serving_default`, or the only one
   * @param inputs every input of the signature by name
   * @returns the outputs by name
   * @throws {RangeError} for a name, shape or value that does not fit, and where TensorFlow refuses the input
   * @throws {TypeError} for a value of the wrong kind
   * @throws {UnsupportedOpError} where the signature needs an op that twotower lacks
   */
  run(signature: string | undefined, inputs: Features): Record<string, PublicTensor> {
    const outputs = Object.entries(this.evaluate(signature, inputs))
    return Object.fromEntries(outputs.map(([name, tensor]) => [name, toPublic(tensor)]))
  }

  /** Like `run`, with the tensors as they lie in memory: theirs is valid until the next call. */
  evaluate(signature: string | undefined, inputs: Features): Record<string, Tensor> {
    const first = this.signature(signature)
    const again = this.preparation === NO_PREPARATION ? this.runner(first).again(inputs) : null
    if (again !== null) return named(first, again)
    const { chosen, tensors } = this.bind(first, inputs)
    return named(chosen, this.runner(chosen).run(tensors))
  }

  private runner(signature: Signature): Runner {
    let runner = this.runners.get(signature)
    if (runner === undefined) {
      runner = new Runner(signature.graph, signature.inputs, this.engine)
      this.runners.set(signature, runner)
    }
    return runner
  }

  private prepared({ name, inputs: ports }: Signature, raw: Features): Tensor[] {
    return bindInputs(ports, this.preparation.apply(raw, ports), name)
  }

  /** The inputs' tensors. Of several signatures of one name (a function's traces) the first that they fit is chosen. */
  private bind(first: Signature, inputs: Features): { readonly chosen: Signature; readonly tensors: Tensor[] } {
    try {
      return { chosen: first, tensors: this.prepared(first, inputs) }
    } catch (error) {
      for (const other of this.definition.signatures) {
        if (other === first || other.name !== first.name) continue
        try {
          return { chosen: other, tensors: this.prepared(other, inputs) }
        } catch {}
      }
      throw error
    }
  }

  /** The signature `name`; without a name `serving_default`, or the only one. @throws {RangeError} where there is none */
  signature(name?: string): Signature {
    const all = this.definition.signatures
    const found =
      all.find((signature) => signature.name === (name ?? 'serving_default')) ??
      (name === undefined && all.length === 1 ? all[0] : undefined)
    if (found !== undefined) return found
    const known = all.map((signature) => `"${signature.name}"`).join(', ') || 'none'
    throw new RangeError(
      name === undefined
        ? `name a signature; ${this.definition.source} has ${known}`
        : `${this.definition.source} has no signature "${name}"; it has ${known}`,
    )
  }

  /**
   * Scores queries against candidates, row by row; one row on a side is compared with every row of the other.
   * @param query features of the query tower, or embeddings `float32[rows, width]`, or `[width]` for one row
   * @param candidate features of the candidate tower, or embeddings
   * @returns `float32[rows]`; of a model that scores both sides at once the output that says the score, as the model gives it
   * @throws {RangeError} where the model has no towers or nobody said how they are compared, where rows or widths do not go
   * together, and where it scores both sides at once and they give a feature differently
   * @throws {TypeError} for embeddings that are no float32 matrix; and as `run` does
   */
  score(query: Features | PublicTensor, candidate: Features | PublicTensor): PublicTensor {
    const { similarity, joint, notes } = this.definition.towers
    if (similarity === null && joint !== null && !isTensor(query) && !isTensor(candidate)) {
      const twice = Object.keys(query).find(
        (name) => Object.hasOwn(candidate, name) && !alike(query[name], candidate[name]),
      )
      if (twice !== undefined)
        throw new RangeError(`query and candidate give "${twice}" differently, which the model takes once`)
      return this.run(joint.signature, { ...query, ...candidate })[joint.output]
    }
    if (similarity === null) {
      throw new RangeError(
        `${this.definition.source} does not say how its towers are compared (${notes.join('; ')}); choose a similarity: dot, cosine or euclidean`,
      )
    }
    const a = isTensor(query) ? query : this.query.embed(query)
    const b = isTensor(candidate) ? candidate : this.candidate.embed(candidate)
    return compare(a, b, similarity)
  }
}

const named = ({ outputs }: Signature, results: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(outputs.map((port, i) => [port.name, results[i]]))

const isTensor = (value: Features | PublicTensor): value is PublicTensor =>
  'dtype' in value && 'shape' in value && 'data' in value

/** Whether two values hold the same, element by element. */
function alike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const [ours, theirs] = [Object.entries(a), b as Readonly<Record<string, unknown>>]
  return ours.length === Object.keys(b).length && ours.every(([key, value]) => alike(value, theirs[key]))
}

/** One side of the model: features in, embeddings out. */
export class Tower {
  readonly side: 'query' | 'candidate'
  /** The inputs of the tower's graph. */
  readonly inputs: readonly Port[]
  /** The features that callers give: the inputs, or the raw ones that preprocess.json makes them of. */
  readonly features: readonly Port[]
  private readonly preparation: Preparation
  /** Made when it is first asked for: many a process embeds by one tower only. */
  private runner: Runner | null = null
  private readonly definition: TowerDefinition
  private readonly engine: Engine

  constructor(side: 'query' | 'candidate', definition: TowerDefinition, engine: Engine, preparation: Preparation) {
    this.side = side
    this.inputs = definition.inputs
    this.features = preparation.features(definition.inputs)
    this.preparation = preparation
    this.engine = engine
    this.definition = definition
  }

  /**
   * Embeds a batch.
   * @param features each of `features` by name, a row of each for every instance
   * @returns the tower's output as the model gives it: `float32[rows, width]` of all but rare towers
   * @throws as `Model.run` does
   */
  embed(features: Features): PublicTensor {
    this.runner ??= new Runner(this.definition.graph, this.inputs, this.engine)
    const { inputs, preparation, runner } = this
    const again = preparation === NO_PREPARATION ? runner.again(features) : null
    const [embedding] =
      again ?? runner.run(bindInputs(inputs, preparation.apply(features, inputs), `${this.side} tower`))
    return toPublic(embedding)
  }
}
