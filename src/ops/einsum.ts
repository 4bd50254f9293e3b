import { InvalidArgumentError } from '../errors.ts'
import { type BigArray, isBig, isFloat, type NumberArray, type Shape, sizeOf, type Tensor } from '../tensor/index.ts'
import { filled, type NumericTensor } from './elementwise.ts'
import { halfTotal, type Order, orderOf } from './halfproducts.ts'
import { halfRounding } from './halfsums.ts'

// Einsum over one or two operands (core/util/einsum_op_util.cc for the equation, kernels/linalg/einsum_op_impl.h for the
// rest). A label is a letter; the dimensions of "..." get labels of their own, counted from the right because they
// broadcast: "…0" is the last of them.

interface Equation {
  readonly operands: readonly string[][]
  readonly output: string[]
}

const ELLIPSIS = '...'

/** The labels of `text`, in which "..." is one label. */
function labelsOf(text: string): string[] {
  const labels = text.match(/\.\.\.|./gu) ?? []
  for (const label of labels) {
    if (label !== ELLIPSIS && !/[A-Za-z]/.test(label)) {
      throw new InvalidArgumentError(`Non-letter character "${label}" in the subscripts "${text}"`)
    }
  }
  if (labels.filter((label) => label === ELLIPSIS).length > 1) {
    throw new InvalidArgumentError(`Subscripts "${text}" hold more than one ellipsis`)
  }
  return labels
}

function parse(equation: string, operands: number): Equation {
  const sides = equation.split('->')
  if (sides.length !== 2) throw new InvalidArgumentError(`Expecting exactly one '->' in einsum equation: ${equation}`)
  const inputs = sides[0].split(',').map(labelsOf)
  if (inputs.length > 2) {
    throw new InvalidArgumentError(
      `Expecting 1 or 2 input subscripts in equation '${equation}' but got: ${inputs.length}`,
    )
  }
  if (inputs.length !== operands) {
    throw new InvalidArgumentError(`Expected ${inputs.length} inputs for equation ${equation} but got: ${operands}`)
  }
  const output = labelsOf(sides[1])
  const known = new Set(inputs.flat())
  for (const label of output) {
    if (!known.has(label)) throw new InvalidArgumentError(`Output subscript "${label}" is in no input: ${equation}`)
  }
  return { operands: inputs, output }
}

/** `labels` with "..." replaced by the labels of `count` dimensions. */
const expanded = (labels: readonly string[], count: number): string[] =>
  labels.flatMap((label) =>
    label === ELLIPSIS ? Array.from({ length: count }, (_, i) => `…${count - 1 - i}`) : [label],
  )

/** How many dimensions of `shape` the ellipsis in `labels` stands for. */
function ellipsisRank(labels: readonly string[], shape: Shape): number {
  const named = labels.filter((label) => label !== ELLIPSIS).length
  const rest = shape.length - named
  if (rest < 0 || (rest > 0 && !labels.includes(ELLIPSIS))) {
    throw new InvalidArgumentError(
      `Expected input of rank ${named} for the subscripts "${labels.join('')}", got [${shape}]`,
    )
  }
  return rest
}

/** The size of each label; those of an ellipsis broadcast, all others must agree. */
function sizesOf(
  inputs: readonly { readonly labels: readonly string[]; readonly shape: Shape }[],
): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const { labels, shape } of inputs) {
    labels.forEach((label, axis) => {
      const [known, dim] = [sizes.get(label), shape[axis]]
      const broadcasts = label.startsWith('…') && (known === 1 || dim === 1)
      if (known !== undefined && known !== dim && !broadcasts) {
        throw new InvalidArgumentError(
          `Expected dimension ${known} at axis ${axis} of the input shaped [${shape}] but got dimension ${dim}`,
        )
      }
      sizes.set(label, known === undefined || known === 1 ? dim : known)
    })
  }
  return sizes
}

/** For each element of a tensor with dimensions `labels`, where it lies in an operand with these steps; 0 steps repeat. */
function offsets(
  labels: readonly string[],
  sizes: ReadonlyMap<string, number>,
  steps: ReadonlyMap<string, number>,
): Int32Array {
  let all = Int32Array.of(0)
  for (const label of labels) {
    const [size, step] = [sizes.get(label) ?? 1, steps.get(label) ?? 0]
    const next = new Int32Array(all.length * size)
    for (let i = 0; i < all.length; i++) for (let j = 0; j < size; j++) next[i * size + j] = all[i] + j * step
    all = next
  }
  return all
}

/** How far apart neighbours along each label lie: a label that is repeated walks the diagonal. */
function stepsOf(labels: readonly string[], shape: Shape): Map<string, number> {
  const steps = new Map<string, number>()
  let step = 1
  for (let axis = labels.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1) steps.set(labels[axis], (steps.get(labels[axis]) ?? 0) + step)
    step *= shape[axis]
  }
  return steps
}

/**
 * Evaluates `equation` over one or two operands of one dtype. A label that the output lacks is summed; a label that it
 * repeats fills the diagonal and leaves zeros elsewhere.
 * @throws {InvalidArgumentError} where the equation is malformed or does not go with the shapes
 */
