import type { AnswerLayout, InputFormat } from '../embed/piece.ts'
import { type OutputFormat, TEXT } from '../embed/sink.ts'
import { UsageError } from './exit.ts'

const INPUTS: Readonly<Record<string, InputFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'jsonl',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.parquet': 'parquet',
  '.tfrecord': 'tfrecord',
  '.tfrecords': 'tfrecord',
}

/** A format of answers, by what its files' names end with and by how rows are laid out in them. */
interface OutputKind {
  readonly extension: string
  readonly layout: AnswerLayout
  /** Whether a bad row has a place among the answers. */
  readonly holdsErrors: boolean
  load(): Promise<OutputFormat>
}

const text = async (): Promise<OutputFormat> => TEXT
const KINDS: Readonly<Record<string, OutputKind>> = {
  jsonl: { extension: '.jsonl', layout: 'plain', holdsErrors: true, load: text },
  parquet: {
    extension: '.parquet',
    layout: 'vectors',
    holdsErrors: false,
    load: async () => (await import('../embed/output/parquet.ts')).PARQUET,
  },
  npy: {
    extension: '.npy',
    layout: 'vectors',
    holdsErrors: false,
    load: async () => (await import('../embed/output/npy.ts')).NPY,
  },
  'vector-search': { extension: '.json', layout: 'vector-search', holdsErrors: false, load: text },
  'batch-prediction': { extension: '.jsonl', layout: 'batch-prediction', holdsErrors: false, load: text },
}

const extensionOf = (path: string): string => /\.[^./\\]*$/.exec(path.toLowerCase())?.[0] ?? ''

/** The format of `file` by --format or by its extension; lines of JSON where that says nothing. @throws {UsageError} for a format that there is not */
export function inputFormat(file: string, chosen: string | undefined): InputFormat {
  if (chosen === undefined) return INPUTS[extensionOf(file)] ?? 'jsonl'
  const known = new Set(Object.values(INPUTS))
  const found = [...known].find((format) => format === chosen)
  if (found === undefined)
    throw new UsageError(`--format must be ${[...known].join(', ')}, got ${JSON.stringify(chosen)}`)
  return found
}

/** The format to write, by --output-format or by the extension of `path`. @throws {UsageError} for a format that there is not */
export function outputKind(
  path: string | undefined,
  chosen: string | undefined,
): OutputKind & { readonly name: string } {
  const byExtension = Object.keys(KINDS).find((name) => KINDS[name].extension === extensionOf(path ?? ''))
  const name = chosen ?? byExtension ?? 'jsonl'
  if (!Object.hasOwn(KINDS, name))
    throw new UsageError(`--output-format must be ${Object.keys(KINDS).join(', ')}, got ${JSON.stringify(chosen)}`)
  return { name, ...KINDS[name] }
}
