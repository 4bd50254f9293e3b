import { InvalidArgumentError } from '../errors.ts'
import type { Call, Node, Op } from '../graph/index.ts'
import { type ArrayDType, type DType, isBig, type NumberArray, type ReadDType, type Tensor } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { integer, integersOf, integerTensor } from './integers.ts'
import { checkedSize, takeRows } from './layout.ts'
import { double, type Fill, FULL_INT, NORMAL, TRUNCATED, UNIFORM, uniformInt } from './random/distributions.ts'
import { keyed, type Philox, scrambled, seeded } from './random/philox.ts'

// Random numbers after core/kernels/{random_op,multinomial_op,random_shuffle_op,stateless_random_ops*}.cc. Given a seed
// they are TensorFlow's own.

/** Each node's generator, which goes on from call to call (GuardedPhiloxRandom). */
const GENERATORS = new WeakMap<Node, Philox>()

/** The generator of a stateful op for this call; afterwards it is `reserved` groups further. Without seeds it is by chance. */
function reserve({ node, attrs }: Call, reserved: number): Philox {
  let generator = GENERATORS.get(node)
  if (generator === undefined) {
    const [seed, seed2] = [attrs.int64('seed', 0n), attrs.int64('seed2', 0n)]
    generator = seed === 0n && seed2 === 0n ? seeded(chance(), chance()) : seeded(seed, seed2)
    GENERATORS.set(node, generator)
  }
  const now = generator.copy()
  generator.skip(reserved)
  return now
}

const chance = (): bigint =>
  (BigInt(Math.floor(Math.random() * 2 ** 32)) << 32n) | BigInt(Math.floor(Math.random() * 2 ** 32))

/** How many groups a stateful op sets aside for each output. */
const PER_OUTPUT = 256

/** Input 0 as the shape of the result. */
function shapeOf({ inputs: [shape] }: Call): number[] {
  if (shape.shape.length !== 1) {
    throw new InvalidArgumentError(`shape must be a vector of {int32,int64}, got shape [${shape.shape}]`)
  }
  const dims = integersOf(shape, 'shape')
  checkedSize(dims, 'shape')
  return dims
}

/** A tensor that `fill` fills from the generator that `start` gives for its size. */
function draw(dtype: DType, shape: readonly number[], fill: Fill, start: (size: number) => Philox): Tensor {
  return filled(dtype as ArrayDType, shape, (out) => {
    if (out.length > 0) fill(start(out.length), out)
  })
}

type Fills = Partial<Record<DType, Fill>>

function fillOf(fills: Fills, dtype: DType): Fill {
  const fill = fills[dtype]
  if (fill === undefined) throw new TypeError(`${dtype} is not a type of this op`)
  return fill
}

const stateful = (fills: Fills): Op => ({
  stateful: true,
  evaluate(call) {
    const dtype = call.attrs.dtype('dtype')
    return draw(dtype, shapeOf(call), fillOf(fills, dtype), (size) => reserve(call, size * PER_OUTPUT))
  },
})

/** Bounds of an integer draw at inputs `low` and the next. */
function boundsOf(call: Call, low: number): { dtype: ArrayDType; fill: Fill } {
  const [from, to] = [numeric(call, low), numeric(call, low + 1)]
  for (const bound of [from, to]) {
    if (bound.shape.length !== 0) {
      throw new InvalidArgumentError(`minval and maxval must be 0-D, got shape [${bound.shape}]`)
    }
  }
  const [min, max] = [BigInt(from.data[0]), BigInt(to.data[0])]
  const { dtype } = from
  return {
    dtype,
    fill: (generator, out) => {
      if (min >= max) throw new InvalidArgumentError(`Need minval < maxval, got ${min} >= ${max}`)
      uniformInt(dtype, min, max)(generator, out)
    },
  }
}

const randomUniformInt: Op = {
  stateful: true,
  evaluate(call) {
    const { dtype, fill } = boundsOf(call, 1)
    return draw(dtype, shapeOf(call), fill, (size) => reserve(call, size * PER_OUTPUT))
  },
}

/** Rows in random order, by the swaps of RandomShuffle in core/kernels/shuffle_common.h. */
const randomShuffle: Op = {
  stateful: true,
  evaluate(call) {
    const [value] = call.inputs
    const rows = value.shape[0] ?? 1
    if (rows <= 1 || value.data.length <= 1) return value
    const word = reserve(call, Math.ceil((rows - 1) / 4)).words()
    const order = Float64Array.from({ length: rows }, (_, i) => i)
    for (let i = 0; i + 1 < rows; i++) {
      const j = i + (word() % (rows - i))
      ;[order[i], order[j]] = [order[j], order[i]]
    }
    return takeRows(value, order)
  },
}

/**
 * Draws classes by their logits; infinite ones are never drawn. TensorFlow shares rows among threads and so takes the
 * stream in another order where there are many; here it is the order of one thread.
 */
function multinomial(call: Call, start: (rows: number, samples: number) => Philox): Tensor {
  const logits = numeric(call, 0)
  const samples = integer(call, 1, 'num_samples')
  if (logits.shape.length !== 2) {
    throw new InvalidArgumentError(`logits should be a matrix, got shape [${logits.shape}]`)
  }
  if (isBig(logits.dtype)) throw new TypeError(`${logits.dtype} is not a type of this op`)
  if (samples < 0) throw new InvalidArgumentError(`num_samples should be nonnegative, got ${samples}`)
  const [rows, classes] = logits.shape
  if (classes === 0) throw new InvalidArgumentError('num_classes should be positive, got 0')
  const size = checkedSize([rows, samples], 'output shape')
  const drawn = new Float64Array(size)
  if (size > 0) {
    const word = start(rows, samples).words()
    for (let row = 0; row < rows; row++) {
      const sums = cumulative((logits.data as NumberArray).subarray(row * classes, (row + 1) * classes))
      for (let i = 0; i < samples; i++) {
        const wanted = double(word(), word()) * sums[classes - 1]
        drawn[row * samples + i] = firstAbove(sums, wanted)
      }
    }
  }
  return integerTensor(call.attrs.dtype('output_dtype', 'int64'), [rows, samples], drawn)
}