export function einsum(equation: string, inputs: readonly NumericTensor[]): Tensor {
  const { operands, output } = parse(equation, inputs.length)
  const ranks = operands.map((labels, i) => ellipsisRank(labels, inputs[i].shape))
  const named = inputs.map((input, i) => ({ labels: expanded(operands[i], ranks[i]), shape: input.shape }))
  const sizes = sizesOf(named)
  const broadcast = Math.max(...ranks)
  if (broadcast > 0 && !output.includes(ELLIPSIS)) {
    throw new InvalidArgumentError(
      `Output contains ${broadcast} broadcasting dimension(s) but no ellipsis (...) was found in the output subscripts.`,
    )
  }
  const outputLabels = expanded(output, broadcast)
  const kept = [...new Set(outputLabels)]
  const summed = [...sizes.keys()].filter((label) => !kept.includes(label))
  const steps = named.map(({ labels, shape }) => stepsOf(labels, shape))
  const outer = steps.map((step) => offsets(kept, sizes, step))
  const inner = steps.map((step) => offsets(summed, sizes, step))
  const shape = outputLabels.map((label) => sizes.get(label) ?? 1)
  const where = offsets(kept, sizes, stepsOf(outputLabels, shape))
  return filled(inputs[0].dtype, shape, (out) => {
    if (sizeOf(shape) === 0) return
    const { dtype } = inputs[0]
    const round = halfRounding(dtype)
    const product = round === null || inputs.length === 1 ? null : productOf(named, kept, summed, sizes)
    if (round !== null && product !== null) {
      const data = inputs.map((x) => x.data as NumberArray)
      sumHalves(data, outer, inner, product, round, out as NumberArray, where)
    } else if (isBig(dtype))
      sumBig(
        inputs.map((x) => x.data as BigArray),
        outer,
        inner,
        out as BigArray,
        where,
      )
    else
      sumNumbers(
        inputs.map((x) => x.data as NumberArray),
        outer,
        inner,
        isFloat(dtype),
        out as NumberArray,
        where,
      )
  })
}

/**
 * How the two operands are multiplied as matrices, of which one lies transposed where its labels stand so; null where a label of
 * one alone is summed.
 */
function productOf(
  [a, b]: readonly { readonly labels: readonly string[] }[],
  kept: readonly string[],
  summed: readonly string[],
  sizes: ReadonlyMap<string, number>,
): Order | null {
  if (summed.some((label) => !a.labels.includes(label) || !b.labels.includes(label))) return null
  const isBatch = (label: string) => label.startsWith('…') || (a.labels.includes(label) && b.labels.includes(label))
  const free = kept.filter((label) => !isBatch(label))
  const size = (labels: readonly string[]) => sizeOf(labels.map((label) => sizes.get(label) ?? 1))
  const [rows, columns] = [a, b].map(({ labels }) => size(free.filter((label) => labels.includes(label))))
  /** Whether what is summed stands before what is free. */
  const isSummedFirst = (labels: readonly string[]): boolean => {
    const places = labels.map((label) => (free.includes(label) ? 2 : summed.includes(label) ? 1 : 0))
    return places.every((place, i) => i === 0 || places[i - 1] <= place)
  }
  const count = size(kept.filter(isBatch))
  return orderOf(count, [rows, size(summed), columns], isSummedFirst(a.labels), !isSummedFirst(b.labels))
}

function sumHalves(
  [a, b]: readonly NumberArray[],
  [outerA, outerB]: readonly Int32Array[],
  [innerA, innerB]: readonly Int32Array[],
  product: Order,
  round: (x: number) => number,
  out: NumberArray,
  where: Int32Array,
): void {
  const terms = new Float32Array(innerA.length)
  for (let o = 0; o < where.length; o++) {
    for (let k = 0; k < terms.length; k++) terms[k] = round(a[outerA[o] + innerA[k]] * b[outerB[o] + innerB[k]])
    out[where[o]] = halfTotal(terms, product, round)
  }
}

function sumNumbers(
  [a, b]: readonly NumberArray[],
  [outerA, outerB]: readonly Int32Array[],
  [innerA, innerB]: readonly Int32Array[],
  float: boolean,
  out: NumberArray,
  where: Int32Array,
): void {
  for (let o = 0; o < where.length; o++) {
    let sum = 0
    for (let k = 0; k < innerA.length; k++) {
      const x = a[outerA[o] + innerA[k]]
      if (b === undefined) sum += x
      else if (float) sum += x * b[outerB[o] + innerB[k]]
      else sum = (sum + Math.imul(x, b[outerB[o] + innerB[k]])) | 0
    }
    out[where[o]] = sum
  }
}

function sumBig(
  [a, b]: readonly BigArray[],
  [outerA, outerB]: readonly Int32Array[],
  [innerA, innerB]: readonly Int32Array[],
  out: BigArray,
  where: Int32Array,
): void {
  for (let o = 0; o < where.length; o++) {
    let sum = 0n
    for (let k = 0; k < innerA.length; k++) {
      const x = a[outerA[o] + innerA[k]]
      sum += b === undefined ? x : x * b[outerB[o] + innerB[k]]
    }
    out[where[o]] = sum
  }
}
