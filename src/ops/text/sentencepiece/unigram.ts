import { ByteTrie } from '../bytetrie.ts'
import type { Cut } from './cut.ts'
import { lengthAt } from './cut.ts'
import { PIECE, type SentencepieceModel } from './model.ts'

/** What an unknown character costs beside the least likely piece. */
const UNKNOWN_PENALTY = 10

/**
 * Cuts a text into the most likely pieces: Viterbi's algorithm as unigram_model.cc's EncodeOptimized has it, sums in
 * float32 and what they are compared by in float64, the earlier of equally good ways.
 */
export function unigram(model: SentencepieceModel): Cut {
  const { vocabulary, scores, types } = model
  let [least, most]: [number, number] = [Math.fround(3.4028234663852886e38), Math.fround(1.1754943508222875e-38)]
  for (let id = 0; id < types.length; id++) {
    if (types[id] !== PIECE.normal) continue
    least = Math.min(least, scores[id])
    most = Math.max(most, scores[id])
  }
  const unknown = Math.fround(least - UNKNOWN_PENALTY)
  return (text, found) => {
    const size = text.length
    const best = new Float32Array(size + 1)
    const ids = new Int32Array(size + 1)
    const starts = new Int32Array(size + 1).fill(-1)
    const offer = (end: number, start: number, id: number, score: number) => {
      if (starts[end] >= 0 && !(score > best[end])) return
      best[end] = score
      starts[end] = start
      ids[end] = id
    }
    for (let start = 0; start < size; ) {
      const here = best[start]
      const length = lengthAt(text, start)
      let single = false
      let node: number = ByteTrie.ROOT
      for (let end = start + 1; end <= size; end++) {
        node = vocabulary.step(node, text[end - 1])
        if (node < 0) break
        const id = vocabulary.valueOf(node)
        if (id < 0 || types[id] === PIECE.unused) continue
        // A symbol of the user's costs next to nothing.
        const score = types[id] === PIECE.userDefined ? Math.fround((end - start) * most) - 0.1 : scores[id]
        offer(end, start, id, score + here)
        single ||= end - start === length
      }
      if (!single) offer(start + length, start, model.unknown, Math.fround(unknown + here))
      start += length
    }
    const path: number[] = []
    for (let end = size; end > 0; end = starts[end]) path.push(end)
    for (let i = path.length - 1; i >= 0; i--) found(starts[path[i]], path[i], ids[path[i]])
  }
}
