import { passesForward } from './fourierpasses.ts'

// Discrete Fourier transforms of one line, of any length in O(n log n), in doubles: the float32 that TensorFlow answers
// (its DUCC computes in float32) is within the rounding of that. Complex numbers lie re, im, re, im.

/** A transform of lines of one length, forward: Σ x[k] · exp(−2πi jk / n). The work arrays are its own, for one line at a time. */
export interface Plan {
  readonly length: number
  /** Where a line of 2 · length numbers is put; what `run` leaves there is lost with the next. */
  readonly line: Float64Array
  /** The transform of what was put into `line`, valid until the next run. */
  run(): Float64Array
}

/** Plans by length: their tables are made once. A model has a few lengths; past so many all are made anew. */
const PLANS = new Map<number, Plan>()
const MOST_PLANS = 64
/** A larger prime factor makes a direct sum over it slower than three transforms of a power of two. */
const MOST_FACTOR = 31

export function planOf(length: number): Plan {
  let plan = PLANS.get(length)
  if (plan === undefined) {
    if (PLANS.size >= MOST_PLANS) PLANS.clear()
    const factors = factorsOf(length)
    plan = factors.every((factor) => factor <= MOST_FACTOR) ? stockham(length, factors) : bluestein(length)
    PLANS.set(length, plan)
  }
  return plan
}

/** 4, the factor with the shortest sums, as often as it goes, then the primes. */
function factorsOf(length: number): number[] {
  const factors: number[] = []
  let rest = length
  for (; rest % 4 === 0 && rest > 0; rest /= 4) factors.push(4)
  for (let factor = 2; factor * factor <= rest; factor++)
    for (; rest % factor === 0; rest /= factor) factors.push(factor)
  if (rest > 1) factors.push(rest)
  return factors
}

const ROOTS = new Map<number, Float64Array>()

/** exp(−2πi k / n) for k below n. */
export function rootsOf(n: number): Float64Array {
  let roots = ROOTS.get(n)
  if (roots === undefined) {
    if (ROOTS.size >= MOST_PLANS) ROOTS.clear()
    roots = new Float64Array(2 * n)
    for (let k = 0; k < n; k++) {
      const angle = (-2 * Math.PI * k) / n
      roots[2 * k] = Math.cos(angle)
      roots[2 * k + 1] = Math.sin(angle)
    }
    ROOTS.set(n, roots)
  }
  return roots
}

/**
 * Stockham's way: each stage parts the line by one factor and leaves it in order, from one array to the other, so that no
 * bits are reversed. A stage sees `count` interleaved lines of factor · rest numbers.
 */
function stockham(length: number, factors: readonly number[]): Plan {
  const roots = rootsOf(length)
  const [line, other] = [new Float64Array(2 * length), new Float64Array(2 * length)]
  return {
    length,
    line,
    run() {
      let [from, to] = [line, other]
      let [count, rest] = [1, length]
      for (const factor of factors) {
        rest /= factor
        if (factor === 4) byFour(from, to, roots, count, rest)
        else byFactor(from, to, roots, factor, count, rest)
        count *= factor
        ;[from, to] = [to, from]
      }
      return from
    },
  }
}

function byFour(x: Float64Array, y: Float64Array, roots: Float64Array, count: number, rest: number): void {
  const step = 2 * count * rest
  const out = 2 * count
  // No lists taken apart here: a model's first run is one of the interpreter, which makes them.
  for (let p = 0; p < rest; p++) {
    const w = 2 * p * count
    const re1 = roots[w]
    const im1 = roots[w + 1]
    const re2 = roots[2 * w]
    const im2 = roots[2 * w + 1]
    const re3 = roots[3 * w]
    const im3 = roots[3 * w + 1]
    for (let q = 0, a = out * p, to = 4 * out * p; q < count; q++, a += 2, to += 2) {
      const b = a + step
      const c = b + step
      const d = c + step
      const sumR = x[a] + x[c]
      const sumI = x[a + 1] + x[c + 1]
      const difR = x[a] - x[c]
      const difI = x[a + 1] - x[c + 1]
      const oddR = x[b] + x[d]
      const oddI = x[b + 1] + x[d + 1]
      // −i · (b − d)
      const turnR = x[b + 1] - x[d + 1]
      const turnI = x[d] - x[b]
      y[to] = sumR + oddR
      y[to + 1] = sumI + oddI
      put(y, to + out, difR + turnR, difI + turnI, re1, im1)
      put(y, to + 2 * out, sumR - oddR, sumI - oddI, re2, im2)
      put(y, to + 3 * out, difR - turnR, difI - turnI, re3, im3)
    }
  }
}

