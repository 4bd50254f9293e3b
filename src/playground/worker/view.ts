import type { Model } from '../../engine/model.ts'
import { signaturePart, towerPart } from '../../explain/explain.ts'
import type { Part } from '../../explain/part.ts'
import { inWords, type ModelDefinition, type Port } from '../../graph/index.ts'
import type { Members } from '../../serve/values.ts'
import type { Example, ItemsView, Opened, PartName, PartView, PortView } from '../protocol.ts'
import { formOf } from './fields.ts'
import { layersOf } from './layers.ts'
import type { Session } from './session.ts'

/** Rows that the ranges of numbers are made of. */
const SAMPLE = 2000

/** @throws {RangeError} where the model has no such part */
export const partOf = (definition: ModelDefinition, { kind, name }: PartName): Part =>
  kind === 'signature' ? signaturePart(definition, name) : towerPart(definition, name as 'query' | 'candidate')

/** What the page shows of a session. */
export function viewOf(session: Session): Opened {
  const { read, model, milliseconds, remarks, examples } = session
  const { towers, signatures } = read.definition
  // Of several traces of one name the first has the form.
  const names = [...new Set(signatures.map(({ name }) => name))]
  return {
    name: read.name,
    kind: read.kind,
    bytes: read.bytes,
    milliseconds,
    signatures: signatures.map(({ name, method, inputs, outputs }) => ({
      ...{ name, method },
      inputs: inputs.map(portView),
      outputs: outputs.map(portView),
    })),
    similarity: towers.similarity,
    similarityWords: towers.similarity === null ? null : inWords(towers.similarity),
    notes: towers.notes,
    query: towerView(session, 'query', examples),
    candidate: towerView(session, 'candidate', session.items?.rows ?? []),
    parts: names.map((name) => partView(session, { kind: 'signature', name }, examples)),
    items: itemsView(session),
    examples: examples.map((row, i): Example => ({ label: exampleLabel(row, i), row: queryOf(model, row) })),
    remarks,
  }
}

function towerView(session: Session, side: 'query' | 'candidate', rows: readonly Members[]): PartView | null {
  const tower = session.read.definition.towers[side]
  if (tower === null) return null
  const width = tower.output.shape?.at(-1) ?? 0
  return { ...partView(session, { kind: 'tower', name: side }, rows), layers: layersOf(tower.graph, width) }
}

function partView({ read }: Session, name: PartName, rows: readonly Members[]): PartView {
  const part = partOf(read.definition, name)
  return { ...name, ...formOf(part, rows.slice(0, SAMPLE)), outputs: part.outputs.map(portView), layers: [] }
}

const portView = ({ name, dtype, shape }: Port): PortView => ({ name, dtype, shape })

/** The query's features of a row; what else it holds is for people. */
function queryOf(model: Model, row: Members): Members {
  const names = model.structure.query === null ? [] : model.query.features.map(({ name }) => name)
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(row, name) ? [[name, row[name]]] : [])))
}

function exampleLabel(row: Members, i: number): string {
  const name = typeof row.id === 'string' || typeof row.id === 'number' ? String(row.id) : `example ${i + 1}`
  return typeof row.description === 'string' ? `${name}: ${row.description}` : name
}

function itemsView({ items, map, embedded }: Session): ItemsView | null {
  if (items === null || map === null) return null
  const { from, labels, rows } = items
  const { plane, placed, points } = map
  return { from, labels, placed, points, shown: plane.shown, rows: rows.length > 0, milliseconds: embedded }
}
