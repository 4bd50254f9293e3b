import { StringsBuilder, type Tensor } from '../../tensor/index.ts'
import { type Column, forEachCross } from './columns.ts'

const encoder = new TextEncoder()

/** Element `i` as text: an int64 in decimal. */
const textOf = (values: Tensor, i: number): Uint8Array =>
  values.dtype === 'string' ? values.data.at(i) : encoder.encode(String((values.data as BigInt64Array)[i]))

/** Crosses as their parts' texts with `separator` between. */
export function crossTexts(columns: readonly Column[], counts: readonly number[], separator: Uint8Array): Tensor {
  const crosses = new StringsBuilder()
  forEachCross(columns, counts, (elements) => {
    const parts = elements.map((element, c) => textOf(columns[c].values, element))
    const cross = new Uint8Array(
      parts.reduce((size, part) => size + part.length, separator.length * Math.max(0, parts.length - 1)),
    )
    let at = 0
    parts.forEach((part, c) => {
      if (c > 0) {
        cross.set(separator, at)
        at += separator.length
      }
      cross.set(part, at)
      at += part.length
    })
    crosses.push(cross)
  })
  const data = crosses.finish()
  return { dtype: 'string', shape: [data.length], data }
}

/** The separator that SparseCross and RaggedCross use. */
export const SEPARATOR = encoder.encode('_X_')
