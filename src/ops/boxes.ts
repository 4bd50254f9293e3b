import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type NumberArray, type Tensor, tensor } from '../tensor/index.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'
import { integer } from './integers.ts'

// Of boxes that overlap the best ones, after core/kernels/image/non_max_suppression_op.cc. All is float32 there, a half float
// being rounded after each step.

type Round = (x: number) => number

/** Corners of box `i` in the order of their sizes: top, left, bottom, right. */
function cornersOf(boxes: NumberArray, i: number): readonly [number, number, number, number] {
  const [a, b, c, d] = [boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]]
  return [c < a ? c : a, d < b ? d : b, a < c ? c : a, b < d ? d : b]
}

/** What two boxes share, of what they cover together. */
function overlap(boxes: NumberArray, i: number, j: number, round: Round): number {
  const [a, b] = [cornersOf(boxes, i), cornersOf(boxes, j)]
  const area = ([top, left, bottom, right]: typeof a) => round(round(bottom - top) * round(right - left))
  const [areaA, areaB] = [area(a), area(b)]
  if (areaA <= 0 || areaB <= 0) return 0
  const side = (k: 0 | 1) => {
    const [end, start] = [b[k + 2] < a[k + 2] ? b[k + 2] : a[k + 2], a[k] < b[k] ? b[k] : a[k]]
    const length = round(end - start)
    return length < 0 ? 0 : length
  }
  const shared = round(side(0) * side(1))
  return round(shared / round(round(areaA + areaB) - shared))
}

interface Limits {
  readonly count: number
  /** From which overlap on the worse box goes. */
  readonly overlap: number
  /** Boxes of no better score are left out. */
  readonly score: number
  /** Above 0 an overlap takes from the worse box's score instead: e^(−overlap² / 2σ). */
  readonly sigma: number
}

interface Candidate {
  readonly box: number
  score: number
  /** How many of the selected boxes it was held against. */
  seen: number
}

function select(scores: NumberArray, limits: Limits, similarity: (i: number, j: number) => number, round: Round) {
  const queue: Candidate[] = []
  const worse = (a: Candidate, b: Candidate) => (a.score === b.score ? b.box - a.box : a.score - b.score)
  for (let box = 0; box < scores.length; box++)
    if (scores[box] > limits.score) queue.push({ box, score: scores[box], seen: 0 })
  queue.sort(worse)
  const selected: Candidate[] = []
  const scale = limits.sigma > 0 ? round(-0.5 / limits.sigma) : 0
  for (let next = queue.pop(); next !== undefined && selected.length < limits.count; next = queue.pop()) {
    const before = next.score
    let gone = false
    for (let j = selected.length - 1; j >= next.seen && !gone; j--) {
      const alike = similarity(next.box, selected[j].box)
      gone = limits.sigma === 0 && alike > limits.overlap
      // An overlap that is NaN leaves nothing of the score.
      const weight =
        limits.sigma > 0 ? round(Math.exp(round(round(scale * alike) * alike))) : alike <= limits.overlap ? 1 : 0
      next.score = round(next.score * weight)
      if (next.score <= limits.score) break
    }
    next.seen = selected.length
    if (gone) continue
    if (next.score === before) selected.push(next)
    else if (next.score > limits.score) {
      const at = queue.findLastIndex((other) => worse(other, next as Candidate) < 0)
      queue.splice(at + 1, 0, next)
    }
  }
  return selected
}

function scoresOf(call: Call, count: number): NumericTensor {
  const scores = numeric(call, 1)
  if (scores.shape.length !== 1) throw new InvalidArgumentError(`scores must be 1-D: [${scores.shape}]`)
  if (scores.shape[0] !== count)
    throw new InvalidArgumentError(`scores has incompatible shape: ${scores.shape[0]} scores of ${count} boxes`)
  return scores
}