function put(y: Float64Array, at: number, re: number, im: number, wRe: number, wIm: number): void {
  y[at] = re * wRe - im * wIm
  y[at + 1] = re * wIm + im * wRe
}

function byFactor(
  x: Float64Array,
  y: Float64Array,
  roots: Float64Array,
  factor: number,
  count: number,
  rest: number,
): void {
  const step = 2 * count * rest
  const out = 2 * count
  // The roots of `factor` among those of the whole line.
  const turn = roots.length / 2 / factor
  for (let p = 0; p < rest; p++) {
    for (let q = 0; q < count; q++) {
      const at = 2 * (q + count * p)
      const to = 2 * (q + count * factor * p)
      for (let j = 0; j < factor; j++) {
        let re = x[at]
        let im = x[at + 1]
        for (let k = 1, w = j, a = at + step; k < factor; k++, a += step) {
          const c = roots[2 * w * turn]
          const s = roots[2 * w * turn + 1]
          re += x[a] * c - x[a + 1] * s
          im += x[a] * s + x[a + 1] * c
          w += j
          if (w >= factor) w -= factor
        }
        const w = 2 * p * j * count
        put(y, to + j * out, re, im, roots[w], roots[w + 1])
      }
    }
  }
}

/**
 * Bluestein's way for lengths with a large prime factor: jk = (j² + k² − (j − k)²) / 2 makes of the transform a convolution
 * with a chirp, which transforms of a power of two compute.
 */
function bluestein(length: number): Plan {
  let size = 1
  while (size < 2 * length - 1) size *= 2
  const chirp = new Float64Array(2 * length)
  for (let k = 0; k < length; k++) {
    // k² is exact, and so is where it lies on the circle.
    const angle = (-Math.PI * ((k * k) % (2 * length))) / length
    chirp[2 * k] = Math.cos(angle)
    chirp[2 * k + 1] = Math.sin(angle)
  }
  const inner = planOf(size)
  inner.line.fill(0)
  for (let k = 0; k < length; k++) {
    for (const at of [k, (size - k) % size]) {
      inner.line[2 * at] = chirp[2 * k]
      inner.line[2 * at + 1] = -chirp[2 * k + 1]
    }
  }
  const filter = inner.run().slice()
  const line = new Float64Array(2 * length)
  return {
    length,
    line,
    run() {
      const work = inner.line
      work.fill(0)
      for (let k = 0; k < 2 * length; k += 2) put(work, k, line[k], line[k + 1], chirp[k], chirp[k + 1])
      const spectrum = inner.run().slice()
      // The inverse is the transform of the numbers with their parts exchanged, exchanged again.
      for (let k = 0; k < 2 * size; k += 2) {
        work[k] = spectrum[k] * filter[k + 1] + spectrum[k + 1] * filter[k]
        work[k + 1] = spectrum[k] * filter[k] - spectrum[k + 1] * filter[k + 1]
      }
      const product = inner.run()
      for (let k = 0; k < 2 * length; k += 2)
        put(line, k, product[k + 1] / size, product[k] / size, chirp[k], chirp[k + 1])
      return line
    },
  }
}

type Floats = Float32Array | Float64Array

/**
 * The transform of `length` complex numbers of `x` from number `at` on, `step` numbers apart, into `out` in the same way.
 * @param inverse with the other sign, and divided by the length
 */
