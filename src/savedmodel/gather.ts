import { isComplex, partOf, StringsBuilder, sizeOf, type Tensor, zeros } from '../tensor/index.ts'
import { type StoredDType, tensorFrom } from './elements.ts'
import { eachRun, type Span } from './slices.ts'

/** A box of a tensor, and how to get its elements. */
export interface Piece {
  readonly box: readonly Span[]
  /** The elements of `box`, row-major, of the dtype that is gathered. */
  read(): Promise<Tensor>
}

/**
 * The box `target` of a tensor put together from the pieces that the tensor is stored in.
 * @param pieces share with `target` as many elements as it has, which bounds what is allocated
 * @throws what `failure` makes where two pieces hold the same element, so that another one is nowhere
 */
export async function gather(
  dtype: StoredDType | 'string',
  pieces: readonly Piece[],
  target: readonly Span[],
  failure: (problem: string) => Error,
): Promise<Tensor> {
  const shape = target.map(({ length }) => length)
  const covered = zeros('bool', sizeOf(shape))
  const room = dtype === 'string' ? strings(covered.length) : numbers(dtype, covered.length)
  for (const { box, read } of pieces) {
    const piece = await read()
    eachRun(box, target, (from, to, count) => {
      room.copy(piece, from, to, count)
      covered.fill(1, to, to + count)
    })
  }
  if (covered.includes(0)) throw failure('is stored in slices that lie over each other')
  return room.finish(shape)
}

/** Elements that are copied in by runs, in any order. */
interface Room {
  copy(piece: Tensor, from: number, to: number, count: number): void
  finish(shape: readonly number[]): Tensor
}

function numbers(dtype: StoredDType, size: number): Room {
  const places = isComplex(dtype) ? 2 : 1
  const data = zeros(partOf(dtype), places * size)
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const width = places * data.BYTES_PER_ELEMENT
  return {
    copy(piece, from, to, count) {
      if (piece.dtype !== dtype) return
      const { buffer, byteOffset } = piece.data as ArrayBufferView<ArrayBuffer>
      bytes.set(new Uint8Array(buffer, byteOffset + from * width, count * width), to * width)
    },
    finish: (shape) => tensorFrom(dtype, shape, data),
  }
}

function strings(size: number): Room {
  const elements = new Array<Uint8Array>(size)
  return {
    copy(piece, from, to, count) {
      if (piece.dtype !== 'string') return
      for (let i = 0; i < count; i++) elements[to + i] = piece.data.at(from + i)
    },
    finish(shape) {
      const builder = new StringsBuilder(size)
      for (const element of elements) builder.push(element)
      return tensorFrom('string', shape, builder.finish())
    },
  }
}
