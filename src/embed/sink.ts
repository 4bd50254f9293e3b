import type { Json } from '../json/parse.ts'
import type { Answer } from './piece.ts'

/** A file that is being written. */
export interface GrowingFile {
  /** How many bytes it has. */
  readonly size: number
  append(bytes: Uint8Array): Promise<void>
  /** Writes over the bytes at its beginning. */
  replace(bytes: Uint8Array): Promise<void>
}

/** Writes answers in one format into the files of one shard. */
export interface Sink {
  write(answer: Answer): Promise<void>
  /** What a sink of the same files needs to go on here, or undefined where it cannot. */
  state(): Json | undefined
  /** Writes what belongs to the end. */
  end(): Promise<void>
}

/** A way to write answers. */
export interface OutputFormat {
  /** The paths of a shard's files: its own, and what lies beside it. */
  paths(path: string): readonly string[]
  /** @param state of an earlier sink on these files; null for new ones */
  sink(files: readonly GrowingFile[], state: Json): Sink
}

/** Answers that are written as the text that they come as. */
export const TEXT: OutputFormat = {
  paths: (path) => [path],
  sink: ([file]) => ({
    write: ({ text }) => file.append(text),
    state: () => null,
    end: async () => {},
  }),
}
