import { constantOf, type Graph, type Node } from '../../graph/index.ts'
import { type Declared, stepsOf, type Typed } from '../../preprocess/index.ts'
import type { Tensor, TypedArray } from '../../tensor/index.ts'
import type { Range } from '../protocol.ts'

/** Standard deviations on each side of the mean that a slider covers. */
const DEVIATIONS = 3
/** Ops that hand a number on, but for some: what is missing is replaced, what is too large is cut. */
const PASSES =
  /^(Identity|Reshape|ExpandDims|Squeeze|Cast|Snapshot|EnsureShape|Pack|ConcatV2|StringToNumber|SelectV2|Select|Maximum|Minimum|ClipByValue)$/

/** From a number at a place of the graph back to the raw one, of element `i` of a feature. */
type Back = (value: number, i: number) => number

/**
 * The range that the graph's own normalisation suggests for each element of a feature: three standard deviations on each
 * side of the mean where it is taken off and divided by, or a little past the first and the last boundary of buckets.
 * @param input which of the graph's parameters
 * @param length how many numbers the feature has
 */
export function normalisedRanges(graph: Graph, input: number, length: number): Range[] | null {
  const known = new Map<Node, { readonly back: Back; readonly steps: ReadonlySet<'shift' | 'scale'> }>([
    [graph.parameters[input], { back: (value) => value, steps: new Set() }],
  ])
  let found: Range[] | null = null
  for (const node of graph.nodes) {
    const at = node.inputs.findIndex((value) => known.has(value.node))
    if (at < 0) continue
    const { back, steps } = known.get(node.inputs[at].node)!
    if (/^Bucketize$/.test(node.op)) {
      const boundaries = node.attrs.numbers('boundaries')
      const [first, last] = [boundaries[0], boundaries[boundaries.length - 1]]
      const beyond = (last - first) / Math.max(1, boundaries.length - 1) || 1
      return elements(length, (i) => [back(first - beyond, i), back(last + beyond, i)], 'buckets')
    }
    const step = inverse(node, at)
    if (step === null) continue
    const now = {
      back: (value: number, i: number) => back(step.back(value, i), i),
      steps: step.kind === null ? steps : new Set([...steps, step.kind]),
    }
    known.set(node, now)
    if (now.steps.size === 2)
      found = elements(length, (i) => [now.back(-DEVIATIONS, i), now.back(DEVIATIONS, i)], 'normalisation')
  }
  return found
}

/** What undoes a node, where it is one of those that normalise. */
function inverse(node: Node, at: number): { readonly back: Back; readonly kind: 'shift' | 'scale' | null } | null {
  const plain = { kind: null }
  if (PASSES.test(node.op)) return { ...plain, back: (value) => value }
  if (node.op === 'Log1p') return { ...plain, back: Math.expm1 }
  if (node.op === 'Log') return { ...plain, back: Math.exp }
  const other = node.inputs.length === 2 ? numbers(constantOf(node.inputs[1 - at])) : null
  if (other === null) return null
  const by = (i: number): number => other[other.length === 1 ? 0 : i] ?? Number.NaN
  if (node.op === 'Sub' && at === 0) return { kind: 'shift', back: (value, i) => value + by(i) }
  if (/^Add(V2)?$/.test(node.op)) return { kind: 'shift', back: (value, i) => value - by(i) }
  if (/^(RealDiv|DivNoNan|Div)$/.test(node.op) && at === 0) return { kind: 'scale', back: (value, i) => value * by(i) }
  if (node.op === 'Mul') return { kind: 'scale', back: (value, i) => value / by(i) }
  return null
}

const numbers = (held: Tensor | null): number[] | null =>
  held === null || held.dtype === 'string' || held.dtype === 'resource' || held.dtype === 'variant'
    ? null
    : Array.from(held.data as TypedArray as ArrayLike<number | bigint>, Number)

function elements(length: number, ends: (i: number) => [number, number], from: Range['from']): Range[] | null {
  const found = Array.from({ length }, (_, i) => {
    const [low, high] = ends(i).sort((a, b) => a - b)
    return { low: tidy(low), high: tidy(high), from }
  })
  return found.every(({ low, high }) => Number.isFinite(low) && Number.isFinite(high) && low < high) ? found : null
}

/** Three digits are enough for the end of a slider. */
const tidy = (value: number): number => (Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3)))

/** The range that a declaration of preprocess.json suggests. */
export function declaredRange(declaration: Declared | Typed): Range | null {
  for (const step of stepsOf(declaration)) {
    if (step.step === 'standardize')
      return {
        low: tidy(step.mean - DEVIATIONS * step.std),
        high: tidy(step.mean + DEVIATIONS * step.std),
        from: 'normalisation',
      }
    if (step.step === 'min_max') return { low: step.min, high: step.max, from: 'normalisation' }
    if (step.step === 'buckets' && step.boundaries.length > 1)
      return { low: step.boundaries[0], high: step.boundaries[step.boundaries.length - 1], from: 'buckets' }
  }
  return null
}

/** The range of the numbers that rows hold for each element of a feature; null where they hold none. */
export function rangesOfRows(values: readonly unknown[], length: number): Range[] | null {
  const lists = values.map((value) => (Array.isArray(value) ? (value as unknown[]) : [value]))
  const found: Range[] = []
  for (let i = 0; i < length; i++) {
    const column = lists.map((list) => list[i]).filter((value): value is number => typeof value === 'number')
    const [low, high] = column.reduce(
      ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
      [Infinity, -Infinity],
    )
    if (!(low < high)) return null
    found.push({ low, high, from: 'rows' })
  }
  return found
}