export function transform(
  x: Floats,
  at: number,
  step: number,
  length: number,
  inverse: boolean,
  out: Floats,
  to: number,
  outStep: number,
): void {
  const plan = planOf(length)
  const { line } = plan
  const [first, second, scale] = inverse ? [1, 0, 1 / length] : [0, 1, 1]
  for (let k = 0, from = 2 * at; k < length; k++, from += 2 * step) {
    line[2 * k + first] = x[from]
    line[2 * k + second] = x[from + 1]
  }
  const result = plan.run()
  for (let k = 0, into = 2 * to; k < length; k++, into += 2 * outStep) {
    out[into] = result[2 * k + first] * scale
    out[into + 1] = result[2 * k + second] * scale
  }
}

/** Whether `length` numbers of `x` from `at` on are finite. */
export function areFinite(x: Floats, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (!Number.isFinite(x[i])) return false
  return true
}

/** The first length / 2 + 1 numbers of the transform of `length` real numbers of `x` from `at` on, into `out` from number `to` on. */
export function realForward(x: Floats, at: number, length: number, out: Floats, to: number): void {
  const half = length >> 1
  if (!areFinite(x, at, length)) {
    out.set(passesForward(Float64Array.from(x.subarray(at, at + length))), 2 * to)
    return
  }
  if (length % 2 === 1) {
    const { line, run } = planOf(length)
    for (let k = 0; k < length; k++) {
      line[2 * k] = x[at + k]
      line[2 * k + 1] = 0
    }
    const result = run()
    for (let k = 0; k < 2 * half + 2; k++) out[2 * to + k] = result[k]
    out[2 * to + 1] = 0
    return
  }
  // Of even and odd numbers as the parts of one line of half the length.
  const { line, run } = planOf(half)
  for (let k = 0; k < length; k++) line[k] = x[at + k]
  const z = run()
  const roots = rootsOf(length)
  for (let k = 0; k <= half; k++) {
    const a = k === half ? 0 : 2 * k
    const b = k === 0 ? 0 : 2 * (half - k)
    const evenR = (z[a] + z[b]) / 2
    const evenI = (z[a + 1] - z[b + 1]) / 2
    const oddR = (z[a + 1] + z[b + 1]) / 2
    const oddI = (z[b] - z[a]) / 2
    const c = roots[2 * k]
    const s = roots[2 * k + 1]
    out[2 * (to + k)] = evenR + oddR * c - oddI * s
    out[2 * (to + k) + 1] = k === 0 || k === half ? 0 : evenI + oddR * s + oddI * c
  }
}

/** The `length` real numbers whose transform begins with length / 2 + 1 numbers of `x` from number `at` on, into `out` from `to` on. */
export function realInverse(x: Floats, at: number, length: number, out: Floats, to: number): void {
  const half = length >> 1
  if (length % 2 === 1) {
    const { line, run } = planOf(length)
    // Parts exchanged, for the inverse.
    for (let k = 0; k <= half; k++) {
      const re = x[2 * (at + k)]
      const im = k === 0 ? 0 : x[2 * (at + k) + 1]
      line[2 * k + 1] = re
      line[2 * k] = im
      if (k === 0) continue
      line[2 * (length - k) + 1] = re
      line[2 * (length - k)] = -im
    }
    const result = run()
    for (let k = 0; k < length; k++) out[to + k] = result[2 * k + 1] / length
    return
  }
  const { line, run } = planOf(half)
  const roots = rootsOf(length)
  for (let k = 0; k < half; k++) {
    const a = 2 * (at + k)
    const b = 2 * (at + half - k)
    // The first number and the middle one have no imaginary part, whatever is given.
    const aI = k === 0 ? 0 : x[a + 1]
    const bI = k === 0 ? 0 : x[b + 1]
    const sumR = x[a] + x[b]
    const sumI = aI - bI
    const difR = x[a] - x[b]
    const difI = aI + bI
    const c = roots[2 * k]
    const s = -roots[2 * k + 1]
    // sum + i · w · difference
    line[2 * k + 1] = sumR - (difR * s + difI * c)
    line[2 * k] = sumI + (difR * c - difI * s)
  }
  const result = run()
  for (let k = 0; k < half; k++) {
    out[to + 2 * k] = result[2 * k + 1] / length
    out[to + 2 * k + 1] = result[2 * k] / length
  }
}
