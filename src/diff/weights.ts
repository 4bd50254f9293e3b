import { functionsOf, type Graph, type ModelDefinition } from '../graph/index.ts'
import { isNumeric, sizeOf, type Tensor, unpackPanels } from '../tensor/index.ts'

/** A weight of one model, or of both and how far apart they are. */
export interface WeightChange {
  readonly name: string
  /** `float32[64, 32]`; null where the model has no such weight. */
  readonly a: string | null
  readonly b: string | null
  /** The largest and the mean absolute difference; null where dtypes or shapes differ. */
  readonly max: number | null
  readonly mean: number | null
  /** Between the two as vectors; null also where one is zero. */
  readonly cosine: number | null
}

interface Weight {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: ArrayLike<number | bigint>
  /** What it is in memory, to be met once. */
  readonly held: Tensor
}

/** The weights that differ: what only one has or has in another shape by size, then the most different first. */
export function changedWeights(a: ModelDefinition, b: ModelDefinition): WeightChange[] {
  const [ours, theirs] = [weightsOf(a), weightsOf(b)]
  const size = (name: string) => (ours.get(name) ?? theirs.get(name))?.data.length ?? 0
  const rank = ({ mean }: WeightChange) => mean ?? Infinity
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .map((name) => changeOf(name, ours.get(name), theirs.get(name)))
    .filter(({ max }) => max !== 0)
    .sort((x, y) => (rank(x) === rank(y) ? size(y.name) - size(x.name) : rank(y) - rank(x)))
}

/** How many weights a model has. */
export const countOfWeights = (definition: ModelDefinition): number => weightsOf(definition).size

function changeOf(name: string, a: Weight | undefined, b: Weight | undefined): WeightChange {
  const typed = (weight: Weight | undefined) => weight && `${weight.dtype}[${weight.shape.join(', ')}]`
  const change = { name, a: typed(a) ?? null, b: typed(b) ?? null }
  if (a === undefined || b === undefined || change.a !== change.b)
    return { ...change, max: null, mean: null, cosine: null }
  return { ...change, ...distance(a.data, b.data) }
}

/** How far apart two lists of as many numbers are, each pair as `apart` says. */
export function distance(
  a: ArrayLike<number | bigint>,
  b: ArrayLike<number | bigint>,
): { readonly max: number; readonly mean: number; readonly cosine: number | null } {
  let [max, sum, dot, aa, bb] = [0, 0, 0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]]
    const off = apart(x, y)
    max = Math.max(max, off)
    sum += off
    dot += Number(x) * Number(y)
    aa += Number(x) ** 2
    bb += Number(y) ** 2
  }
  const cosine = dot / Math.sqrt(aa * bb)
  return { max, mean: a.length === 0 ? 0 : sum / a.length, cosine: Number.isFinite(cosine) ? cosine : null }
}

/** How far apart two numbers are: 64-bit integers exactly, also where their doubles are one; a NaN from all but a NaN infinitely. */
export function apart(x: number | bigint, y: number | bigint): number {
  if (x === y || Object.is(x, y)) return 0
  if (typeof x === 'bigint' && typeof y === 'bigint') return Number(x < y ? y - x : x - y)
  const off = Math.abs(Number(x) - Number(y))
  return Number.isNaN(off) ? Infinity : off
}

/** The numeric constants, real and complex, of all graphs by name: variables, and what the export or the importer computed from them. */
function weightsOf({ signatures }: ModelDefinition): Map<string, Weight> {
  const found = new Map<string, Weight>()
  const met = new Set<Tensor>()
  const keep = (name: string, weight: Weight): void => {
    if (met.has(weight.held)) return
    met.add(weight.held)
    let key = name
    for (let i = 2; found.has(key); i++) key = `${name} (${i})`
    found.set(key, weight)
  }
  const visit = (graph: Graph): void => {
    for (const node of graph.nodes) {
      for (const [i, { node: source }] of node.inputs.entries()) {
        if (source.op !== 'Const') continue
        const held = source.attrs.tensor('value')
        if (!(isNumeric(held) || held.dtype === 'complex64' || held.dtype === 'complex128') || sizeOf(held.shape) === 0)
          continue
        if (node.op === 'twotower>Dense' && i === 1 && held.dtype === 'float32') {
          const [k, n] = [node.attrs.number('k'), node.attrs.number('n')]
          const data = unpackPanels(held.data, k, n)
          keep(source.name.replace(/ \(packed\)$/, ''), { dtype: held.dtype, shape: [k, n], data, held })
        } else keep(source.name, { dtype: held.dtype, shape: held.shape, data: held.data, held })
      }
      for (const inner of functionsOf(node)) visit(inner)
    }
  }
  for (const { graph } of signatures) visit(graph)
  return found
}
