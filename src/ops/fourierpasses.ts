import { InvalidArgumentError } from '../errors.ts'

// The transform of real numbers among which there is a NaN or an infinity: which of its numbers these reach, and as what, hangs on
// the steps that are taken. So they are DUCC's, as TensorFlow takes them: FFTPACK's radf2 to radf5, the last factor first.

/** One factor of a length: `ido` numbers lie together in each of `l1` · factor runs. */
interface Pass {
  readonly ido: number
  readonly l1: number
  /** cos and sin of (j + 1) · l1 · (i / 2) parts of the circle, by row j. */
  wr(j: number, i: number): number
  wi(j: number, i: number): number
}

/** Number a of run b in part c: the input is parted by factor, the output by run. */
type Read = (a: number, b: number, c: number) => number
type Write = (a: number, b: number, c: number, x: number) => void

/** The lengths that DUCC transforms by these passes: longer ones of an even length it takes as complex numbers. */
const LONGEST = 1000

/** cos of k parts of the circle of n, which is 0 where it is 0 in numbers without end. */
function cosine(k: number, n: number): number {
  const eighths = (8 * (k % n)) / n
  if (eighths === 2 || eighths === 6) return 0
  return Math.cos((2 * Math.PI * (k % n)) / n)
}
const sine = (k: number, n: number): number => cosine(k + (3 * n) / 4, n)

/** 4 as often as it goes, 2 before it, then the odd ones; null where one is larger than 5. */
function factorsOf(length: number): readonly number[] | null {
  const factors: number[] = []
  let rest = length
  for (; rest % 4 === 0; rest /= 4) factors.push(4)
  if (rest % 2 === 0) {
    rest /= 2
    factors.push(2)
    ;[factors[0], factors[factors.length - 1]] = [factors[factors.length - 1], factors[0]]
  }
  for (const factor of [3, 5]) for (; rest % factor === 0; rest /= factor) factors.push(factor)
  return rest === 1 ? factors : null
}

/** The numbers of part j, turned: c · e + d · f and c · f − d · e. */
const turnedBy = ({ wr, wi }: Pass, cc: Read, i: number, k: number, j: number): readonly [number, number] => {
  const [c, d, e, f] = [wr(j - 1, i), wi(j - 1, i), cc(i - 1, k, j), cc(i, k, j)]
  return [c * e + d * f, c * f - d * e]
}

function radf2(pass: Pass, cc: Read, ch: Write): void {
  const { ido, l1 } = pass
  for (let k = 0; k < l1; k++) {
    ch(0, 0, k, cc(0, k, 0) + cc(0, k, 1))
    ch(ido - 1, 1, k, cc(0, k, 0) - cc(0, k, 1))
    if (ido % 2 === 0) {
      ch(0, 1, k, -cc(ido - 1, k, 1))
      ch(ido - 1, 0, k, cc(ido - 1, k, 0))
    }
    for (let i = 2; i < ido; i += 2) {
      const [tr2, ti2] = turnedBy(pass, cc, i, k, 1)
      ch(i - 1, 0, k, cc(i - 1, k, 0) + tr2)
      ch(ido - i - 1, 1, k, cc(i - 1, k, 0) - tr2)
      ch(i, 0, k, ti2 + cc(i, k, 0))
      ch(ido - i, 1, k, ti2 - cc(i, k, 0))
    }
  }
}

