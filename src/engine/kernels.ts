/** A byte offset in the kernels' memory: a multiple of 4, best of 64. 0 is no array where an argument may be left out. */
export type Pointer = number

/** out[i] = f(x[i]) for n floats; `out` may be `x`. */
type Unary = (out: Pointer, x: Pointer, n: number) => void

/** As `Unary`, with the function's parameter. */
type UnaryWithAlpha = (out: Pointer, x: Pointer, n: number, alpha: number) => void

/**
 * out[r, c] = a[r, c] ∘ b[r, c], `out` contiguous rows × n. An operand is read at 4 · (r · row + c · step), `row` in
 * floats, `step` 0 or 1: a scalar is 0, 0; a vector for every row 0, 1; a column 1, 0; a whole matrix its width, 1.
 * `out` may be an operand of row n, step 1.
 */
type Binary = (
  out: Pointer,
  a: Pointer,
  b: Pointer,
  rows: number,
  n: number,
  aRow: number,
  aStep: number,
  bRow: number,
  bStep: number,
) => void

/** out[rows] = one number for each row of n floats. */
type RowReduction = (out: Pointer, x: Pointer, rows: number, n: number) => void

/** out[rows] = one number for each pair of rows of n floats. */
type RowPair = (out: Pointer, a: Pointer, b: Pointer, rows: number, n: number) => void

/**
 * What `assembly/` exports, in float32; each kernel's preconditions stand with its source. A kernel checks nothing that
 * its doc does not say it checks: the engine answers for pointers and sizes.
 */
export interface Kernels {
  /**
   * out[rows × n] = act(x[rows × k] · W + bias[n]), W from `packPanels` (tensor/panels.ts), `bias` 0 for none, `activation` from
   * `ACTIVATIONS`, `alpha` for elu and leakyRelu. `out` must not overlap an input. A row's result does not depend on
   * the number of rows.
   */
  dense(
    out: Pointer,
    x: Pointer,
    w: Pointer,
    bias: Pointer,
    rows: number,
    k: number,
    n: number,
    activation: number,
    alpha: number,
  ): void
  /** out = w[k × n] as `packPanels` of tensor/panels.ts has it, for `dense`; `out` must not overlap `w`. */
  packPanels(out: Pointer, w: Pointer, k: number, n: number): void
  /**
   * As `dense`, in integers: W from `packInt8` (tensor/panelsint8.ts) with its `factors` of k, its `scales` and `totals`,
   * the columns' sums (i32). `scratch` is `int8Scratch` bytes, `paired` what `pairsBytes` says. A row's result does not
   * depend on the number of rows, nor before the activation on the build.
   */
  denseInt8(
    out: Pointer,
    x: Pointer,
    w: Pointer,
    factors: Pointer,
    scales: Pointer,
    totals: Pointer,
    bias: Pointer,
    rows: number,
    k: number,
    n: number,
    activation: number,
    alpha: number,
    scratch: Pointer,
    paired: number,
  ): void
  /** 1 where this engine multiplies bytes faster in pairs, else 0; `denseInt8` gives the same either way. */
  pairsBytes(): number
  /** out[m × n] = a[m × k] · b[k × n], or with `transposeB` 1 · b[n × k] transposed. `out` must not overlap an input. */
  matmul(out: Pointer, a: Pointer, b: Pointer, m: number, k: number, n: number, transposeB: 0 | 1): void

  relu: Unary
  relu6: Unary
  sigmoid: Unary
  tanh: Unary
  /** x < 0 ? alpha (eˣ − 1) : x */
  elu: UnaryWithAlpha
  selu: Unary
  /** x < 0 ? alpha x : x */
  leakyRelu: UnaryWithAlpha
  /** ½ x (1 + erf(x / √2)) */
  gelu: Unary
  /** ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) */
  geluTanh: Unary
  softplus: Unary
  /** x · sigmoid(x) */
  swish: Unary
  softsign: Unary
  exp: Unary
  log: Unary
  log1p: Unary
  sqrt: Unary
  rsqrt: Unary
  square: Unary
  neg: Unary
  abs: Unary
  erf: Unary
  erfc: Unary
  reciprocal: Unary
  floor: Unary
  ceil: Unary
  /** To the nearest integer, ties to even. */
  rint: Unary

