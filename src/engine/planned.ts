import type { Held, Port, Program } from '../graph/index.ts'
import { type Shape, sameShape, sizeOf, type Tensor, type TensorOf } from '../tensor/index.ts'
import type { Features } from './inputs.ts'
import { knownSteps } from './knownsteps.ts'
import { layersFrom } from './layers.ts'
import type { Memory } from './memory.ts'
import type { Plan } from './plan.ts'
import type { Planner } from './planner.ts'

/** Shapes whose plans are kept: the last that came twice in turn. */
const MOST_PLANS = 8
const NONE = new Float32Array(0)

/** A program with plans of the layers that it ends in, for the shapes that come. */
export class Planned {
  private readonly planner: Planner
  private readonly memory: Memory
  private readonly program: Program
  /** The step that layers begin with, the slots that they read of what was before, and those of the outputs that they make. */
  private readonly first: number
  private readonly given: readonly number[]
  private readonly made: readonly number[]
  /** The names of the inputs that layers read, where that is all inputs and nothing comes before them; else none. */
  private readonly names: readonly string[]
  private readonly arrays: Float32Array[]
  /** Of the steps before the layers those that the inputs' shapes decide, the runs of others between them, and what was found last. */
  private readonly known: readonly boolean[]
  private readonly others: readonly { readonly from: number; readonly to: number }[]
  private told: {
    readonly shapes: readonly Shape[]
    readonly slots: readonly number[]
    readonly values: readonly Held[]
  } | null = null
  private planned: { readonly shapes: readonly Shape[]; readonly plan: Plan | null }[] = []
  /** The shapes of the run before, where no plan was looked for, and those that came twice in turn: the next run makes their plan first. */
  private last: readonly Shape[] = []
  private wanted: readonly Shape[] | null = null
  /** The end of all plans' room, past which what comes before them has its values. */
  private end = 0
  /** The plan of the run before, and how many floats it had of each input, where an array says by its length what it is. */
  private latest: { readonly plan: Plan; readonly lengths: readonly number[] } | null = null

  /** @param ports the program's inputs, where it may be given arrays as they come */
  constructor(program: Program, ports: readonly Port[] | null, planner: Planner, memory: Memory) {
    this.planner = planner
    this.memory = memory
    this.program = program
    const { steps, parameters, outputs } = program
    this.first = layersFrom(steps)
    const layers = steps.slice(this.first)
    const own = new Set(layers.map(({ output }) => output))
    const constants = program.start([])
    const read = layers.flatMap(({ inputs }) => inputs)
    this.given = [...new Set(read.filter((slot) => !own.has(slot) && constants[slot] === undefined))]
    this.made = outputs.filter((slot) => own.has(slot))
    const isAll = this.first === 0 && this.given.length === ports?.length && this.made.length === outputs.length
    const named = isAll ? this.given.map((slot) => ports[parameters.indexOf(slot)]) : []
    this.names = named.every(isOpen) ? named.map(({ name }) => name) : []
    this.arrays = this.names.map(() => NONE)
    this.known = knownSteps(
      steps.slice(0, this.first),
      (slot) => parameters.includes(slot),
      (slot) => constants[slot] !== undefined,
    )
    const others: { from: number; to: number }[] = []
    for (const [at, isKnown] of this.known.entries()) {
      const before = others.at(-1)
      if (isKnown) continue
      if (before?.to === at) before.to++
      else others.push({ from: at, to: at + 1 })
    }
    this.others = others
  }

  /** The outputs as they lie in memory, valid until the next call. */
  run(inputs: readonly Tensor[]): readonly Tensor[] {
    const { program, first } = this
    this.latest = null
    if (this.wanted !== null) this.write(this.wanted)
    return this.memory.run(
      () => {
        const values = program.start(inputs)
        this.prepare(values, inputs)
        const results = this.plannedFor(values)
        if (results === null) program.go(values, first, program.steps.length)
        else for (let i = 0; i < results.length; i++) values[this.made[i]] = results[i]
        return program.results(values)
      },
      first === 0 ? 0 : this.end,
    )
  }

  /**
   * As `run`, of features as they come, where these are arrays of the same lengths as in the run before and nothing is to be made
   * of them: nothing is allocated then. Null else.
   */
  again(features: Features): readonly Tensor[] | null {
    const { latest, names, arrays } = this
    if (latest === null) return null
    let count = 0
    for (const _ in features) count++
    if (count !== names.length) return null
    for (let i = 0; i < count; i++) {
      const value = features[names[i]]
      if (!(value instanceof Float32Array) || value.length !== latest.lengths[i]) return null
      if (!Object.hasOwn(features, names[i])) return null
      arrays[i] = value
    }
    const results = latest.plan.run(arrays)
    // They are the caller's, and not to be held here.
    arrays.fill(NONE)
    return results
  }

  /** Takes the steps before the layers: those that the inputs' shapes decide only where these are others than before. */
  private prepare(values: Held[], inputs: readonly Tensor[]): void {
    const { program, first, known, told } = this
    if (told !== null && isOf(told.shapes, inputs)) {
      for (let i = 0; i < told.values.length; i++) values[told.slots[i]] = told.values[i]
      for (let i = 0; i < this.others.length; i++) program.go(values, this.others[i].from, this.others[i].to)
      return
    }
    const slots: number[] = []
    const found: Held[] = []
    for (let at = 0; at < first; at++) {
      program.go(values, at, at + 1)
      if (!known[at]) continue
      slots.push(program.steps[at].output)
      found.push(values[program.steps[at].output])
    }
    if (found.length > 0 && found.every((value) => this.outlives(value)))
      this.told = { shapes: inputs.map(({ shape }) => shape), slots, values: found }
  }

  /** Whether a value is its own: what lies in linear memory is another's after the run. */
  private outlives(value: Held): boolean {
    return (value?.dtype === 'int32' || value?.dtype === 'int64') && !this.memory.holds(value.data)
  }

  /** What the layers make of the values before them, by their plan; null where there is none. */
  private plannedFor(values: readonly Held[]): readonly Tensor[] | null {
    const given = this.given.map((slot) => values[slot])
    if (this.made.length === 0 || !given.every(isFloats)) return null
    const known = this.planned.find(({ shapes }) => isOf(shapes, given))
    if (known === undefined) {
      if (isOf(this.last, given)) this.wanted = this.last
      else this.last = given.map(({ shape }) => shape)
    }
    if (known === undefined || known.plan === null) return null
    const { plan } = known
    if (this.names.length > 0) this.latest = { plan, lengths: given.map(({ shape }) => sizeOf(shape)) }
    return plan.run(given.map(({ data }) => data))
  }

  /** Looks for the plan of these shapes; no run is on its way. */
  private write(shapes: readonly Shape[]): void {
    const { planner, memory, program } = this
    const plan = planner.plan(program.graph, this.first, this.given, shapes, this.made)
    // Where there was no room there will be: memory grows between runs.
    if (memory.isShort) return
    this.planned = [...this.planned.slice(1 - MOST_PLANS), { shapes, plan }]
    this.end = Math.max(this.end, plan?.end ?? 0)
    this.wanted = null
  }
}

/** Whether a plan takes it as it is. */
const isFloats = (t: Held): t is TensorOf<'float32'> => t?.dtype === 'float32'

/** Whether an array says by its length alone what shape it is of. */
const isOpen = ({ shape }: Port): boolean => shape !== null && shape.filter((dim) => dim === null).length <= 1

const isOf = (shapes: readonly Shape[], values: readonly Tensor[]): boolean =>
  shapes.length === values.length && shapes.every((shape, i) => sameShape(shape, values[i].shape))