function radf3(pass: Pass, cc: Read, ch: Write): void {
  const { ido, l1 } = pass
  const [taur, taui] = [-0.5, Math.sqrt(3) / 2]
  for (let k = 0; k < l1; k++) {
    const sum = cc(0, k, 1) + cc(0, k, 2)
    ch(0, 0, k, cc(0, k, 0) + sum)
    ch(0, 2, k, taui * (cc(0, k, 2) - cc(0, k, 1)))
    ch(ido - 1, 1, k, cc(0, k, 0) + taur * sum)
    for (let i = 2; i < ido; i += 2) {
      const [dr2, di2] = turnedBy(pass, cc, i, k, 1)
      const [dr3, di3] = turnedBy(pass, cc, i, k, 2)
      const [cr2, ci2] = [dr2 + dr3, di2 + di3]
      ch(i - 1, 0, k, cc(i - 1, k, 0) + cr2)
      ch(i, 0, k, cc(i, k, 0) + ci2)
      const [tr2, ti2] = [cc(i - 1, k, 0) + taur * cr2, cc(i, k, 0) + taur * ci2]
      const [tr3, ti3] = [taui * (di2 - di3), taui * (dr3 - dr2)]
      ch(i - 1, 2, k, tr2 + tr3)
      ch(ido - i - 1, 1, k, tr2 - tr3)
      ch(i, 2, k, ti3 + ti2)
      ch(ido - i, 1, k, ti3 - ti2)
    }
  }
}

function radf4(pass: Pass, cc: Read, ch: Write): void {
  const { ido, l1 } = pass
  for (let k = 0; k < l1; k++) {
    const [sum13, sum02] = [cc(0, k, 3) + cc(0, k, 1), cc(0, k, 0) + cc(0, k, 2)]
    ch(0, 2, k, cc(0, k, 3) - cc(0, k, 1))
    ch(ido - 1, 1, k, cc(0, k, 0) - cc(0, k, 2))
    ch(0, 0, k, sum02 + sum13)
    ch(ido - 1, 3, k, sum02 - sum13)
    if (ido % 2 === 0) {
      const last = ido - 1
      const im = -Math.SQRT1_2 * (cc(last, k, 1) + cc(last, k, 3))
      const re = Math.SQRT1_2 * (cc(last, k, 1) - cc(last, k, 3))
      ch(last, 0, k, cc(last, k, 0) + re)
      ch(last, 2, k, cc(last, k, 0) - re)
      ch(0, 3, k, im + cc(last, k, 2))
      ch(0, 1, k, im - cc(last, k, 2))
    }
    for (let i = 2; i < ido; i += 2) {
      const [cr2, ci2] = turnedBy(pass, cc, i, k, 1)
      const [cr3, ci3] = turnedBy(pass, cc, i, k, 2)
      const [cr4, ci4] = turnedBy(pass, cc, i, k, 3)
      const [tr1, tr4, ti1, ti4] = [cr4 + cr2, cr4 - cr2, ci2 + ci4, ci2 - ci4]
      const [re, im] = [cc(i - 1, k, 0), cc(i, k, 0)]
      const [tr2, tr3, ti2, ti3] = [re + cr3, re - cr3, im + ci3, im - ci3]
      const ic = ido - i
      ch(i - 1, 0, k, tr2 + tr1)
      ch(ic - 1, 3, k, tr2 - tr1)
      ch(i, 0, k, ti1 + ti2)
      ch(ic, 3, k, ti1 - ti2)
      ch(i - 1, 2, k, tr3 + ti4)
      ch(ic - 1, 1, k, tr3 - ti4)
      ch(i, 2, k, tr4 + ti3)
      ch(ic, 1, k, tr4 - ti3)
    }
  }
}

