import { type Cut, lengthAt } from './cut.ts'
import { PIECE, type SentencepieceModel } from './model.ts'

/** Two neighbours that would be a piece together. */
interface Pair {
  readonly left: number
  readonly right: number
  readonly score: number
  readonly size: number
}

/**
 * Joins neighbours, those of the best score first and of equal ones the leftmost, until no two of them are a piece
 * (bpe_model.cc). Symbols of the user's are not joined. A piece that is not to be used is cut as it was joined.
 */
export function bpe(model: SentencepieceModel): Cut {
  const { vocabulary, scores, types } = model
  return (text, found) => {
    const [starts, ends, before, after, fixed]: [number[], number[], number[], number[], boolean[]] = [
      [],
      [],
      [],
      [],
      [],
    ]
    for (let at = 0; at < text.length; ) {
      const symbol = model.symbolAt(text, at, text.length)
      const i = starts.length
      starts.push(at)
      at += symbol || lengthAt(text, at)
      ends.push(at)
      before.push(i - 1)
      after.push(at < text.length ? i + 1 : -1)
      fixed.push(symbol > 0)
    }
    const agenda = new Agenda()
    /** Where a piece that is not to be used was joined, by its text. */
    const joints = new Map<string, number>()
    const nameOf = (start: number, end: number) => String.fromCharCode(...text.subarray(start, end))
    const offer = (left: number, right: number) => {
      if (left < 0 || right < 0 || fixed[left] || fixed[right]) return
      const id = vocabulary.find(text, starts[left], ends[right])
      if (id < 0) return
      agenda.push({ left, right, score: scores[id], size: ends[right] - starts[left] })
      if (types[id] === PIECE.unused) joints.set(nameOf(starts[left], ends[right]), ends[left] - starts[left])
    }
    for (let i = 1; i < starts.length; i++) offer(i - 1, i)
    for (let pair = agenda.pop(); pair !== undefined; pair = agenda.pop()) {
      const { left, right, size } = pair
      const [first, second] = [ends[left] - starts[left], ends[right] - starts[right]]
      // One of them may have been joined otherwise since.
      if (first === 0 || second === 0 || first + second !== size) continue
      ends[left] = ends[right]
      ends[right] = starts[right]
      after[left] = after[right]
      if (after[right] >= 0) before[after[right]] = left
      offer(before[left], left)
      offer(left, after[left])
    }
    const emit = (start: number, end: number): void => {
      const id = model.idOf(text, start, end)
      const joint = types[id] === PIECE.unused ? joints.get(nameOf(start, end)) : undefined
      if (joint === undefined) {
        found(start, end, id)
        return
      }
      emit(start, start + joint)
      emit(start + joint, end)
    }
    for (let i = starts.length > 0 ? 0 : -1; i >= 0; i = after[i]) emit(starts[i], ends[i])
  }
}

/** Pairs, the next to be joined first: a heap. */
class Agenda {
  private readonly heap: Pair[] = []

  push(pair: Pair): void {
    const { heap } = this
    let at = heap.length
    for (; at > 0; at = (at - 1) >> 1) {
      const parent = heap[(at - 1) >> 1]
      if (!precedes(pair, parent)) break
      heap[at] = parent
    }
    heap[at] = pair
  }

  pop(): Pair | undefined {
    const { heap } = this
    const top = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return top
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && precedes(heap[child + 1], heap[child])) child++
      if (!precedes(heap[child], last)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = last
    return top
  }
}

const precedes = (a: Pair, b: Pair): boolean => a.score > b.score || (a.score === b.score && a.left < b.left)
