import { constantOf, type Graph } from '../graph/index.ts'
import { packedLength, type TensorOf } from '../tensor/index.ts'
import type { Kernels, Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'

type Filter = TensorOf<'float32'>

/** Of a filter's numbers a matrix: a row for each of a window, a column for each channel that is made. */
const columnsOf = ({ shape }: Filter): number => shape[3]
const rowsOf = (filter: Filter): number => filter.data.length / columnsOf(filter)
const panelsOf = (filter: Filter): number => packedLength(rowsOf(filter), columnsOf(filter))

/** The filters of a model's convolutions, packed once: linear memory holds their panels and not the filters beside. */
export class Filters {
  private readonly places = new Map<Float32Array, { readonly columns: number; readonly at: Pointer }>()

  /** Before the first run. Where the address space ends none is packed. */
  constructor(graphs: readonly Graph[], memory: Memory, kernels: Kernels) {
    const filters = new Map<Float32Array, Filter>()
    for (const { op, inputs } of graphs.flatMap(({ nodes }) => nodes)) {
      const filter = op === 'Conv2D' ? constantOf(inputs[1]) : null
      if (filter?.dtype === 'float32' && filter.shape.length === 4 && filter.data.length > 0)
        filters.set(filter.data, filter)
    }
    let at = memory.stay(4 * [...filters.values()].reduce((sum, filter) => sum + panelsOf(filter), 0))
    if (at === null) return
    // A filter lies where runs will have their values until its panels are made: room for the largest, grown to where there is none.
    memory.room([...filters.keys()].reduce((most, { length }) => Math.max(most, length), 0))
    for (const filter of filters.values()) {
      memory.begin()
      const from = memory.address(filter.data)
      if (from === null) return
      kernels.packPanels(at, from, rowsOf(filter), columnsOf(filter))
      this.places.set(filter.data, { columns: columnsOf(filter), at })
      at += 4 * panelsOf(filter)
    }
  }

  /** Where a filter's panels lie; null where it is none of those. */
  panelsAt(filter: Filter): Pointer | null {
    const place = this.places.get(filter.data)
    return place?.columns === columnsOf(filter) ? place.at : null
  }
}
