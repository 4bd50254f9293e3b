import { arrayIn, clear, isFree, store, type TensorArray } from '../ops/tensorarrays.ts'
import { compatible, listOf, TensorList } from '../ops/tensorlist.ts'
import { ARRAYS, type DType, isNumeric, sameShape, sizeOf, type Tensor, type TypedArray } from '../tensor/index.ts'
import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'

// A loop whose steps are calls of kernels, run.

/** Where a value lies: bytes from the beginning of the frame (base 0), which holds what a run makes, or of an array (base i + 1). */
export interface Place {
  readonly base: number
  readonly offset: number
}

/** Calls of kernels as assembly/steps.ts takes them; the addresses in them count from a base each. */
export interface Code {
  readonly words: Int32Array
  /** The words that are addresses, each followed by its base. */
  readonly addresses: Int32Array
  readonly count: number
}

/** An index into a list: what a parameter counts, or a number that stays. */
export type Index = { readonly parameter: number } | { readonly constant: number }

/** An array that a run reads. */
export type Source =
  /** A constant of the loop. */
  | { readonly kind: 'tensor'; readonly constant: number }
  /** The elements, of this dtype and shape, of a list or a TF1 array, from an index on one a step. */
  | {
      readonly kind: 'elements'
      readonly constant: number
      readonly dtype: DType
      readonly shape: readonly number[]
      readonly from: Index
    }
  /** Of each of a constant's integers, and of each step, whether a counter compares to it so. */
  | {
      readonly kind: 'compared'
      readonly constant: number
      readonly parameter: number
      readonly holds: (count: number, other: number) => boolean
    }

/** What a loop writes to a TF1 array, from an index on one a step: where it lies in the frame, and an element's shape. */
export interface Stored {
  readonly constant: number
  readonly offset: number
  readonly shape: readonly number[]
  readonly from: Index
}

/** What a parameter is after the loop. */
export type Result =
  | { readonly kind: 'same' }
  | { readonly kind: 'counter' }
  | { readonly kind: 'state'; readonly offset: number; readonly shape: readonly number[] }
  | {
      readonly kind: 'list'
      readonly offset: number
      /** Of an element. */
      readonly shape: readonly number[]
      readonly at: Index
    }

export interface LoopProgram {
  readonly steps: number
  /** Floats that a run makes. */
  readonly frame: number
  readonly sources: readonly Source[]
  /** Floats of the frame that begin as zeros: where from, and how many. */
  readonly zeros: readonly (readonly [offset: number, length: number])[]
  /** Before the first step. */
  readonly once: Code
  readonly each: Code
  readonly stored: readonly Stored[]
  readonly results: readonly Result[]
}

/** What the loop is given: its parameters' values, and those of the body that are the same in each step. */
export interface LoopInputs {
  readonly inputs: readonly Tensor[]
  readonly constants: readonly Tensor[]
}

const indexOf = (index: Index, inputs: readonly Tensor[]): number =>
  'constant' in index ? index.constant : (inputs[index.parameter].data as Int32Array)[0]

/** `count` elements of a list from `first` on, which is not below 0, as one array; null where it does not hold so many of one shape. */
export function elementsOf(list: TensorList, first: number, count: number): Tensor | null {
  const { whole } = list
  if (whole !== null) {
    if (first + count > whole.shape[0] || !isNumeric(whole)) return null
    const from = (first * whole.data.length) / whole.shape[0]
    return first === 0 ? whole : ({ ...whole, data: whole.data.subarray(from) } as Tensor)
  }
  return joined(list.tensors.slice(first, first + count), count)
}

/** So many elements as one array: where they lie one after the other, that. Null where they are fewer or not alike. */
function joined(elements: readonly (Tensor | null | undefined)[], count: number): Tensor | null {
  const [one] = elements
  if (elements.length < count || one === undefined || one === null || !isNumeric(one)) return null
  const { dtype, shape } = one
  const { buffer, byteOffset, byteLength, length } = one.data as TypedArray
  let isRow = true
  for (const [i, element] of elements.entries()) {
    if (element?.dtype !== dtype || !sameShape(element.shape, shape)) return null
    const data = element.data as TypedArray
    isRow &&= data.buffer === buffer && data.byteOffset === byteOffset + i * byteLength
  }
  const ofDtype = ARRAYS[dtype]
  const data = isRow ? new ofDtype(buffer as ArrayBuffer, byteOffset, count * length) : new ofDtype(count * length)
  if (!isRow) for (const [i, element] of elements.entries()) data.set((element as Tensor).data as never, i * length)
  return { dtype, shape: [count, ...shape], data } as Tensor
}

/** The numbers of a source for a run; null where it has not what the program was compiled for. */
function read(source: Source, steps: number, { inputs, constants }: LoopInputs): Tensor | null {
  const held = constants[source.constant]
  if (source.kind === 'tensor') return held
  if (source.kind === 'compared') {
    const [first, others] = [indexOf({ parameter: source.parameter }, inputs), held.data as Int32Array]
    const data = new Uint8Array(steps * others.length)
    for (let step = 0, at = 0; step < steps; step++)
      for (let i = 0; i < others.length; i++) data[at++] = source.holds(first + step, others[i]) ? 1 : 0
    return { dtype: 'bool', shape: [steps, ...held.shape], data }
  }
  const [array, first] = [arrayIn(held), indexOf(source.from, inputs)]
  if (first < 0) return null
  const whole =
    array === null ? elementsOf(listOf(held), first, steps) : joined(array.elements.slice(first, first + steps), steps)
  return whole?.dtype === source.dtype && sameShape(whole.shape.slice(1), source.shape) ? whole : null
}

