import { InvalidArgumentError } from '../errors.ts'
import { type Attrs, handle, type Op, type Table } from '../graph/index.ts'
import { type DType, sizeOf, type Tensor } from '../tensor/index.ts'
import { MutableTable } from './tables/mutable.ts'
import { StaticTable } from './tables/static.ts'
import { columnOf, linesOf } from './tables/textfile.ts'
import { insert, tableOf } from './tables.ts'

// How lookup tables come to be, after kernels/lookup_table_op.cc and lookup_table_init_op.cc: an export's own init ops
// do it while it is imported.

type Make = (name: string, attrs: Attrs, inputs: readonly (Tensor | null)[]) => Table

/** The table's types are attributes; `shape` is the shape of one value, for the tables that have it. */
const makes = (make: Make): Op => ({
  stateful: true,
  resource: (name, attrs, inputs) => handle(make(name, attrs, inputs)),
  evaluate: (call) => handle(make(call.node.name, call.attrs, call.inputs)),
})

const dtypes = (attrs: Attrs): [DType, DType] => [attrs.dtype('key_dtype'), attrs.dtype('value_dtype')]
const valueShape = (attrs: Attrs): number[] => (attrs.shape('value_shape') ?? []).map((dim) => dim ?? 0)
const known = (inputs: readonly (Tensor | null)[]): Tensor[] => inputs.filter((input) => input !== null)

const hashTable = makes((name, attrs) => new StaticTable(name, ...dtypes(attrs)))
const mutableTable = makes((name, attrs) => new MutableTable(name, ...dtypes(attrs), []))
const mutableTableOfTensors = makes((name, attrs) => new MutableTable(name, ...dtypes(attrs), valueShape(attrs)))
const denseTable = makes(
  (name, attrs, inputs) => new MutableTable(name, ...dtypes(attrs), valueShape(attrs), known(inputs)),
)

const initialize: Op = {
  effect: 'change',
  evaluate(call) {
    const [, keys, values] = call.inputs
    if (sizeOf(keys.shape) === 0 || sizeOf(values.shape) === 0)
      throw new InvalidArgumentError(
        `keys and values cannot be empty tensors, got [${keys.shape}] and [${values.shape}]`,
      )
    return insert.evaluate(call)
  },
}

/** InitializeTableFromTextFile: an initialised table is left as it is. */
const fromTextFile: Op = {
  effect: 'change',
  evaluate(call) {
    const table = tableOf(call)
    if (table instanceof StaticTable && table.initialized) return []
    const name = call.inputs[1]
    if (name.dtype !== 'string') throw new TypeError(`the file's name must be a string, got ${name.dtype}`)
    const path = name.data.text(0)
    const bytes = call.files.get(path)
    if (bytes === undefined)
      throw new InvalidArgumentError(`the table's file ${JSON.stringify(path)} is not among the export's assets`)
    if (!(bytes instanceof Uint8Array)) throw bytes
    const file = {
      path,
      bytes,
      vocabSize: call.attrs.number('vocab_size', -1),
      delimiter: call.attrs.bytes('delimiter', TAB)[0],
      offset: call.attrs.number('offset', 0),
    }
    const lines = linesOf(file)
    const keys = columnOf(file, lines, call.attrs.number('key_index'), table.keyDtype)
    table.insert(keys, columnOf(file, lines, call.attrs.number('value_index'), table.valueDtype))
    return []
  },
}

const TAB = Uint8Array.of(9)

export const ops: Readonly<Record<string, Op>> = {
  HashTable: hashTable,
  HashTableV2: hashTable,
  AnonymousHashTable: hashTable,
  MutableHashTable: mutableTable,
  MutableHashTableV2: mutableTable,
  AnonymousMutableHashTable: mutableTable,
  MutableHashTableOfTensors: mutableTableOfTensors,
  MutableHashTableOfTensorsV2: mutableTableOfTensors,
  AnonymousMutableHashTableOfTensors: mutableTableOfTensors,
  MutableDenseHashTable: denseTable,
  MutableDenseHashTableV2: denseTable,
  AnonymousMutableDenseHashTable: denseTable,
  InitializeTable: initialize,
  InitializeTableV2: initialize,
  InitializeTableFromTextFile: fromTextFile,
  InitializeTableFromTextFileV2: fromTextFile,
}
