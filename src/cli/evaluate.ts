import type { Model } from '../engine/model.ts'
import { compileKernels } from '../engine/variants.ts'
import { Evaluation, itemsOf as itemsByName, popularityOf } from '../evaluate/evaluate.ts'
import { type Noticed, type Query, queriesOf } from '../evaluate/interactions.ts'
import { evaluationPlot } from '../evaluate/plot.ts'
import { type Seen, seenOf } from '../evaluate/seen.ts'
import { PopularSystem, type System, TowerSystem } from '../evaluate/system.ts'
import type { ModelDefinition, Port } from '../graph/index.ts'
import { modelOf } from '../load.ts'
import type { ApproximateOptions } from '../search/approximate/options.ts'
import { ExactIndex } from '../search/exact.ts'
import { ItemIndex } from '../search/itemindex.ts'
import type { Report } from './evaluated.ts'
import { inLines } from './evaluated.ts'
import { EXIT, report, UsageError } from './exit.ts'
import { interactionRows } from './interactionrows.ts'
import { itemsOf } from './items.ts'
import { definitionAt, type LoadingOptions, loadOptions } from './loading.ts'
import { openOutput } from './output.ts'
import { drawingWith } from './plotting.ts'
import { Progress } from './progress.ts'
import { notKnown } from './similarity.ts'
import { countOf, shareOf, write } from './stdio.ts'

export interface EvaluateOptions extends LoadingOptions {
  readonly items: string
  readonly interactions: readonly string[]
  readonly k: string
  readonly item: string
  readonly grade?: string
  readonly by: string
  readonly excludeSeen?: string
  readonly int8?: boolean
  readonly approximate?: boolean
  readonly leaves?: string
  readonly against?: readonly string[]
  readonly batch: string
  readonly seed: string
  readonly json?: boolean
  readonly svg?: string
}

/** Queries that are answered together. */
const TOGETHER = 64
/** Bad rows that are told one by one; all are counted. */
const TOLD = 10

/** Measures what a model recommends by held-out interactions, beside the same model in bytes, others, and popularity. */
export async function evaluate(path: string, options: EvaluateOptions): Promise<void> {
  const ks = [...new Set(options.k.split(',').map((count) => countOf('--k', count)))].sort((a, b) => a - b)
  const [batch, seed] = [countOf('--batch', options.batch), seedOf(options.seed)]
  const drawing = options.svg === undefined ? null : await drawingWith(evaluationPlot)
  const { item, by, grade = null } = options
  const members = { item, by, grade }
  const approximate = approximateOf(options)
  const tell = sparing()

  const definitions = await definitionsOf(path, options)
  const seen: Seen =
    options.excludeSeen === undefined ? new Map() : await seenOf(interactionRows([options.excludeSeen], []), members)
  const systems: System[] = []
  let [ids, ports]: [readonly string[], readonly Port[]] = [[], []]
  for (const { name, definition } of definitions) {
    const model = await modelOf(definition, loadOptions(options))
    const found = await indexOf(model, options, batch, systems.length === 0 ? tell : () => {})
    if (systems.length === 0) [ids, ports] = [found.ids, model.structure.query === null ? [] : model.query.features]
    systems.push(new TowerSystem(name, model, found, seen))
    if (approximate !== null && systems.length === 1)
      systems.push(new TowerSystem('approximate', model, await partitioned(found), seen, { approximate }))
  }
  const items = itemsByName(ids)
  const popularity = options.excludeSeen === undefined ? null : popularityOf(items, seen)
  if (popularity !== null) systems.push(new PopularSystem([...items.keys()], popularity, seen))

  const output = drawing === null ? null : await openOutput(options.svg)
  try {
    const evaluation = new Evaluation({ systems, ids, ks, seen, popularity, seed })
    const noticed: Noticed = { rows: 0, bad: 0, repeated: 0, ungraded: 0, again: 0, empty: 0 }
    const progress = new Progress('queries')
    let waiting: Query[] = []
    for await (const query of queriesOf(interactionRows(options.interactions, ports), members, noticed, tell)) {
      waiting.push(query)
      progress.step()
      if (waiting.length < TOGETHER) continue
      await evaluation.add(waiting, tell)
      waiting = []
    }
    await evaluation.add(waiting, tell)
    progress.stop()
    if (evaluation.queries === 0)
      throw new RangeError(`there is no query with a relevant item in ${options.interactions.join(', ')}`)
    const found: Report = {
      model: path,
      items: items.size,
      duplicates: ids.length - items.size,
      interactions: noticed,
      popularity: popularity === null ? 'interactions' : 'seen',
      ...evaluation.report(),
    }
    if (drawing !== null && output !== null) {
      await write(output.stream, drawing(found.systems))
      await output.keep()
    }
    process.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : `${inLines(found).join('\n')}\n`)
  } catch (error) {
    await output?.discard()
    throw error
  }
}

