import { convert as convertModel } from '../convert.ts'
import type { ModelSource } from '../define.ts'
import { constantOf, inWords, type Signature } from '../graph/index.ts'
import { EXIT, UsageError } from './exit.ts'
import { type SimilarityOptions, similarityChoice } from './similarity.ts'
import { tagsOf } from './stdio.ts'
import { bytesText } from './words.ts'

export interface ConvertOptions extends SimilarityOptions {
  readonly output: string
  readonly query?: string
  readonly candidate?: string
  readonly preprocess?: string
  readonly tags?: string
  readonly dtype: string
}

/** Converts a SavedModel, or a pair of them, to a bundle and says what was found. */
export async function convert(path: string | undefined, options: ConvertOptions): Promise<void> {
  const { query, candidate } = options
  let source: ModelSource
  let choices: { readonly query?: string; readonly candidate?: string } = {}
  if (path === undefined) {
    if (query === undefined || candidate === undefined)
      throw new UsageError('name one SavedModel, or two with --query and --candidate')
    source = { query, candidate }
  } else {
    source = path
    choices = { ...(query === undefined ? {} : { query }), ...(candidate === undefined ? {} : { candidate }) }
  }
  const { dtype } = options
  if (dtype !== 'float32' && dtype !== 'int8')
    throw new UsageError(`--dtype must be float32 or int8, got ${JSON.stringify(dtype)}`)
  const bundle = await convertModel(source, {
    dtype,
    ...tagsOf(options),
    ...choices,
    ...similarityChoice(options),
    ...(options.preprocess === undefined ? {} : { preprocess: options.preprocess }),
  })
  await bundle.save(options.output)
  const { signatures, towers } = bundle.definition
  const say = (line: string) => process.stdout.write(`${line}\n`)
  say(
    `${options.output}: ${signatures.length} signature${signatures.length === 1 ? '' : 's'} (${signatures.map(({ name }) => name).join(', ')}), ${bytesText(bundle.byteLength)}`,
  )
  if (dtype === 'int8')
    say(`int8: ${layersOf(signatures, 'twotower>DenseInt8')}; in floats: ${layersOf(signatures, 'twotower>Dense')}`)
  for (const side of ['query', 'candidate'] as const) {
    const tower = towers[side]
    if (tower !== null) say(`${side} tower: ${tower.inputs.map((port) => port.name).join(', ')} → ${tower.output.name}`)
  }
  say(`similarity: ${towers.similarity === null ? 'not known; choose with --similarity' : inWords(towers.similarity)}`)
  for (const note of towers.notes) say(`  ${note}`)
  process.exitCode = EXIT.ok
}

/** How many layers, told apart by their weights, are computed by `op`. */
function layersOf(signatures: readonly Signature[], op: string): string {
  const nodes = signatures.flatMap(({ graph }) => graph.nodes.filter((node) => node.op === op))
  const { size } = new Set(nodes.map((node) => constantOf(node.inputs[1])))
  return `${size} dense layer${size === 1 ? '' : 's'}`
}
