/**
 * Philox 4×32-10, counter based (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"), with the constants and
 * the counter arithmetic of core/lib/random/philox_random.h.
 */
export class Philox {
  private readonly counter: Uint32Array
  private readonly key: Uint32Array

  /** @param counter four words, @param key two words, each from the lowest */
  constructor(counter: ArrayLike<number>, key: ArrayLike<number>) {
    this.counter = Uint32Array.from(counter)
    this.key = Uint32Array.from(key)
  }

  copy(): Philox {
    return new Philox(this.counter, this.key)
  }

  /** Passes over `count` groups of four numbers; `count` is below 2^53. */
  skip(count: number): void {
    const low = (this.counter[0] + count) % 2 ** 32
    let carry = Math.floor((this.counter[0] + count) / 2 ** 32)
    this.counter[0] = low
    for (let i = 1; i < 4 && carry > 0; i++) {
      const sum = this.counter[i] + carry
      this.counter[i] = sum % 2 ** 32
      carry = Math.floor(sum / 2 ** 32)
    }
  }

  /** The next four numbers of 32 bits. */
  next(): Uint32Array {
    let [a, b, c, d] = this.counter
    let [k0, k1] = this.key
    for (let round = 0; round < 10; round++) {
      const high0 = multiplyHigh(MULTIPLIERS[0], a)
      const high1 = multiplyHigh(MULTIPLIERS[1], c)
      const low0 = Math.imul(MULTIPLIERS[0], a) >>> 0
      const low1 = Math.imul(MULTIPLIERS[1], c) >>> 0
      ;[a, b, c, d] = [(high1 ^ b ^ k0) >>> 0, low1, (high0 ^ d ^ k1) >>> 0, low0]
      k0 = (k0 + WEYL[0]) >>> 0
      k1 = (k1 + WEYL[1]) >>> 0
    }
    this.skip(1)
    return Uint32Array.of(a, b, c, d)
  }

  /** A reader of one number after the other; what is left of the last group is dropped with it. */
  words(): () => number {
    let group = new Uint32Array(0)
    let at = 0
    return () => {
      if (at === group.length) {
        group = this.next() as Uint32Array<ArrayBuffer>
        at = 0
      }
      return group[at++]
    }
  }
}

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const
const WEYL = [0x9e3779b9, 0xbb67ae85] as const

/** The upper 32 bits of the product of two numbers of 32 bits. */
function multiplyHigh(x: number, y: number): number {
  const [xh, xl] = [x >>> 16, x & 0xffff]
  const [yh, yl] = [y >>> 16, y & 0xffff]
  const middle = xh * yl + ((xl * yl) >>> 16)
  const other = xl * yh + (middle & 0xffff)
  return (xh * yh + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0
}

const words = (value: bigint): [number, number] => {
  const bits = BigInt.asUintN(64, value)
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)]
}

/** The generator of a stateful op's `seed` and `seed2` (PhiloxRandom's constructor of two seeds). */
export const seeded = (seed: bigint, seed2: bigint): Philox => new Philox([0, 0, ...words(seed2)], words(seed))

/** The generator that a key and a counter of 64-bit numbers stand for. */
export const keyed = (key: bigint, counter: readonly [bigint, bigint]): Philox =>
  new Philox([...words(counter[0]), ...words(counter[1])], words(key))

const SCRAMBLE = [0x3ec8f720, 0x02461e29]

/** Key and counter of a stateless op's seed: both halves are mixed, so that none need be strong (stateless_random_ops.cc). */
export function scrambled(seed: readonly [bigint, bigint]): { key: bigint; counter: [bigint, bigint] } {
  const mix = new Philox([...words(seed[0]), ...words(seed[1])], SCRAMBLE).next()
  const join = (low: number, high: number) => BigInt(low) | (BigInt(high) << 32n)
  return { key: join(mix[0], mix[1]), counter: [0n, join(mix[2], mix[3])] }
}