/** What is measured by name: the model, the same in bytes, and others. */
async function definitionsOf(
  path: string,
  options: EvaluateOptions,
): Promise<readonly { readonly name: string; readonly definition: ModelDefinition }[]> {
  const definition = await definitionAt(path, options)
  const isInt8 = inBytes(definition)
  const found = [{ name: isInt8 ? 'int8' : 'float32', definition }]
  if (options.int8) {
    if (isInt8) throw new UsageError(`${path} is in bytes already: --int8 wants the model in floats`)
    const { loadAllOps } = await import('../ops/all.ts')
    const { lower } = await import('../lower/index.ts')
    const bytes = lower(definition, await loadAllOps(), 'int8')
    if (!inBytes(bytes)) throw new UsageError(`${path} has no dense layer that is worth computing in bytes`)
    found.push({ name: 'int8', definition: bytes })
  }
  for (const other of options.against ?? []) found.push({ name: other, definition: await definitionAt(other, options) })
  return found
}

const inBytes = ({ signatures }: ModelDefinition): boolean =>
  signatures.some(({ graph }) => graph.nodes.some(({ op }) => op === 'twotower>DenseInt8'))

async function indexOf(
  model: Model,
  options: EvaluateOptions,
  batch: number,
  bad: (problem: string) => void,
): Promise<ExactIndex> {
  const { similarity, notes } = model.structure
  if (similarity === null) throw notKnown(notes)
  const { ids, vectors } = await itemsOf(model, options.items, batch, bad)
  return new ExactIndex(ids, vectors, similarity, await compileKernels(loadOptions(options)))
}

/** How partitions are looked through; null where they are not asked for. */
function approximateOf({ approximate, leaves }: EvaluateOptions): ApproximateOptions | null {
  if (leaves !== undefined) return { fractionLeafNodesToSearchOverride: shareOf('--leaves', leaves) }
  return approximate ? {} : null
}

/** The same items with partitions. */
async function partitioned({ ids, width, similarity, ranker }: ExactIndex): Promise<ItemIndex> {
  const datapoints = ids.map((id, row) => ({ id, embedding: ranker.vectors.subarray(row * width, (row + 1) * width) }))
  const index = await ItemIndex.of(datapoints, { similarity, width, duplicates: 'last' })
  await index.partition()
  return index
}

/** Tells of what is bad, the first of it; the status is then 1. */
function sparing(): (problem: string) => void {
  let told = 0
  return (problem) => {
    process.exitCode = EXIT.failed
    if (told < TOLD) report(new Error(problem))
    if (++told === TOLD) report(new Error('and so on: what else is bad is counted'))
  }
}

function seedOf(text: string): number {
  if (/^\d+$/.test(text) && Number(text) < 2 ** 32) return Number(text)
  throw new UsageError(`--seed wants a whole number below 2^32, got ${JSON.stringify(text)}`)
}