function cumulative(logits: NumberArray): Float64Array {
  let highest = -Infinity
  for (const logit of logits) if (Number.isFinite(logit)) highest = Math.max(highest, logit)
  let total = 0
  return Float64Array.from(logits, (logit) => {
    if (Number.isFinite(logit)) total += Math.exp(logit - highest)
    return total
  })
}

/** The first index whose value is above `wanted`. */
function firstAbove(sums: Float64Array, wanted: number): number {
  let [low, high] = [0, sums.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sums[middle] > wanted) high = middle
    else low = middle + 1
  }
  return low
}

/** The two seeds of input `i`. */
function seedOf(call: Call, i: number): [bigint, bigint] {
  const { dtype, shape, data } = numeric(call, i)
  if (shape.length !== 1 || shape[0] !== 2) {
    throw new InvalidArgumentError(`seed must have shape [2], not [${shape}]`)
  }
  if (dtype !== 'int32' && dtype !== 'int64') throw new TypeError(`seed must be int32 or int64, got ${dtype}`)
  return [BigInt(data[0]), BigInt(data[1])]
}

function fromSeed(call: Call, i: number): Philox {
  const { key, counter } = scrambled(seedOf(call, i))
  return keyed(key, counter)
}

const PHILOX = 1
const AUTO_SELECT = 3

/** The generator of key, counter and algorithm at inputs 1, 2 and 3. */
function fromKey(call: Call): Philox {
  const [key, counter] = [numeric(call, 1), numeric(call, 2)]
  const algorithm = integer(call, 3, 'alg')
  if (algorithm !== PHILOX && algorithm !== AUTO_SELECT) {
    throw new InvalidArgumentError(`Unsupported algorithm id: ${algorithm}`)
  }
  if (key.shape.length !== 1 || key.shape[0] !== 1) {
    throw new InvalidArgumentError(`key must have shape [1], not [${key.shape}]`)
  }
  if (counter.shape.length !== 1 || counter.shape[0] < 2) {
    throw new InvalidArgumentError(`counter must be a vector with length at least 2, got shape [${counter.shape}]`)
  }
  return keyed(BigInt(key.data[0]), [BigInt(counter.data[0]), BigInt(counter.data[1])])
}

/** Draws from a generator that the inputs alone decide. */
const stateless = (fills: Fills, start: (call: Call) => Philox, fallback: ReadDType): Op => ({
  evaluate(call) {
    const dtype = call.attrs.dtype('dtype', fallback)
    const generator = start(call)
    return draw(dtype, shapeOf(call), fillOf(fills, dtype), () => generator)
  },
})

const statelessInt = (start: (call: Call) => Philox, low: number): Op => ({
  evaluate(call) {
    const { dtype, fill } = boundsOf(call, low)
    const generator = start(call)
    return draw(dtype, shapeOf(call), fill, () => generator)
  },
})

const ofSeed = (call: Call): Philox => fromSeed(call, 1)

const uint64 = (values: readonly bigint[]): Tensor => ({
  dtype: 'uint64',
  shape: [values.length],
  data: BigUint64Array.from(values),
})

const algorithm = (): Tensor => ({ dtype: 'int32', shape: [], data: Int32Array.of(PHILOX) })

function keyCounter(call: Call): Tensor[] {
  const { key, counter } = scrambled(seedOf(call, 0))
  return [uint64([key]), uint64(counter)]
}

export const ops: Readonly<Record<string, Op>> = {
  RandomUniform: stateful(UNIFORM),
  RandomStandardNormal: stateful(NORMAL),
  TruncatedNormal: stateful(TRUNCATED),
  RandomUniformInt: randomUniformInt,
  RandomShuffle: randomShuffle,
  Multinomial: {
    stateful: true,
    // Samples count in fours, and twice because each is a double of two words.
    evaluate: (call) =>
      multinomial(call, (rows, samples) => reserve(call, rows * Math.ceil(samples / 4) * 8 * PER_OUTPUT)),
  },
  StatelessRandomUniform: stateless(UNIFORM, ofSeed, 'float32'),
  StatelessRandomUniformV2: stateless(UNIFORM, fromKey, 'float32'),
  StatelessRandomNormal: stateless(NORMAL, ofSeed, 'float32'),
  StatelessRandomNormalV2: stateless(NORMAL, fromKey, 'float32'),
  StatelessTruncatedNormal: stateless(TRUNCATED, ofSeed, 'float32'),
  StatelessTruncatedNormalV2: stateless(TRUNCATED, fromKey, 'float32'),
  StatelessRandomUniformFullInt: stateless(FULL_INT, ofSeed, 'uint64'),
  StatelessRandomUniformFullIntV2: stateless(FULL_INT, fromKey, 'uint64'),
  StatelessRandomUniformInt: statelessInt(ofSeed, 2),
  StatelessRandomUniformIntV2: statelessInt(fromKey, 4),
  StatelessMultinomial: { evaluate: (call) => multinomial(call, () => fromSeed(call, 2)) },
  StatelessRandomGetKeyCounter: { outputs: ['key', 'counter'], evaluate: keyCounter },
  StatelessRandomGetAlg: { evaluate: algorithm },
  StatelessRandomGetKeyCounterAlg: {
    outputs: ['key', 'counter', 'alg'],
    evaluate: (call) => [...keyCounter(call), algorithm()],
  },
}
