import { define } from '../define.ts'
import { constantOf, functionsOf, type Graph, inWords, type ModelDefinition, type Table } from '../graph/index.ts'
import { chooseMetaGraph } from '../import/index.ts'
import { familyOf } from '../ops/index.ts'
import { readFile } from '../platform/folder.ts'
import { folderAt } from '../platform/open.ts'
import { readSavedModel } from '../savedmodel/index.ts'
import { isNumeric, sizeOf, type Tensor } from '../tensor/index.ts'
import { MANIFEST } from '../weights/index.ts'
import { tagsOf } from './stdio.ts'
import { bytesText, portRows, shapeText, table } from './words.ts'

export interface InspectOptions {
  readonly json?: boolean
  readonly tags?: string
}

/** What `inspect --json` prints. */
interface Report {
  readonly kind: 'SavedModel' | 'bundle'
  readonly metaGraphs: readonly { readonly tags: readonly string[]; readonly tensorflow: string }[]
  readonly signatures: readonly {
    readonly name: string
    readonly method: string
    readonly inputs: readonly object[]
    readonly outputs: readonly object[]
  }[]
  readonly variables: readonly {
    readonly name: string
    readonly dtype: string
    readonly shape: readonly number[]
    readonly bytes: number
  }[]
  readonly tables: readonly {
    readonly name: string
    readonly keys: string
    readonly values: string
    readonly size: number
    readonly first: readonly string[]
  }[]
  readonly assets: readonly { readonly name: string; readonly byteLength: number }[]
  readonly ops: readonly { readonly op: string; readonly count: number; readonly supported: boolean }[]
  readonly towers: {
    readonly query: readonly string[] | null
    readonly candidate: readonly string[] | null
    readonly similarity: object | null
    readonly notes: readonly string[]
  }
}

const FIRST = 5