function radf5(pass: Pass, cc: Read, ch: Write): void {
  const { ido, l1 } = pass
  const [tr11, ti11, tr12, ti12] = [cosine(1, 5), sine(1, 5), cosine(2, 5), sine(2, 5)]
  for (let k = 0; k < l1; k++) {
    const first = cc(0, k, 0)
    const [sum14, dif41] = [cc(0, k, 4) + cc(0, k, 1), cc(0, k, 4) - cc(0, k, 1)]
    const [sum23, dif32] = [cc(0, k, 3) + cc(0, k, 2), cc(0, k, 3) - cc(0, k, 2)]
    ch(0, 0, k, first + sum14 + sum23)
    ch(ido - 1, 1, k, first + tr11 * sum14 + tr12 * sum23)
    ch(0, 2, k, ti11 * dif41 + ti12 * dif32)
    ch(ido - 1, 3, k, first + tr12 * sum14 + tr11 * sum23)
    ch(0, 4, k, ti12 * dif41 - ti11 * dif32)
    for (let i = 2; i < ido; i += 2) {
      const [dr2, di2] = turnedBy(pass, cc, i, k, 1)
      const [dr3, di3] = turnedBy(pass, cc, i, k, 2)
      const [dr4, di4] = turnedBy(pass, cc, i, k, 3)
      const [dr5, di5] = turnedBy(pass, cc, i, k, 4)
      const [cr2, ci5, ci2, cr5] = [dr5 + dr2, dr5 - dr2, di2 + di5, di2 - di5]
      const [cr3, ci4, ci3, cr4] = [dr4 + dr3, dr4 - dr3, di3 + di4, di3 - di4]
      const [re, im, ic] = [cc(i - 1, k, 0), cc(i, k, 0), ido - i]
      ch(i - 1, 0, k, re + cr2 + cr3)
      ch(i, 0, k, im + ci2 + ci3)
      const [tr2, ti2] = [re + tr11 * cr2 + tr12 * cr3, im + tr11 * ci2 + tr12 * ci3]
      const [tr3, ti3] = [re + tr12 * cr2 + tr11 * cr3, im + tr12 * ci2 + tr11 * ci3]
      const [tr5, tr4] = [ti11 * cr5 + ti12 * cr4, ti12 * cr5 - ti11 * cr4]
      const [ti5, ti4] = [ti11 * ci5 + ti12 * ci4, ti12 * ci5 - ti11 * ci4]
      ch(i - 1, 2, k, tr2 + tr5)
      ch(ic - 1, 1, k, tr2 - tr5)
      ch(i, 2, k, ti5 + ti2)
      ch(ic, 1, k, ti5 - ti2)
      ch(i - 1, 4, k, tr3 + tr4)
      ch(ic - 1, 3, k, tr3 - tr4)
      ch(i, 4, k, ti4 + ti3)
      ch(ic, 3, k, ti4 - ti3)
    }
  }
}

const PASSES: Readonly<Record<number, (pass: Pass, cc: Read, ch: Write) => void>> = {
  2: radf2,
  3: radf3,
  4: radf4,
  5: radf5,
}

/**
 * The first length / 2 + 1 numbers of the transform of the `length` real numbers `line`, re and im in turn.
 * @throws {InvalidArgumentError} where DUCC takes other steps for such a length
 */
export function passesForward(line: Float64Array): Float64Array {
  const { length } = line
  const factors = factorsOf(length)
  if (factors === null || (length > LONGEST && length % 2 === 0)) throw notFinite(`${length} numbers`)
  let [from, to]: [Float64Array, Float64Array] = [line, new Float64Array(length)]
  let l1 = length
  for (const factor of factors.toReversed()) {
    const ido = length / l1
    l1 /= factor
    const [x, y, runs] = [from, to, l1]
    PASSES[factor](
      {
        ido,
        l1,
        wr: (j, i) => cosine((j + 1) * runs * (i / 2), length),
        wi: (j, i) => sine((j + 1) * runs * (i / 2), length),
      },
      (a, b, c) => x[a + ido * (b + runs * c)],
      (a, b, c, value) => {
        y[a + ido * (b + factor * c)] = value
      },
    )
    ;[from, to] = [to, from]
  }
  const out = new Float64Array(2 * (length >> 1) + 2)
  out[0] = from[0]
  for (let i = 1; i < length; i++) out[i + 1] = from[i]
  return out
}

/** What is said of numbers that are not finite and whose transform would not be TensorFlow's. */
export const notFinite = (what: string): InvalidArgumentError =>
  new InvalidArgumentError(
    `a NaN or an infinity is among ${what} to be transformed, and what becomes of it hangs on the steps that TensorFlow takes there: put numbers in their place before (tf.where(tf.math.is_finite(x), x, 0))`,
  )
