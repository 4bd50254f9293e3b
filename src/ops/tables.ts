import type { Call, Op, Table } from '../graph/index.ts'
import { tensor } from '../tensor/index.ts'

// Lookups in tables after kernels/lookup_table_op.cc.

/** The table that input 0 is the handle of. */
export function tableOf(call: Call): Table {
  const [held] = call.inputs
  const resource = held.dtype === 'resource' ? (held.data[0] as Table) : undefined
  if (resource?.kind !== 'table') throw new TypeError(`input 0 must be a lookup table, got ${held.dtype}`)
  return resource
}

const find: Op = {
  stateful: true,
  evaluate: (call) => tableOf(call).find(call.inputs[1], call.inputs[2]),
}

/** Both the initialiser of a static table and an insert into a mutable one. */
export const insert: Op = {
  effect: 'change',
  evaluate(call) {
    tableOf(call).insert(call.inputs[1], call.inputs[2])
    return []
  },
}

/** A mutable table's import replaces what it holds. */
const replace: Op = {
  effect: 'change',
  evaluate(call) {
    const table = tableOf(call)
    table.clear()
    table.insert(call.inputs[1], call.inputs[2])
    return []
  },
}

const exported: Op = {
  outputs: ['keys', 'values'],
  stateful: true,
  evaluate(call) {
    const { keys, values } = tableOf(call).export()
    return [keys, values]
  },
}

const remove: Op = {
  effect: 'change',
  evaluate(call) {
    tableOf(call).remove(call.inputs[1])
    return []
  },
}

const size: Op = {
  stateful: true,
  evaluate: (call) => tensor('int64', [], BigInt64Array.of(BigInt(tableOf(call).size))),
}

export const ops: Readonly<Record<string, Op>> = {
  LookupTableImport: replace,
  LookupTableImportV2: replace,
  LookupTableInsert: insert,
  LookupTableInsertV2: insert,
  LookupTableRemoveV2: remove,
  LookupTableFind: find,
  LookupTableFindV2: find,
  LookupTableSize: size,
  LookupTableSizeV2: size,
  LookupTableExport: exported,
  LookupTableExportV2: exported,
}