/** Shows what a model holds: for people, or as JSON. */
export async function inspect(path: string, options: InspectOptions): Promise<void> {
  const report = await reportOf(path, options)
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${inText(path, report).join('\n')}\n`)
}

async function reportOf(path: string, options: InspectOptions): Promise<Report> {
  const folder = await folderAt(path)
  if ((await readFile(folder, MANIFEST)) !== null) {
    const { readBundle } = await import('../load.ts')
    return { kind: 'bundle', metaGraphs: [], assets: [], variables: [], ...contents(await readBundle(folder)) }
  }
  const saved = await readSavedModel(folder)
  const { tags } = tagsOf(options)
  chooseMetaGraph(saved, tags)
  const definition = await define(folder, tagsOf(options))
  const variables = [...(saved.checkpoint?.entries.values() ?? [])]
    .filter(
      (entry) =>
        entry.dtype !== null &&
        !/^(_CHECKPOINTABLE_OBJECT_GRAPH$|save_counter)|\.OPTIMIZER_SLOT|^keras_api\//.test(entry.key),
    )
    .map(({ key, dtype, shape, size }) => ({
      name: key.replace(/\/\.ATTRIBUTES\/VARIABLE_VALUE$/, ''),
      dtype: dtype ?? '',
      shape,
      bytes: size,
    }))
  return {
    kind: 'SavedModel',
    metaGraphs: saved.metaGraphs.map((meta) => ({
      tags: meta.metaInfoDef?.tags ?? [],
      tensorflow: meta.metaInfoDef?.tensorflowVersion ?? '',
    })),
    assets: saved.assets,
    variables,
    ...contents(definition),
  }
}

function contents(definition: ModelDefinition): Pick<Report, 'signatures' | 'tables' | 'ops' | 'towers'> {
  const ports = (list: ModelDefinition['signatures'][number]['inputs']) =>
    list.map(({ name, dtype, shape }) => ({ name, dtype, shape }))
  const { query, candidate, similarity, notes } = definition.towers
  const [counts, tables] = [new Map<string, number>(), new Map<string, Table>()]
  for (const { graph } of definition.signatures) survey(graph, counts, tables)
  return {
    signatures: definition.signatures.map(({ name, method, inputs, outputs }) => ({
      name,
      method,
      inputs: ports(inputs),
      outputs: ports(outputs),
    })),
    tables: [...tables.values()].map((held) => ({
      name: held.name,
      keys: held.keyDtype,
      values: held.valueDtype,
      size: held.size,
      first: held.initialized ? first(held.export().keys) : [],
    })),
    ops: [...counts]
      .map(([op, count]) => ({ op, count, supported: familyOf(op) !== undefined }))
      .sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1)),
    towers: {
      query: query?.inputs.map((port) => port.name) ?? null,
      candidate: candidate?.inputs.map((port) => port.name) ?? null,
      similarity,
      notes,
    },
  }
}

function survey(graph: Graph, counts: Map<string, number>, tables: Map<string, Table>): void {
  for (const node of graph.nodes) {
    const held = constantOf({ node, index: 0 })
    if (held === null && node.op !== 'Parameter') counts.set(node.op, (counts.get(node.op) ?? 0) + 1)
    if (held?.dtype === 'resource') {
      const resource = held.data[0] as Table
      if (resource.kind === 'table') tables.set(resource.name, resource)
    }
    for (const inner of functionsOf(node)) survey(inner, counts, tables)
  }
}

function first(keys: Tensor): string[] {
  const count = Math.min(FIRST, sizeOf(keys.shape))
  return Array.from({ length: count }, (_, i) =>
    keys.dtype === 'string' ? keys.data.text(i) : isNumeric(keys) ? String(keys.data[i]) : '',
  )
}

function inText(path: string, report: Report): string[] {
  const lines = [`${path}: ${report.kind}`]
  for (const { tags, tensorflow } of report.metaGraphs)
    lines.push(`meta graph [${tags.join(', ')}] of TensorFlow ${tensorflow || 'unknown'}`)
  if (report.signatures.length === 0)
    lines.push(
      '',
      'It has no signature that can be run: neither signatures nor functions of its root object were exported.',
    )
  for (const signature of report.signatures) {
    lines.push('', `signature "${signature.name}"${signature.method ? `  (${signature.method})` : ''}`)
    lines.push('  inputs', ...table(portRows(signature.inputs as never), '    '))
    lines.push('  outputs', ...table(portRows(signature.outputs as never), '    '))
  }
  const { towers } = report
  lines.push('', 'towers')
  for (const side of ['query', 'candidate'] as const)
    lines.push(`  ${side.padEnd(11)}${towers[side]?.join(', ') ?? 'none found'}`)
  lines.push(`  similarity ${towers.similarity === null ? 'not known' : inWords(towers.similarity as never)}`)
  for (const note of towers.notes) lines.push(`    ${note}`)
  if (report.tables.length > 0) {
    lines.push('', 'vocabularies and tables')
    const rows = report.tables.map((held) => [
      held.name,
      `${held.keys} → ${held.values}`,
      `${held.size} entries`,
      `${held.first.map((key) => JSON.stringify(key)).join(' ')}${held.size > FIRST ? ' …' : ''}`,
    ])
    lines.push(...table(rows, '  '))
  }
  if (report.variables.length > 0) {
    const total = report.variables.reduce((sum, variable) => sum + variable.bytes, 0)
    lines.push('', `variables (${report.variables.length}, ${bytesText(total)})`)
    lines.push(
      ...table(
        report.variables.map(({ name, dtype, shape, bytes }) => [name, dtype, shapeText(shape), bytesText(bytes)]),
        '  ',
      ),
    )
  }
  if (report.assets.length > 0)
    lines.push(
      '',
      'assets',
      ...table(
        report.assets.map(({ name, byteLength }) => [name, bytesText(byteLength)]),
        '  ',
      ),
    )
  const missing = report.ops.filter((entry) => !entry.supported)
  lines.push(
    '',
    `ops (${report.ops.length} kinds)`,
    ...wrapped(
      report.ops.map(({ op, count }) => (count > 1 ? `${op}×${count}` : op)),
      '  ',
    ),
  )
  lines.push(
    missing.length === 0
      ? 'twotower runs all of them'
      : `twotower lacks: ${missing.map((entry) => entry.op).join(', ')}`,
  )
  return lines
}

/** Words in lines of 80 columns. */
function wrapped(words: readonly string[], indent: string): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines[lines.length - 1]
    if (last !== undefined && last.length + 1 + word.length <= 80) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(indent + word)
  }
  return lines
}