  add: Binary
  sub: Binary
  mul: Binary
  div: Binary
  /** 0 where b is 0. */
  divNoNan: Binary
  /** NaN where either is. */
  maximum: Binary
  /** NaN where either is. */
  minimum: Binary
  squaredDifference: Binary
  /**
   * out[r, c] = mask[r, c] ? x[r, c] : y[r, c], the mask's bytes at mask + r · maskRow + c · maskStep, operands as binary
   * kernels read them; `out` may be one of row n, step 1.
   */
  choose(
    out: Pointer,
    mask: Pointer,
    x: Pointer,
    y: Pointer,
    rows: number,
    n: number,
    maskRow: number,
    maskStep: number,
    xRow: number,
    xStep: number,
    yRow: number,
    yStep: number,
  ): void
  /** Copies rows × n between rows of `outRow` and `xRow` floats. No overlap. */
  copyRows(out: Pointer, x: Pointer, rows: number, n: number, outRow: number, xRow: number): void
  /** out[rows × n] = x at r · row + c · step, in floats. No overlap. */
  copySteps(out: Pointer, x: Pointer, rows: number, n: number, row: number, step: number): void

  /** Over each row of n; `out` may be `x`. */
  softmax: RowReduction
  /** Over each row of n; `out` may be `x`. */
  logSoftmax: RowReduction
  /** x / √(max(Σ x², epsilon)) in each row; `out` may be `x`. */
  l2Normalize(out: Pointer, x: Pointer, rows: number, n: number, epsilon: number): void
  /** (x − mean) / √(variance + epsilon) · gamma + beta in each row; `gamma` and `beta` may be 0; `out` may be `x`. */
  layerNorm(out: Pointer, x: Pointer, gamma: Pointer, beta: Pointer, rows: number, n: number, epsilon: number): void

  rowSum: RowReduction
  /** NaN for n = 0. */
  rowMean: RowReduction
  rowSumSquares: RowReduction
  /** −Infinity for n = 0. */
  rowMax: RowReduction
  /** Infinity for n = 0. */
  rowMin: RowReduction

  /**
   * out[count × n] = the table's rows `indices` (i32), `outRow` floats apart. Returns the place of the first index
   * outside 0 … tableRows − 1, where it stopped, or −1.
   */
  gatherRows(
    out: Pointer,
    table: Pointer,
    indices: Pointer,
    count: number,
    n: number,
    tableRows: number,
    outRow: number,
  ): number
  /**
   * out[segments × n] = the table's rows indices[splits[s] … splits[s + 1]) combined by `COMBINERS`, `outRow` floats
   * apart; `indices` 0: row i is table[i]; `weights` 0: ones; an empty segment: zeros. Returns as `gatherRows`.
   */
  poolRows(
    out: Pointer,
    table: Pointer,
    indices: Pointer,
    weights: Pointer,
    splits: Pointer,
    segments: number,
    n: number,
    tableRows: number,
    combiner: number,
    outRow: number,
  ): number

  /**
   * out[count × n]: window i covers the pixels (y + u·down, start + i·stride + t·dilation), u < tall, t < size, of
   * x[height × width × n], where there are such; `how` 0 takes the largest, NaN passed over, 1 the mean of those covered, 2
   * the sum of products with w[tall × size × n]. A sequence is an image of one row.
   */
  slideWindows(
    out: Pointer,
    x: Pointer,
    w: Pointer,
    count: number,
    n: number,
    height: number,
    width: number,
    tall: number,
    size: number,
    y: number,
    start: number,
    stride: number,
    down: number,
    dilation: number,
    how: 0 | 1 | 2,
  ): void
  /** out[count × tall·size·n] = what the windows of `slideWindows` cover, side by side, zeros where there is nothing. */
  layWindows(
    out: Pointer,
    x: Pointer,
    count: number,
    n: number,
    height: number,
    width: number,
    tall: number,
    size: number,
    y: number,
    start: number,
    stride: number,
    down: number,
    dilation: number,
  ): void
  /** Goes `steps` times through the `count` calls of kernels at `code`, 40 bytes each, as assembly/steps.ts says. */
  runSteps(code: Pointer, count: number, steps: number): void
  /** Takes `length` bytes, a multiple of 16, into the four u32 at `sums`: the inner part of XXH32. */
  xxh32(bytes: Pointer, length: number, sums: Pointer): void
  /**
   * out[count] (u64) = FarmHash's Fingerprint64 of string i modulo `buckets` (at least 1); string i is the bytes from
   * offsets[i] − offsets[0] to offsets[i + 1] − offsets[0] (u32) of `bytes`.
   */
  hashBuckets(out: Pointer, bytes: Pointer, offsets: Pointer, count: number, buckets: bigint): void

