import type { GrowingFile } from '../embed/sink.ts'
import { Utf8Writer } from '../json/utf8.ts'

/** Bytes that are written at once. */
const PIECE = 1 << 20

/** Ids on their way into a file, a JSON string a line. */
export function idLines(file: GrowingFile) {
  const writer = new Utf8Writer()
  return {
    async add(id: string): Promise<void> {
      writer.text(`${JSON.stringify(id)}\n`)
      if (writer.length >= PIECE) await file.append(writer.take())
    },
    flush: (): Promise<void> => file.append(writer.take()),
  }
}