/** A threshold that is a scalar input, or what it is without one. */
function threshold(call: Call, i: number, what: string, fallback: number): number {
  if (i >= call.inputs.length) return fallback
  const { shape, data } = numeric(call, i)
  if (shape.length !== 0) throw new InvalidArgumentError(`${what} must be 0-D: [${shape}]`)
  return Number(data[0])
}

function checkedCount(call: Call): number {
  const count = integer(call, 2, 'max_output_size')
  if (count < 0) throw new InvalidArgumentError(`max_output_size must be non-negative, got ${count}`)
  return count
}

const indices = (selected: readonly Candidate[], size: number): Tensor => {
  const data = new Int32Array(size)
  selected.forEach(({ box }, i) => {
    data[i] = box
  })
  return tensor('int32', [size], data)
}

/** NonMaxSuppression, V2 and V3: which boxes are kept. V4 pads them and counts, V5 gives their scores too. */
const suppression = (version: 1 | 2 | 3 | 4 | 5): Op => ({
  outputs:
    version < 4
      ? ['selected_indices']
      : ['selected_indices', ...(version === 5 ? ['selected_scores'] : []), 'valid_outputs'],
  evaluate(call) {
    const boxes = numeric(call, 0)
    if (boxes.shape.length !== 2 || boxes.shape[1] !== 4)
      throw new InvalidArgumentError(`boxes must be 2-D of 4 columns: [${boxes.shape}]`)
    const scores = scoresOf(call, boxes.shape[0])
    const round: Round = boxes.dtype === 'float16' ? (x) => rounder(x) : Math.fround
    const rounder = (x: number) =>
      Number((filled('float16', [1], (out) => out.fill(x as never)).data as NumberArray)[0])
    const limits = {
      count: checkedCount(call),
      overlap:
        version === 1 ? Math.fround(call.attrs.number('iou_threshold', 0.5)) : threshold(call, 3, 'iou_threshold', 0),
      score: threshold(call, 4, 'score_threshold', -Infinity),
      sigma: threshold(call, 5, 'soft_nms_sigma', 0),
    }
    if (!(limits.overlap >= 0 && limits.overlap <= 1))
      throw new InvalidArgumentError(`iou_threshold must be in [0, 1], got ${limits.overlap}`)
    if (limits.sigma < 0) throw new InvalidArgumentError(`soft_nms_sigma must be >= 0, got ${limits.sigma}`)
    const data = boxes.data as NumberArray
    const selected = select(scores.data as NumberArray, limits, (i, j) => overlap(data, i, j, round), round)
    const size = version > 3 && call.attrs.boolean('pad_to_max_output_size', false) ? limits.count : selected.length
    const found = indices(selected, size)
    if (version < 4) return found
    const valid = tensor('int32', [], Int32Array.of(selected.length))
    if (version === 4) return [found, valid]
    const kept = filled(scores.dtype, [size], (out) => (out as NumberArray).set(selected.map(({ score }) => score)))
    return [found, kept, valid]
  },
})

/** Where how much boxes overlap is an input, a matrix. */
const withOverlaps: Op = {
  evaluate(call) {
    const overlaps = numeric(call, 0)
    const [count, columns] = overlaps.shape
    if (overlaps.shape.length !== 2 || count !== columns)
      throw new InvalidArgumentError(`overlaps must be square: [${overlaps.shape}]`)
    const scores = scoresOf(call, count)
    const limits = {
      count: checkedCount(call),
      overlap: threshold(call, 3, 'overlap_threshold', 0),
      score: threshold(call, 4, 'score_threshold', 0),
      sigma: 0,
    }
    const data = overlaps.data as NumberArray
    const selected = select(scores.data as NumberArray, limits, (i, j) => data[i * count + j], Math.fround)
    return indices(selected, selected.length)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  NonMaxSuppression: suppression(1),
  NonMaxSuppressionV2: suppression(2),
  NonMaxSuppressionV3: suppression(3),
  NonMaxSuppressionV4: suppression(4),
  NonMaxSuppressionV5: suppression(5),
  NonMaxSuppressionWithOverlaps: withOverlaps,
}
