import { inWords } from '../graph/index.ts'
import { folderAt } from '../platform/open.ts'
import { EXIT } from './exit.ts'
import { tagsOf } from './stdio.ts'
import { type Survey, survey } from './survey.ts'
import { bytesText, clipped, counted, shapeText, table, wrapped } from './words.ts'

export interface InspectOptions {
  readonly json?: boolean
  readonly tags?: string
}

/** Arrays of a bundle that are worth a line: smaller ones are the constants of its graphs. */
const SMALL = 256

/** Shows what a model holds: for people, or as JSON. Fails where the model cannot be run. */
export async function inspect(path: string, options: InspectOptions): Promise<void> {
  const found = await survey(await folderAt(path), tagsOf(options).tags)
  process.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : `${inText(path, found).join('\n')}\n`)
  if (found.problem !== undefined || found.signatures.length === 0) process.exitCode = EXIT.failed
}

function inText(path: string, found: Survey): string[] {
  const lines = [`${path}: ${found.kind}`]
  for (const { tags, tensorflow } of found.metaGraphs)
    lines.push(`meta graph [${tags.join(', ')}] of TensorFlow ${tensorflow || 'unknown'}`)
  lines.push(...explained(found), ...signaturesText(found))
  if (found.problem !== undefined) lines.push('', ...prose(`It cannot be run: ${found.problem}`))
  else lines.push(...towersText(found))
  lines.push(...tablesText(found), ...variablesText(found))
  if (found.assets.length > 0) {
    lines.push('', `assets (${found.assets.length})`)
    lines.push(
      ...table(
        found.assets.map(({ name, bytes }) => [name, bytesText(bytes)]),
        '  ',
      ),
    )
  }
  return found.ops.length === 0 ? lines : [...lines, ...opsText(found)]
}

const prose = (text: string, indent = '', deeper = indent): string[] => wrapped(text.split(' '), indent, deeper)

/** What it means where an export has no signatures. */
function explained({ signatures, problem }: Survey): string[] {
  if (problem !== undefined) return []
  if (signatures.length === 0) {
    return [
      '',
      ...prose(
        'Nothing in it can be run: it was saved without signatures, and its root object has no functions. Save it with tf.saved_model.save(model, folder, signatures={"serving_default": function}).',
      ),
    ]
  }
  if (!signatures.every(({ method }) => method === RESTORED)) return []
  const names = [...new Set(signatures.map(({ name }) => name))].join(', ')
  return [
    '',
    ...prose(
      `It was saved without signatures. The functions of its root object stand in for them: ${names}. Run one with --signature NAME.`,
    ),
  ]
}

/** What the importer writes for the method of a function that stands in for a signature. */
const RESTORED = 'restored function'

function signaturesText({ signatures }: Survey): string[] {
  return signatures.flatMap(({ name, method, inputs, features, outputs }) => {
    const ports = (list: typeof inputs) =>
      table(
        list.map((port) => [port.name, port.dtype, shapeText(port.shape)]),
        '    ',
      )
    return [
      '',
      `signature "${name}"${method === '' ? '' : `  (${method})`}`,
      '  inputs',
      ...ports(inputs),
      ...(features === undefined
        ? []
        : ['  raw features, of which preprocessing makes the inputs', ...ports(features)]),
      '  outputs',
      ...ports(outputs),
    ]
  })
}

function towersText({ towers }: Survey): string[] {
  const side = (label: string, inputs: readonly string[] | null) =>
    prose(inputs?.join(', ') ?? 'none found', `  ${label.padEnd(11)}`, ' '.repeat(13))
  return [
    '',
    'towers',
    ...side('query', towers.query),
    ...side('candidate', towers.candidate),
    `  similarity ${towers.similarity === null ? 'not known' : inWords(towers.similarity)}`,
    ...towers.notes.flatMap((note) => prose(note, '    ', '      ')),
  ]
}

function tablesText({ tables }: Survey): string[] {
  if (tables.length === 0) return []
  return [
    '',
    `vocabularies and tables (${tables.length})`,
    ...tables.flatMap(({ name, keys, values, size, first }) => {
      const shown = `${first.map((key) => JSON.stringify(key)).join(' ')}${size > first.length ? ' …' : ''}`
      return [
        ...table([[name, `${keys} → ${values}`, size === 1 ? '1 entry' : `${size} entries`]], '  '),
        ...(first.length === 0 ? [] : [clipped(`    ${shown}`)]),
      ]
    }),
  ]
}

function variablesText({ kind, variables }: Survey): string[] {
  if (variables.length === 0) return []
  const total = bytesText(variables.reduce((sum, { bytes }) => sum + bytes, 0))
  const shown = kind === 'bundle' ? variables.filter(({ bytes }) => bytes >= SMALL) : variables
  const rest = variables.length - shown.length
  return [
    '',
    `${kind === 'bundle' ? 'arrays' : 'variables'} (${variables.length}, ${total})`,
    ...table(
      shown.map(({ name, dtype, shape, bytes }) => [name, dtype, shapeText(shape), bytesText(bytes)]),
      '  ',
    ),
    ...(rest === 0 ? [] : [`  and ${rest} of less than ${SMALL} bytes`]),
  ]
}

function opsText({ ops }: Survey): string[] {
  const missing = ops.filter(({ supported }) => !supported).map(({ op }) => op)
  return [
    '',
    `ops (${counted(ops.length, 'kind')})`,
    ...wrapped(
      ops.map(({ op, count }) => (count > 1 ? `${op}×${count}` : op)),
      '  ',
    ),
    ...(missing.length === 0
      ? ['twotower runs all of them']
      : prose(`twotower lacks ${missing.join(', ')}: what needs them is refused when it is run`)),
  ]
}
