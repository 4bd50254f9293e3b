import { type Readiness, check as ready } from '../check/check.ts'
import { inWords } from '../graph/index.ts'
import { folderAt } from '../platform/open.ts'
import { EXIT } from './exit.ts'
import { tagsOf } from './stdio.ts'
import { counted, wrapped } from './words.ts'

export interface CheckOptions {
  readonly json?: boolean
  readonly tags?: string
}

type Towers = Readiness['towers']
type Missing = Readiness['loading'][number] | Readiness['signatures'][number]['missing'][number]

/** Says of each signature whether it can be run, and what is missing where it cannot. Fails where one cannot. */
export async function check(path: string, options: CheckOptions): Promise<void> {
  const found = await ready(await folderAt(path), tagsOf(options).tags)
  process.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : `${inText(path, found).join('\n')}\n`)
  if (!found.ready) process.exitCode = EXIT.failed
}
function inText(path: string, { kind, ready, problems, loading, signatures, towers }: Readiness): string[] {
  const lines = [`${path}: ${kind}, ${ready ? 'ready' : 'NOT ready'}`]
  if (problems.length > 0) lines.push('', `files: ${counted(problems.length, 'problem')}`)
  for (const { file, problem } of problems)
    lines.push(...prose(file === null ? problem : `${file}: ${problem}`, '  ', '    '))
  if (loading.length > 0)
    lines.push('', `loading: ${counted(loading.length, 'node')} missing, so nothing can be run`, ...nodes(loading))
  for (const { name, ready, missing } of signatures) {
    const why = missing.length > 0 ? `, ${counted(missing.length, 'node')} missing` : ready ? '' : ', see above'
    lines.push('', `signature "${name}": ${ready ? 'ready' : `NOT ready${why}`}`, ...nodes(missing))
  }
  return [...lines, ...towersText(towers)]
}
const prose = (text: string, indent: string, deeper = indent): string[] => wrapped(text.split(' '), indent, deeper)
/** The label of a line about a node, and what stands after it. */
const line = (label: string, text: string): string[] => prose(text, `    ${label.padEnd(12)}`, ' '.repeat(16))
/** The nodes by their ops, so that the advice stands once. */
function nodes(missing: readonly Missing[]): string[] {
  const byOp = new Map<string, Missing[]>()
  for (const found of missing) byOp.set(found.op, [...(byOp.get(found.op) ?? []), found])
  return [...byOp].flatMap(([op, all]) => [
    `  ${op} (${all[0].kind})`,
    ...line('what to do', all[0].todo),
    ...all.flatMap((found) => [
      ...line('node', found.node),
      ...(found.functions.length === 0 ? [] : line('  function', found.functions.join(' → '))),
      ...(found.inside.length === 0 ? [] : line('  only in', found.inside.join(' → '))),
      ...('features' in found ? line('  feature', found.features.join(', ') || 'none: it depends on no input') : []),
      ...('outputs' in found ? line('  blocks', found.outputs.join(', ')) : []),
    ]),
  ])
}

function towersText({ query, candidate, similarity, notes }: Towers): string[] {
  if (query === null && candidate === null && notes.length === 0) return []
  const side = (label: string, tower: Towers['query']) =>
    prose(
      tower === null
        ? 'none found'
        : `${tower.ready ? 'ready' : 'NOT ready'}: ${tower.inputs.join(', ')} → ${tower.output}`,
      `  ${label.padEnd(11)}`,
      ' '.repeat(13),
    )
  return [
    '',
    'towers',
    ...side('query', query),
    ...side('candidate', candidate),
    `  similarity ${similarity === null ? 'not known' : inWords(similarity)}`,
    ...notes.flatMap((note) => prose(note, '    ', '      ')),
  ]
}
