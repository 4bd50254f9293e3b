// The order in which std::sort and std::push_heap of libstdc++ leave indices that a comparison does not order: TensorFlow's
// TopK sorts rows with NaN so (core/kernels/topk_op.cc, core/lib/gtl/top_n.h). After bits/stl_algo.h and bits/stl_heap.h.

type Before = (a: number, b: number) => boolean

/** Up to this many are sorted by insertion. */
const FEW = 16

function insert(list: number[], at: number, before: Before): void {
  const value = list[at]
  let hole = at
  for (; before(value, list[hole - 1]); hole--) list[hole] = list[hole - 1]
  list[hole] = value
}

function insertionSort(list: number[], end: number, before: Before): void {
  for (let i = 1; i < end; i++) {
    if (before(list[i], list[0])) list.unshift(...list.splice(i, 1))
    else insert(list, i, before)
  }
}

const swap = (list: number[], i: number, j: number): void => {
  ;[list[i], list[j]] = [list[j], list[i]]
}

function medianToFirst(list: number[], to: number, a: number, b: number, c: number, before: Before): void {
  const less = (i: number, j: number) => before(list[i], list[j])
  if (less(a, b)) swap(list, to, less(b, c) ? b : less(a, c) ? c : a)
  else swap(list, to, less(a, c) ? a : less(b, c) ? c : b)
}

/** Where the part that the pivot, the first, does not come before begins. */
function partition(list: number[], start: number, end: number, before: Before): number {
  medianToFirst(list, start, start + 1, start + Math.floor((end - start) / 2), end - 1, before)
  const pivot = list[start]
  for (let [low, high] = [start + 1, end]; ; low++) {
    while (before(list[low], pivot)) low++
    high--
    while (before(pivot, list[high])) high--
    if (low >= high) return low
    swap(list, low, high)
  }
}

function introsort(list: number[], start: number, end: number, depth: number, before: Before): void {
  for (let last = end, left = depth; last - start > FEW; left--) {
    if (left === 0) {
      const part = list.slice(start, last)
      makeHeap(part, before)
      sortHeap(part, before)
      part.forEach((value, i) => {
        list[start + i] = value
      })
      return
    }
    const cut = partition(list, start, last, before)
    introsort(list, cut, last, left - 1, before)
    last = cut
  }
}

/** std::sort, in place. */
export function sort(list: number[], before: Before): void {
  introsort(list, 0, list.length, 2 * Math.floor(Math.log2(Math.max(list.length, 1))), before)
  insertionSort(list, Math.min(list.length, FEW), before)
  for (let i = FEW; i < list.length; i++) insert(list, i, before)
}

function rise(heap: number[], from: number, top: number, value: number, before: Before): void {
  let hole = from
  for (let parent = (hole - 1) >> 1; hole > top && before(heap[parent], value); parent = (hole - 1) >> 1) {
    heap[hole] = heap[parent]
    hole = parent
  }
  heap[hole] = value
}

function sink(heap: number[], top: number, length: number, value: number, before: Before): void {
  let [hole, child] = [top, top]
  while (child < Math.floor((length - 1) / 2)) {
    child = 2 * (child + 1)
    if (before(heap[child], heap[child - 1])) child--
    heap[hole] = heap[child]
    hole = child
  }
  if (length % 2 === 0 && child === (length - 2) / 2) {
    heap[hole] = heap[2 * child + 1]
    hole = 2 * child + 1
  }
  rise(heap, hole, top, value, before)
}

function makeHeap(heap: number[], before: Before): void {
  for (let parent = Math.floor((heap.length - 2) / 2); parent >= 0; parent--)
    sink(heap, parent, heap.length, heap[parent], before)
}

/** The first of the first `length` goes behind the rest of them. */
function popHeap(heap: number[], length: number, before: Before): void {
  if (length < 2) return
  const value = heap[length - 1]
  heap[length - 1] = heap[0]
  sink(heap, 0, length - 1, value, before)
}

function sortHeap(heap: number[], before: Before): void {
  for (let length = heap.length; length > 1; length--) popHeap(heap, length, before)
}

/** The `k` ≥ 1 first of the indices below `count`, which are more, as gtl::TopN finds them. */
export function topN(count: number, k: number, before: Before): number[] {
  const heap = Array.from({ length: k + 1 }, (_, i) => i)
  makeHeap(heap, before)
  popHeap(heap, k + 1, before)
  for (let i = k + 1; i < count; i++) {
    if (!before(i, heap[0])) continue
    popHeap(heap, k, before)
    rise(heap, k - 1, 0, i, before)
  }
  heap.pop()
  sortHeap(heap, before)
  return heap
}
