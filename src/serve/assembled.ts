import type { Tensor } from '../tensor/index.ts'

// Outputs that are several tensors each. The importer names those of a ragged one `o/values`, `o/row_splits`,
// `o/row_splits_1`, …, and those of a sparse one `o/values`, `o/indices`, `o/dense_shape`.

type Outputs = Readonly<Record<string, Tensor>>

/** An output as JSON is written of it. */
export type Output =
  | { readonly kind: 'dense'; readonly name: string; readonly tensor: Tensor }
  | { readonly kind: 'ragged'; readonly name: string; readonly values: Tensor; readonly splits: readonly number[][] }
  | { readonly kind: 'sparse'; readonly name: string; readonly parts: Outputs }

const SPARSE = ['values', 'indices', 'dense_shape'] as const

/** `outputs` with the tensors of one ragged or sparse output together, in their order. */
export function assembled(outputs: Outputs): Output[] {
  const found: Output[] = []
  const taken = new Set<string>()
  const has = (name: string) => Object.hasOwn(outputs, name)
  for (const [whole, tensor] of Object.entries(outputs)) {
    const name = whole.slice(0, Math.max(0, whole.lastIndexOf('/')))
    if (taken.has(whole)) continue
    if (SPARSE.every((part) => has(`${name}/${part}`))) {
      for (const part of SPARSE) taken.add(`${name}/${part}`)
      found.push({
        kind: 'sparse',
        name,
        parts: Object.fromEntries(SPARSE.map((part) => [part, outputs[`${name}/${part}`]])),
      })
    } else if (has(`${name}/values`) && has(`${name}/row_splits`)) {
      const splits: number[][] = []
      for (let key = `${name}/row_splits`; has(key); key = `${name}/row_splits_${splits.length}`) {
        taken.add(key)
        splits.push(Array.from(outputs[key].data as ArrayLike<number | bigint>, Number))
      }
      taken.add(`${name}/values`)
      found.push({ kind: 'ragged', name, values: outputs[`${name}/values`], splits })
    } else found.push({ kind: 'dense', name: whole, tensor })
  }
  return found
}

/** Row `row` of a ragged output as JSON text, or of its innermost values, which `value` writes, where no splits are left. */
export function raggedText(
  splits: readonly (readonly number[])[],
  row: number,
  value: (row: number) => string,
): string {
  if (splits.length === 0) return value(row)
  const [ends, ...inner] = splits
  const items: string[] = []
  for (let at = ends[row]; at < ends[row + 1]; at++) items.push(raggedText(inner, at, value))
  return `[${items.join(', ')}]`
}