  rowDot: RowPair
  rowSquaredDistance: RowPair
  /** Each row divided by √(max(Σ x², epsilon)) first. */
  rowCosine(out: Pointer, a: Pointer, b: Pointer, rows: number, n: number, epsilon: number): void
  /**
   * lower[i] = (items[i] · query) · scales[i] · scale − slacks[i] − halves[i] · per, `halves` 0 for none: `count` items (a
   * multiple of 4) of n bytes (of 16), the query n of i16. No sum may leave 32 bits.
   */
  scanBytes(
    lower: Pointer,
    query: Pointer,
    items: Pointer,
    scales: Pointer,
    slacks: Pointer,
    halves: Pointer,
    count: number,
    n: number,
    scale: number,
    per: number,
  ): void
  /** As `scanBytes` for the items `rows` (i32) alone; reach[i] is the slack of item rows[i]. */
  scanListed(
    lower: Pointer,
    reach: Pointer,
    query: Pointer,
    items: Pointer,
    rows: Pointer,
    scales: Pointer,
    slacks: Pointer,
    halves: Pointer,
    count: number,
    n: number,
    scale: number,
    per: number,
  ): void
  /** −Infinity in the place of values[i] where bit i mod 32 of word i div 32 is 0; `count` is a multiple of 4. */
  maskScores(values: Pointer, bits: Pointer, count: number): void
  /**
   * Lays `count` items (a multiple of 4) of n bytes (of 16, at most 768), of which `width` count, as half of each in groups of
   * four items, 2n + 16 bytes each; leaves at `most` (two i32) the largest Σ of squares of what is lost, and of what is kept.
   */
  layNibbles(plane: Pointer, most: Pointer, items: Pointer, count: number, n: number, width: number): void
  /**
   * A bit for each of `count` (a multiple of 32) of those items: whether (what it is times the query + 8 · first) · scales[i] −
   * halves[i] · per ≥ least, `halves` 0 for none. The query is n of i8, those of even places −63 to 63; `scratch` is for 2n
   * bytes; `paired` what `pairsBytes` says here.
   */
  scanNibbles(
    bits: Pointer,
    query: Pointer,
    plane: Pointer,
    scales: Pointer,
    halves: Pointer,
    count: number,
    n: number,
    first: number,
    least: number,
    per: number,
    scratch: Pointer,
    paired: number,
  ): void
  /** base + i (i32, ascending) for each of `count` bits i that is set, in `within` too unless that is 0; returns how many. */
  listBits(out: Pointer, bits: Pointer, within: Pointer, count: number, base: number): number
  /** The i (i32, ascending) with lower[i] + 2 · slacks[i] ≥ least into `out`, which may be `lower`; returns how many. */
  withinReach(out: Pointer, lower: Pointer, slacks: Pointer, count: number, least: number): number

  /**
   * Offers the `count` items of a leaf to a heap of at most k, as `topkPush` does: item i by its index rows[i] (i32), where
   * bit rows[i] of `bits` is 1 (0: all), with offset + scale · (Σ tables[m][its code m] − heights[i] · rise / 2^15).
   * Blocks of 32 items, `pairs` · 16 bytes each; the tables are followed by 68 bytes for the kernel; `heights` (i16) may be 0.
   */
  scanCodes(
    values: Pointer,
    indices: Pointer,
    size: number,
    k: number,
    tables: Pointer,
    codes: Pointer,
    rows: Pointer,
    heights: Pointer,
    bits: Pointer,
    count: number,
    pairs: number,
    scale: number,
    offset: number,
    rise: number,
  ): number
  /** out[rows] (i32) = where the largest of each row of n is, the first of equals; n is a multiple of 4. */
  rowArgMax(out: Pointer, x: Pointer, rows: number, n: number): void
  /**
   * codes[rows × pairs] (u8): of each pair of numbers of x the codeword that leaves, given the others, the least
   * Σ e² + weight · (Σ e · along)²; `along` may be 0, then Σ e² alone.
   */
  encodePairs(
    codes: Pointer,
    x: Pointer,
    along: Pointer,
    codebooks: Pointer,
    rows: number,
    pairs: number,
    weight: number,
    passes: number,
  ): void