/** The TF1 arrays that a loop reads and writes, in the order of what does; null where it takes one twice, or may not write it. */
function arraysOf(
  { steps, sources, stored }: LoopProgram,
  { inputs, constants }: LoopInputs,
): { readonly given: readonly (TensorArray | null)[]; readonly taken: readonly TensorArray[] } | null {
  const seen = new Set<TensorArray>()
  const given: (TensorArray | null)[] = []
  for (const source of sources) {
    const array = source.kind === 'elements' ? arrayIn(constants[source.constant]) : null
    if (array !== null && seen.has(array)) return null
    if (array !== null) seen.add(array)
    given.push(array)
  }
  const taken: TensorArray[] = []
  for (const { constant, from, shape } of stored) {
    const array = arrayIn(constants[constant])
    if (array === null || seen.has(array) || !isFree(array, indexOf(from, inputs), steps, shape)) return null
    seen.add(array)
    taken.push(array)
  }
  return { given, taken }
}

/** What the parameters are after all steps; null where there is no room, or where the reference must say what is wrong. */
export function runProgram(
  program: LoopProgram,
  given: LoopInputs,
  memory: Memory,
  kernels: Kernels,
): readonly Tensor[] | null {
  const { steps, sources, zeros, once, each, stored, results } = program
  const { inputs } = given
  const arrays = arraysOf(program, given)
  if (arrays === null) return null
  const bases = [0]
  for (const source of sources) {
    const whole = read(source, steps, given)
    const at = whole === null ? null : memory.address(whole.data as Float32Array | Uint8Array)
    if (at === null) return null
    bases.push(at)
  }
  for (const [i, result] of results.entries())
    if (result.kind === 'list' && !isWritable(result, i, inputs, steps)) return null
  const [frame, code] = [memory.room(program.frame), memory.room(once.words.length + each.words.length)]
  if (frame === null || code === null) return null
  bases[0] = frame.byteOffset
  for (const [offset, length] of zeros) frame.fill(0, offset, offset + length)
  for (const [i, result] of results.entries())
    if (result.kind === 'state') frame.set(inputs[i].data as Float32Array, result.offset)
  const words = new Int32Array(code.buffer, code.byteOffset, code.length)
  write(once, words, 0, bases)
  write(each, words, once.words.length, bases)
  kernels.runSteps(code.byteOffset, once.count, 1)
  kernels.runSteps(code.byteOffset + 4 * once.words.length, each.count, steps)
  for (const [i, source] of sources.entries()) {
    const array = arrays.given[i]
    if (array !== null && source.kind === 'elements') clear(array, indexOf(source.from, inputs), steps)
  }
  for (const [i, { offset, shape, from }] of stored.entries()) {
    const [first, size] = [indexOf(from, inputs), sizeOf(shape)]
    for (let step = 0; step < steps; step++) {
      const data = new Float32Array(frame.buffer, frame.byteOffset + 4 * (offset + step * size), size)
      store(arrays.taken[i], first + step, { dtype: 'float32', shape, data })
    }
  }
  return results.map((result, i) => after(result, inputs[i], inputs, steps, frame))
}

function write({ words, addresses }: Code, to: Int32Array, at: number, bases: readonly number[]): void {
  to.set(words, at)
  for (let i = 0; i < addresses.length; i += 2) to[at + addresses[i]] += bases[addresses[i + 1]]
}

/** Whether each step's element may be set; what may not, the reference refuses. */
function isWritable(
  { at, shape }: Result & { kind: 'list' },
  parameter: number,
  inputs: readonly Tensor[],
  steps: number,
): boolean {
  const list = listOf(inputs[parameter])
  const first = indexOf(at, inputs)
  const last = 'constant' in at ? first : first + steps - 1
  const length = list.length
  return list.dtype === 'float32' && first >= 0 && last < length && compatible(list.shape, shape)
}

function after(result: Result, before: Tensor, inputs: readonly Tensor[], steps: number, frame: Float32Array): Tensor {
  if (result.kind === 'same') return before
  if (result.kind === 'counter') {
    return { dtype: 'int32', shape: [], data: Int32Array.of((before.data as Int32Array)[0] + steps) }
  }
  const { offset, shape } = result
  const size = sizeOf(shape)
  const part = (from: number, length: number) => new Float32Array(frame.buffer, frame.byteOffset + 4 * from, length)
  if (result.kind === 'state') return { dtype: 'float32', shape, data: part(offset, size) }
  const list = listOf(before)
  const first = indexOf(result.at, inputs)
  const count = 'constant' in result.at ? 1 : steps
  const length = list.length
  if (count === length) {
    const whole: Tensor = { dtype: 'float32', shape: [count, ...shape], data: part(offset, count * size) }
    return new TensorList('float32', list.shape, whole, list.capacity).handle()
  }
  const tensors = list.tensors.slice()
  for (let i = 0; i < count; i++) tensors[first + i] = { dtype: 'float32', shape, data: part(offset + i * size, size) }
  return list.with(tensors).handle()
}
