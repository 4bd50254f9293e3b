import { ARENA_START, instantiate, type Kernels, type Pointer } from '../engine/kernels.ts'
import { aligned, MOST_BYTES, PAGE } from '../engine/linear.ts'
import type { Similarity } from '../graph/index.ts'
import { Nibbles, nibbleBytes, type RoundedItems, WIDEST } from './nibbles.ts'
import { centerOf, LARGEST_BYTE, roundItems, type ScanArrays } from './rounding.ts'

// What a scan reads, in a linear memory of its own: items as bytes, and half of each byte a second time for a coarse look.

/** Items that are scanned and offered to the heap while they are in the cache, for one query after the other. */
export const CHUNK = 8192
/** Bytes for heaps and queries that are left where the coarse look takes the rest. */
const ROOM = 2 ** 26
/** Past it, or under its inverse, squares leave float32. */
export const MOST_LENGTH: number = 2 ** 60
const LARGEST_SHORT = 32_766

/** Room for items, and how they lie in it. */
interface Room extends RoundedItems {
  readonly kernels: Kernels
  readonly memory: WebAssembly.Memory
  readonly metric: Similarity['metric']
  /** The largest number that a query is rounded to, so that no sum leaves 32 bits. */
  readonly most: number
  /** Half of each byte again; 0 where no coarse look is taken. */
  readonly plane: Pointer
  /** Where what a search needs for itself lies. */
  readonly free: Pointer
}

/** The items of a scan. */
export interface ScanItems extends Room {
  /** float64[width]: what was taken from each item. */
  readonly mean: Float64Array
  /** The length of the longest item, as it came and less the mean. */
  readonly longest: number
  readonly farthest: number
  /** The coarse look at them; null where none is taken. */
  readonly nibbles: Nibbles | null
}

/** Whether linear memory holds them, with room to search. */
function fits(rows: number, width: number): boolean {
  const stride = aligned(width, 16)
  return rows > 0 && width > 0 && (rows + 16) * (stride + 16) + 2 * stride + 2 * PAGE <= MOST_BYTES
}

/** Whether a coarse look is worth its bytes: the first chunk is scanned without. */
function coarselyToo(rows: number, stride: number): boolean {
  const bytes = (rows + 16) * (stride + 16) + nibbleBytes(rows, stride)
  return rows > CHUNK && stride <= WIDEST && bytes + ROOM <= MOST_BYTES
}

function roomFor(module: WebAssembly.Module, rows: number, width: number, metric: Similarity['metric']): Room {
  const stride = aligned(width, 16)
  const list = aligned(4 * rows)
  const scales = aligned(ARENA_START)
  const slacks = scales + list
  const halves = metric === 'euclidean' ? slacks + list : 0
  const items = slacks + list * (halves === 0 ? 1 : 2)
  const end = aligned(items + aligned(rows, 4) * stride)
  const plane = coarselyToo(rows, stride) ? end : 0
  const free = plane === 0 ? end : aligned(end + nibbleBytes(rows, stride))
  const memory = new WebAssembly.Memory({ initial: Math.ceil((free + CHUNK) / PAGE) })
  return {
    kernels: instantiate(module, memory),
    memory,
    rows,
    width,
    metric,
    stride,
    most: Math.min(LARGEST_SHORT, Math.floor(2 ** 31 / ((LARGEST_BYTE + 1) * stride)) - 2),
    items,
    scales,
    slacks,
    halves,
    plane,
    free,
  }
}

/**
 * Rounds `float32[rows, width]`, row-major. Null where the items do not fit linear memory, or where bounds say nothing of
 * them: then all are to be measured.
 */
export function roundedFrom(
  module: WebAssembly.Module,
  vectors: Float32Array,
  width: number,
  metric: Similarity['metric'],
): ScanItems | null {
  const rows = width === 0 ? 0 : vectors.length / width
  if (!fits(rows, width)) return null
  const { mean, longest } = centerOf(vectors, width, metric)
  // Not the other way round: the longest of what is not finite is NaN.
  if (!(longest < MOST_LENGTH)) return null
  const room = roomFor(module, rows, width, metric)
  const farthest = roundItems(held(room), vectors, mean, metric, room.stride, room.most)
  return { ...room, mean, longest, farthest, nibbles: nibblesOf(room) }
}

/**
 * What `arraysOf` gave for as many rows of that width and metric; null where they do not fit linear memory.
 * @throws {RangeError} where an array has another length
 */
export function storedAs(
  module: WebAssembly.Module,
  { items, scales, slacks, halves, mean, lengths: [longest, farthest] }: ScanArrays,
  rows: number,
  width: number,
  metric: Similarity['metric'],
): ScanItems | null {
  if (!fits(rows, width)) return null
  const room = roomFor(module, rows, width, metric)
  const own = held(room)
  if (
    items.length !== own.items.length ||
    scales.length !== rows ||
    slacks.length !== rows ||
    halves.length !== own.halves.length ||
    mean.length !== width
  )
    throw new RangeError(`what a scan keeps of ${rows} items of ${width} numbers has other lengths`)
  own.items.set(items)
  own.scales.set(scales)
  own.slacks.set(slacks)
  own.halves.set(halves)
  return { ...room, mean, longest, farthest, nibbles: nibblesOf(room) }
}

/** What a scan is made from again without a look at the vectors; views, valid until the next search. */
export const arraysOf = (scanned: ScanItems): ScanArrays => ({
  ...held(scanned),
  mean: scanned.mean,
  lengths: Float64Array.of(scanned.longest, scanned.farthest),
})

function held(room: Room): Pick<ScanArrays, 'items' | 'scales' | 'slacks' | 'halves'> {
  const { rows, stride, items, scales, slacks, halves } = room
  const { buffer } = room.memory
  return {
    items: new Int8Array(buffer, items, rows * stride),
    scales: new Float32Array(buffer, scales, rows),
    slacks: new Float32Array(buffer, slacks, rows),
    halves: new Float32Array(buffer, halves, halves === 0 ? 0 : rows),
  }
}

/** Lays half of each byte, once they are all there. */
const nibblesOf = (room: Room): Nibbles | null =>
  room.plane === 0 ? null : new Nibbles(room.kernels, room.memory, room, room.plane, room.free, CHUNK)
