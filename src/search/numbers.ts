import type { Comparison, NumericCondition, NumericRestrict } from './datapoint.ts'
import type { RowSet } from './rowset.ts'

/** The numbers that items have in one namespace, of one type. */
export interface NumberColumn {
  readonly namespace: string
  /** int64, float32 or float64: the type of a restrict says which. */
  readonly values: NumberValues
  /** The row of each value, ascending; empty where every row has one. */
  readonly rows: Uint32Array
}

export type NumberValues = BigInt64Array | Float32Array | Float64Array
export type NumberType = NumericRestrict['type']

/** What a column holds. */
export interface NumberStats {
  readonly namespace: string
  readonly type: NumberType
  /** Items that have a number there. */
  readonly items: number
  readonly least: number | bigint
  readonly greatest: number | bigint
}

const typeOf = (values: NumberValues): NumberType =>
  values instanceof BigInt64Array ? 'int' : values instanceof Float32Array ? 'float' : 'double'

const [LESS, EQUAL, GREATER] = [1, 2, 4]

/** Which ways a number may stand to the condition's. */
const ACCEPTED: Readonly<Record<Comparison, number>> = {
  LESS,
  LESS_EQUAL: LESS | EQUAL,
  EQUAL,
  GREATER_EQUAL: EQUAL | GREATER,
  GREATER,
  NOT_EQUAL: LESS | GREATER,
}

/** Whether `value` compares with `to` as `op` says; a number of float32 must be one already. */
export const compares = (value: number | bigint, op: Comparison, to: number | bigint): boolean =>
  (ACCEPTED[op] & (value < to ? LESS : value === to ? EQUAL : GREATER)) !== 0

/** Numeric restricts as columns, one a namespace and type. */
export class Numbers {
  readonly columns: readonly NumberColumn[]
  private readonly rows: number

  constructor(columns: readonly NumberColumn[], rows: number) {
    this.columns = columns
    this.rows = rows
  }

  /** Takes from `set` the rows for which `condition` does not hold. */
  narrow(set: RowSet, condition: NumericCondition): void {
    const kept = set.copy()
    kept.bits.fill(0)
    const column = this.columns.find(
      ({ namespace, values }) => namespace === condition.namespace && typeOf(values) === condition.type,
    )
    if (column !== undefined) mark(column, condition, kept)
    set.intersect(kept)
  }

  /** The numeric restricts of a row. */
  of(row: number): NumericRestrict[] {
    return this.columns.flatMap(({ namespace, values, rows }) => {
      const at = values.length === this.rows ? row : placeOf(rows, row)
      return at < 0 ? [] : [{ namespace, type: typeOf(values), value: values[at] } as NumericRestrict]
    })
  }

  stats(): NumberStats[] {
    return this.columns.map(({ namespace, values }) => {
      let [least, greatest]: (number | bigint)[] = [values[0], values[0]]
      for (const value of values) {
        if (value < least) least = value
        if (value > greatest) greatest = value
      }
      return { namespace, type: typeOf(values), items: values.length, least, greatest }
    })
  }
}

/** Gathers the numeric restricts of rows that come one after the other. */
export class NumbersBuilder {
  private readonly found = new Map<string, Gathered>()
  private rows = 0

  /** @param restricts those of the next row */
  add(restricts: readonly NumericRestrict[]): void {
    for (const { namespace, type, value } of restricts) {
      const key = `${type} ${namespace}`
      const column = this.found.get(key) ?? { namespace, type, rows: [], values: [] }
      this.found.set(key, column)
      column.rows.push(this.rows)
      column.values.push(value)
    }
    this.rows++
  }

  finish(): Numbers {
    const columns = [...this.found.values()].map((column) => ({
      namespace: column.namespace,
      values: valuesOf(column),
      rows: column.rows.length === this.rows ? new Uint32Array(0) : Uint32Array.from(column.rows),
    }))
    return new Numbers(columns, this.rows)
  }
}

interface Gathered {
  readonly namespace: string
  readonly type: NumberType
  readonly rows: number[]
  readonly values: (number | bigint)[]
}

function valuesOf({ type, values }: Gathered): NumberValues {
  if (type === 'int') return BigInt64Array.from(values as bigint[])
  return type === 'float' ? Float32Array.from(values as number[]) : Float64Array.from(values as number[])
}

/** Adds the rows whose number compares as the condition says. */
function mark({ values, rows }: NumberColumn, { op, value }: NumericCondition, kept: RowSet): void {
  const stands = standing(values, value)
  const accepted = ACCEPTED[op]
  const { bits } = kept
  if (rows.length > 0) {
    for (let i = 0; i < rows.length; i++) if ((stands(i) & accepted) !== 0) kept.add(rows[i])
    return
  }
  // Word by word: a bit at a time takes twice as long.
  for (let i = 0; i < values.length; ) {
    let word = 0
    for (const end = Math.min(i + 32, values.length); i < end; i++)
      word |= ((stands(i) & accepted) !== 0 ? 1 : 0) << (i & 31)
    bits[(i - 1) >>> 5] = word
  }
}

/** How value i stands to `to`. */
function standing(values: NumberValues, to: number | bigint): (i: number) => number {
  if (values instanceof BigInt64Array) {
    // By halves: a bigint a row takes ten times as long.
    const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length)
    const [high, low] = [Number((to as bigint) >> 32n), Number((to as bigint) & 0xffffffffn)]
    return (i) => {
      const [h, l] = [halves[2 * i + 1], halves[2 * i] >>> 0]
      return h === high ? (l < low ? LESS : l === low ? EQUAL : GREATER) : h < high ? LESS : GREATER
    }
  }
  const number = values instanceof Float32Array ? Math.fround(to as number) : (to as number)
  return (i) => (values[i] < number ? LESS : values[i] === number ? EQUAL : GREATER)
}

/** Where `row` stands among the ascending `rows`, else −1. */
function placeOf(rows: Uint32Array, row: number): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (rows[middle] < row) low = middle + 1
    else high = middle
  }
  return rows[low] === row ? low : -1
}
