import { existsSync } from 'node:fs'
import { basename, dirname, relative, resolve, sep } from 'node:path'
import type { ModelDefinition } from '../graph/index.ts'
import { type Json, parseJson } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import { modelOf } from '../load.ts'
import { type Match, match as matched } from '../match/match.ts'
import { joined, type Recordings, recordingsIn } from '../match/recording.ts'
import { type KnownVocabulary, readVocabulary } from '../match/vocabulary.ts'
import { folderAt } from '../platform/open.ts'
import { inlineVocabularies, type Preprocess } from '../preprocess/index.ts'
import { EXIT, UsageError } from './exit.ts'
import { definitionAt, type LoadingOptions } from './loading.ts'
import { inLines } from './matched.ts'
import { openOutput } from './output.ts'
import { Progress } from './progress.ts'
import { countOf, readLines, readText } from './stdio.ts'

export interface MatchOptions extends LoadingOptions {
  readonly predictions: string
  readonly vocabulary?: readonly string[]
  readonly preprocess?: string
  readonly signature?: string
  readonly output?: string
  readonly tolerance: string
  readonly limit: string
  readonly json?: boolean
}

/** What is written where nothing else is said. */
const OUTPUT = 'preprocess.json'

/** Finds the preprocessing and the similarity under which a model answers as was recorded. The status is 1 where it finds none. */
export async function match(path: string, options: MatchOptions): Promise<void> {
  const tolerance = Number(options.tolerance)
  if (options.tolerance.trim() === '' || !(tolerance >= 0))
    throw new UsageError(`--tolerance wants a number, got ${JSON.stringify(options.tolerance)}`)
  const limit = countOf('--limit', options.limit)
  if (options.output === undefined && existsSync(OUTPUT))
    throw new UsageError(`there is a file "${OUTPUT}" already: name another, or this one, with --output`)
  const definition = await definitionAt(path, options)
  const vocabularies = await Promise.all((options.vocabulary ?? []).map(vocabularyAt))
  const start = await startOf(options.preprocess, definition)
  const recordings = await recordingsAt(options.predictions)
  const { preprocess: _, ...bare } = definition
  const progress = new Progress('tries', limit)
  let found: Match
  try {
    found = matched(await modelOf(bare), recordings, {
      tolerance,
      limit,
      vocabularies: vocabularies.map(({ vocabulary }) => vocabulary),
      ...(options.signature === undefined ? {} : { signature: options.signature }),
      ...(start === undefined ? {} : { start }),
      onTry: () => progress.step(),
    })
  } finally {
    progress.stop()
  }
  const written = await writePreprocess(found, options.output, vocabularies)
  process.stdout.write(
    options.json
      ? `${jsonText({ ...found, written } as unknown as Json)}\n`
      : `${inLines(found, written).join('\n')}\n`,
  )
  if (!found.reproduced) process.exitCode = EXIT.failed
}

/** A vocabulary with the file that it was read from. */
interface VocabularyFile {
  readonly file: string
  readonly vocabulary: KnownVocabulary
}

/** `FILE`, or `NAME=FILE` for one input or raw feature. */
async function vocabularyAt(option: string): Promise<VocabularyFile> {
  const [, of, file] = /^([^=/\\]+)=(.+)$/s.exec(option) ?? [undefined, undefined, option]
  const text = await readText(file)
  return { file, vocabulary: { ...readVocabulary(text, file, of), name: basename(file) } }
}

/** What is varied: the file that is named, else what a bundle declares. */
async function startOf(file: string | undefined, { preprocess }: ModelDefinition): Promise<Preprocess | undefined> {
  if (file === undefined) return preprocess === undefined ? undefined : (preprocess as Preprocess)
  const text = await readText(file)
  let json: Json
  try {
    json = parseJson(text)
  } catch (error) {
    throw new TypeError(`${file} is not JSON: ${(error as Error).message.replace(/\s+/g, ' ')}`)
  }
  return inlineVocabularies(json, await folderAt(dirname(file)))
}

/** The recordings of a file: one JSON document, a list of them, or one a line. */
async function recordingsAt(file: string): Promise<Recordings> {
  const all: Recordings[] = []
  const whole = file === '-' ? null : wholeFile(await readText(file))
  if (whole !== null) {
    const items = Array.isArray(whole) ? whole : [whole]
    for (const [i, item] of items.entries())
      all.push(recordingsIn(item, items.length === 1 ? file : `${file} entry ${i}`))
    return joined(all)
  }
  for await (const { text, at } of readLines([file])) {
    let item: Json
    try {
      item = parseJson(text())
    } catch (error) {
      throw new TypeError(`${at}: ${(error as Error).message.replace(/\s+/g, ' ')}`)
    }
    all.push(recordingsIn(item, at))
  }
  return joined(all)
}

function wholeFile(text: string): Json {
  try {
    return parseJson(text)
  } catch {
    return null
  }
}

/**
 * Writes what was found and says where; null where nothing was written: nothing need be declared, or it does not
 * reproduce the recordings and nobody named a file for it.
 */
async function writePreprocess(
  { preprocess, reproduced }: Match,
  output: string | undefined,
  vocabularies: readonly VocabularyFile[],
): Promise<string | null> {
  if (output === undefined && (!reproduced || Object.keys(preprocess.inputs).length === 0)) return null
  const path = output ?? OUTPUT
  const named = namedFrom(dirname(path), vocabularies)
  const target = await openOutput(path)
  target.stream.write(
    `${JSON.stringify(preprocess, (key, value) => (key === 'vocabulary' ? named(value) : value), 2)}\n`,
  )
  await target.keep()
  return path
}

/** A vocabulary by its file, where that lies beside preprocess.json and holds it as it is; else its tokens. */
function namedFrom(folder: string, vocabularies: readonly VocabularyFile[]): (tokens: unknown) => unknown {
  const files = new Map<unknown, string>()
  for (const { file, vocabulary } of vocabularies) {
    const inside = relative(resolve(folder), resolve(file))
    if (vocabulary.plain && !inside.startsWith('..') && resolve(folder, inside) === resolve(file))
      files.set(vocabulary.tokens, inside.split(sep).join('/'))
  }
  return (tokens) => {
    const file = files.get(tokens)
    return file === undefined ? tokens : { file }
  }
}
