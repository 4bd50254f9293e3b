import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type Shape, sizeOf, type Tensor, type TypedArray } from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { integersOf, integerTensor } from './integers.ts'
import { grid, pick, progression, stepsOf, take } from './layout.ts'

// What is there, each once, after core/kernels/{unique_op,list_diff_op}.cc. Zeros are equal whatever their sign, a NaN
// not even to itself.

/** For each element of `x` what it is equal by: Map keys that are the same exactly where the elements are equal. */
function keysOf(x: Tensor): (i: number) => string | number | bigint | symbol {
  if (x.dtype === 'resource' || x.dtype === 'variant') throw new TypeError(`${x.dtype} elements cannot be compared`)
  if (x.dtype === 'string') return (i) => latin1(x.data.at(i))
  const data = x.data as TypedArray
  return (i) => (Number.isNaN(data[i]) ? Symbol('NaN') : data[i])
}

/** Bytes as a string of as many characters. */
const latin1 = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** Which of `count` keys are new, where each key was seen first (by the order of the new ones), and how often. */
function distinct<K>(count: number, keyOf: (i: number) => K): { first: number[]; index: number[]; counts: number[] } {
  const known = new Map<K, number>()
  const [first, index, counts]: [number[], number[], number[]] = [[], [], []]
  for (let i = 0; i < count; i++) {
    const key = keyOf(i)
    let at = known.get(key)
    if (at === undefined) {
      at = first.length
      known.set(key, at)
      first.push(i)
      counts.push(0)
    }
    index.push(at)
    counts[at]++
  }
  return { first, index, counts }
}

/** Numbers for the slices of `x` along `axis`: the same where all their elements are equal. */
function sliceKeys(x: Tensor, axis: number): (i: number) => number {
  const elementKey = keysOf(x)
  const steps = stepsOf(x.shape)
  const within = grid(x.shape.map((dim, d) => (d === axis ? [0] : progression(dim, steps[d]))))
  // A slice is told by the path of its elements through a trie.
  const trie = new Map<number, Map<unknown, number>>()
  let nodes = 0
  return (i) => {
    let node = 0
    for (const offset of within) {
      let branches = trie.get(node)
      if (branches === undefined) {
        branches = new Map()
        trie.set(node, branches)
      }
      const key = elementKey(i * steps[axis] + offset)
      let next = branches.get(key)
      if (next === undefined) {
        next = ++nodes
        branches.set(key, next)
      }
      node = next
    }
    return node
  }
}

/** The slices of `x` along `axis` that are new, and which of them each slice is. */
function uniqueAlong(call: Call, axis: number): Tensor[] {
  const [x] = call.inputs
  const flat = x.shape.length === 1
  const { first, index, counts } = distinct<unknown>(x.shape[axis], flat ? keysOf(x) : sliceKeys(x, axis))
  const steps = stepsOf(x.shape)
  const lists = x.shape.map((dim, d) => (d === axis ? first.map((i) => i * steps[d]) : progression(dim, steps[d])))
  const dtype = call.attrs.dtype('out_idx', 'int32')
  return [
    pick(x, lists, x.shape.with(axis, first.length)),
    integerTensor(dtype, [index.length], index),
    integerTensor(dtype, [counts.length], counts),
  ]
}

const OUTPUTS = ['y', 'idx', 'count']

const unique = (outputs: number): Op => ({
  outputs: OUTPUTS.slice(0, outputs),
  evaluate(call) {
    if (call.inputs[0].shape.length !== 1) throw new InvalidArgumentError('unique expects a 1D vector.')
    return uniqueAlong(call, 0).slice(0, outputs)
  },
})

/** An empty `axis` asks for a vector. */
const uniqueV2 = (outputs: number): Op => ({
  outputs: OUTPUTS.slice(0, outputs),
  evaluate(call) {
    const [x, axis] = call.inputs
    if (axis.shape.length !== 1 || axis.shape[0] > 1) {
      throw new InvalidArgumentError(`axis tensor should be a vector of no or one element, got [${axis.shape}]`)
    }
    const [given] = integersOf(axis, 'axis')
    if (given === undefined && x.shape.length !== 1) throw new InvalidArgumentError('unique expects a 1D vector.')
    return uniqueAlong(call, given === undefined ? 0 : axisOf(given, x.shape.length)).slice(0, outputs)
  },
})

/** The elements of x that y does not have, repetitions and all, and where they were. */
const listDiff: Op = {
  outputs: ['out', 'idx'],
  evaluate({ inputs: [x, y], attrs }) {
    const vector = (shape: Shape, name: string) => {
      if (shape.length !== 1) throw new InvalidArgumentError(`${name} should be a 1D vector.`)
    }
    vector(x.shape, 'x')
    vector(y.shape, 'y')
    if (x.dtype !== y.dtype) throw new TypeError(`x and y must be of one dtype, got ${x.dtype} and ${y.dtype}`)
    const [keyOfX, keyOfY] = [keysOf(x), keysOf(y)]
    const known = new Set(progression(sizeOf(y.shape)).map(keyOfY))
    const kept = progression(sizeOf(x.shape)).filter((i) => !known.has(keyOfX(i)))
    return [take(x, kept, [kept.length]), integerTensor(attrs.dtype('out_idx', 'int32'), [kept.length], kept)]
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Unique: unique(2),
  UniqueWithCounts: unique(3),
  UniqueV2: uniqueV2(2),
  UniqueWithCountsV2: uniqueV2(3),
  ListDiff: listDiff,
}