  /**
   * The min(k, n) best of n scores into `values` (f32) and `indices` (i32), sorted; returns how many. Equal scores:
   * the lower index first; NaN last. `values` and `indices` have room for k.
   */
  topk(values: Pointer, indices: Pointer, scores: Pointer, n: number, k: number): number
  /** Takes scores base, base + 1 … into a heap of at most k, `size` of them filled; returns its new size. */
  topkPush(values: Pointer, indices: Pointer, size: number, k: number, scores: Pointer, n: number, base: number): number
  /** Sorts the heap of `topkPush`, the best first. */
  topkSort(values: Pointer, indices: Pointer, size: number): void
}

/** `dense`'s activations. */
export const ACTIVATIONS = {
  none: 0,
  relu: 1,
  sigmoid: 2,
  tanh: 3,
  relu6: 4,
  elu: 5,
  selu: 6,
  gelu: 7,
  geluTanh: 8,
  leakyRelu: 9,
  softplus: 10,
  swish: 11,
} as const

/** `poolRows`'s combiners, as tf.nn.embedding_lookup_sparse names them. */
export const COMBINERS = { sum: 0, mean: 1, sqrtn: 2 } as const

/** Bytes that `denseInt8` needs besides its arrays. */
export const int8Scratch = (rows: number, k: number, n: number): number =>
  720 + 2 * (Math.min(rows, 60) + 1) * Math.ceil(k / 8) * 8 + 4 * n

/** The first byte that is the host's; what lies before is the modules' own, in all of them the same. */
export const ARENA_START = 1024

/** A module of one table whose places are 64-bit numbers. */
const TABLE64 = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 4, 4, 1, 0x70, 4, 0)

/** How the code that an engine makes of kernels loads (assembly/lanes.ts). */
export const LOADS = { first: 0, inPlace: 1, checked: 2 } as const

/**
 * How this engine loads, by which the relaxed build takes its tiles; with any the bits are the same. V8's compiler leaves loads
 * in place since Turboshaft, between 12.4 (Node 22) and 13.6 (Node 24), as 64-bit tables came; Bun's JavaScriptCore, which has
 * neither, is no faster with the other tile. Deno lets no handler of signals catch a load past the end, so that V8 compares
 * each address.
 */
export const loadsHere = (): number => ('Deno' in globalThis ? LOADS.checked : Number(WebAssembly.validate(TABLE64)))

/** The sums of tiles of six rows, as assembly/lanes.ts has them: it returns how many steps of k are done. */
export type Tiles = (bytes: number, out: Pointer, x: Pointer, w: Pointer, count: number, k: number, n: number) => number

/**
 * The kernels of `module` (dist/kernels/*.wasm) on `memory`, which stays the caller's.
 * @param rows where `TILE_ROWS` bytes are these kernels' own, or 0: without them batches have smaller tiles
 * @param tiles what they may ask for where loads are checked; by default the tiles are their own
 */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  rows: Pointer = 0,
  tiles: Tiles = () => 0,
  loads = loadsHere(),
): Kernels {
  const env = { memory, loads, tiles, rows }
  // What the module exports is known only here; test/unit/kernels/binding.test.ts holds the interface against it.
  return new WebAssembly.Instance(module, { env }).exports as unknown as Kernels
}

/** A module of one function, the body of which is f32x4.relaxed_madd of three zero vectors, dropped. */
// biome-ignore format: one section a line
const RELAXED = Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 4, 1, 0x60, 0, 0,
  3, 2, 1, 0,
  10, 20, 1, 18, 0, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x85, 0x02, 0x1a, 0x0b,
)

/** Whether this engine compiles dist/kernels/relaxed.wasm. Whether it is faster there, only a measurement says. */
export const relaxedSupported = (): boolean => WebAssembly.validate(RELAXED)
