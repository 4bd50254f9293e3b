import type { Features, Nested } from '../engine/model.ts'
import type { Port } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import { exampleWith } from './example.ts'
import { refuseOverflow } from './floats.ts'
import { type Members, nested } from './values.ts'

/** One instance's features by name. */
export type Row = Members

/**
 * Rows of features as columns. A feature of one value an instance may stand in a row bare or as a list of one, as Vertex
 * writes it; other members of a row are left alone. The features of a serialized tf.Example may stand in its place.
 *
 * @throws {RangeError} where a row lacks a feature that has no default
 */
export function columnsOf(rows: readonly Row[], ports: readonly Port[]): Features {
  // Not by assignment: a feature may be called __proto__.
  const columns: [string, Nested][] = []
  for (const port of ports) {
    if (port.features !== undefined && !rows.every((row) => Object.hasOwn(row, port.name))) {
      const { features } = port
      columns.push([port.name, rows.map((row) => exampleWith(row, features))])
      continue
    }
    const missing = rows.findIndex((row) => !Object.hasOwn(row, port.name))
    if (missing >= 0) {
      if (port.fallback !== undefined) continue
      const names = ports.map(({ name }) => `"${name}"`).join(', ')
      throw new RangeError(
        `feature "${port.name}" is missing${rows.length > 1 ? ` in row ${missing}` : ''}: the features are ${names}`,
      )
    }
    const column = rows.map((row) => value(row[port.name], port))
    if (port.dtype === 'float32') refuseOverflow(column, `feature "${port.name}"`)
    columns.push([port.name, column])
  }
  return Object.fromEntries(columns)
}

function value(json: Json, port: Port): Nested {
  const isList = Array.isArray(json)
  if (port.shape?.length === 1 && isList && (json as readonly Json[]).length === 1)
    return nested((json as readonly Json[])[0], port.name)
  // One value for a feature of shape [1].
  if (port.shape?.length === 2 && port.shape[1] === 1 && !isList) return [nested(json, port.name)]
  return nested(json, port.name)
}
