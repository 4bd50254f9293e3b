import type { Model, PublicTensor } from '../engine/model.ts'
import type { Port } from '../graph/index.ts'
import type { ExactIndex } from '../search/index.ts'
import type { ItemIndex } from '../search/itemindex.ts'
import type { TensorOf } from '../tensor/index.ts'
import { Batcher, type BatchLimits, type BatchObserver, type Runnable } from './batcher.ts'
import { Refusal } from './refusal.ts'

/** Where a version stands, by the names of TensorFlow Serving's get_model_status.proto. */
export type VersionState = 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END'

/** A version that can be asked: a model with a batcher for each signature and tower. */
export class Version {
  readonly number: bigint
  readonly model: Model
  /** The items that are searched. */
  readonly index: ExactIndex | ItemIndex | null
  private readonly batchers = new Map<string, Batcher>()
  private readonly limits: BatchLimits
  private readonly observer: BatchObserver

  constructor(
    number: bigint,
    model: Model,
    limits: BatchLimits,
    observer: BatchObserver,
    index: ExactIndex | ItemIndex | null = null,
  ) {
    this.number = number
    this.model = model
    this.index = index
    this.limits = limits
    this.observer = observer
  }

  /** What runs signature `name`, merged with what else is there. */
  signature(name: string): Batcher {
    return this.batcher(`signature ${name}`, () => {
      const all = this.model.signatures.filter((signature) => signature.name === name)
      return {
        // Of several traces of one name each request chooses its own.
        hasRows: all.length === 1 && haveRows([...this.model.rawInputs(name), ...all[0].outputs]),
        evaluate: (features) => this.model.evaluate(name, features),
      }
    })
  }

  /** What runs a tower. @throws {RangeError} where the model has none */
  tower(side: 'query' | 'candidate'): Batcher {
    const tower = this.model[side]
    const output = this.model.structure[side]?.output
    return this.batcher(`tower ${side}`, () => ({
      hasRows: output !== undefined && haveRows([...tower.features, output]),
      evaluate: (features) => ({ embedding: floats(tower.embed(features)) }),
    }))
  }

  private batcher(key: string, make: () => Runnable): Batcher {
    let batcher = this.batchers.get(key)
    if (batcher === undefined) {
      batcher = new Batcher(make(), this.limits, this.observer)
      this.batchers.set(key, batcher)
    }
    return batcher
  }
}

const haveRows = (ports: readonly Port[]): boolean =>
  ports.every(({ shape }) => shape !== null && shape.length > 0 && shape[0] === null)

function floats({ dtype, shape, data }: PublicTensor): TensorOf<'float32'> {
  if (data instanceof Float32Array) return { dtype: 'float32', shape, data }
  throw new TypeError(`an embedding must be float32, the tower gives ${dtype}`)
}

/** What is said of a version, loaded or not. */
export interface VersionStatus {
  readonly number: bigint
  readonly state: VersionState
  /** Why it could not be loaded; empty where it could. */
  readonly problem: string
}

/** One name under which versions of a model are served. */
export class ServedModel {
  readonly name: string
  readonly labels: ReadonlyMap<string, bigint>
  private readonly available = new Map<bigint, Version>()
  private readonly states = new Map<bigint, VersionStatus>()

  constructor(name: string, labels: ReadonlyMap<string, bigint> = new Map()) {
    this.name = name
    this.labels = labels
  }

  /** The newest version that can be asked, or null. */
  get latest(): Version | null {
    let latest: Version | null = null
    for (const version of this.available.values())
      if (latest === null || version.number > latest.number) latest = version
    return latest
  }

  version(number: bigint): Version | null {
    return this.available.get(number) ?? null
  }

  /** All versions that were ever seen, ascending. */
  get status(): readonly VersionStatus[] {
    return [...this.states.values()].sort((a, b) => (a.number < b.number ? -1 : 1))
  }

  /** Serves `version` from now on; requests that run in an older one of its number end there. */
  serve(version: Version): void {
    this.available.set(version.number, version)
    this.mark(version.number, 'AVAILABLE')
  }

  /** Serves version `number` no longer. */
  retire(number: bigint): void {
    if (this.available.delete(number)) this.mark(number, 'END')
  }

  mark(number: bigint, state: VersionState, problem = ''): void {
    this.states.set(number, { number, state, problem })
  }
}

/** Which version is asked. */
export interface VersionChoice {
  readonly number?: bigint
  readonly label?: string
}

/** The models of a server by name; the first is the one that is meant where none is named. */
export class Models {
  private readonly byName: ReadonlyMap<string, ServedModel>

  constructor(models: readonly ServedModel[]) {
    this.byName = new Map(models.map((model) => [model.name, model]))
  }

  get all(): readonly ServedModel[] {
    return [...this.byName.values()]
  }

  get(name: string): ServedModel | undefined {
    return this.byName.get(name)
  }

  /** Whether every model has a version that can be asked. */
  get ready(): boolean {
    return this.all.every(({ latest }) => latest !== null)
  }

  /**
   * The version that a request names, in TensorFlow Serving's words where there is none (core/basic_manager.cc,
   * model_servers/server_core.cc).
   * @throws {Refusal} 404 where it is not there, 400 for a label that nobody gave
   */
  find(name: string, { number, label }: VersionChoice = {}): Version {
    const model = this.byName.get(name)
    const labelled = label === undefined ? undefined : model?.labels.get(label)
    if (label !== undefined && labelled === undefined)
      throw new Refusal(400, `Unrecognized servable version label: ${label}`)
    const wanted = number ?? labelled
    const found = wanted === undefined ? model?.latest : model?.version(wanted)
    if (found) return found
    const asked = wanted === undefined ? `Latest(${name})` : `Specific(${name}, ${wanted})`
    throw new Refusal(404, `Servable not found for request: ${asked}`)
  }
}
