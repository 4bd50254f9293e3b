import { define } from '../define.ts'
import { UnsupportedOpError } from '../errors.ts'
import type { ModelDefinition, Signature, Similarity, TowerDefinition } from '../graph/index.ts'
import { chooseMetaGraph, type ImportOptions } from '../import/index.ts'
import { readBundle } from '../load.ts'
import { type Folder, readFile } from '../platform/folder.ts'
import { readSavedModel, type SavedModel } from '../savedmodel/index.ts'
import { MANIFEST } from '../weights/index.ts'
import { adviceOn } from './advice.ts'
import { Callers } from './callers.ts'
import { importDry, missingInLoading } from './dry.ts'
import { type Problem, problemOf, problemsOfAssets, problemsOfVariables } from './files.ts'
import { type MissingNode, missingOf, type Unfilled, unfilledOf } from './missing.ts'

/** Whether a model can be run, and what stands in the way; docs/cli.md documents the members. */
export interface Readiness {
  readonly kind: 'SavedModel' | 'bundle'
  readonly ready: boolean
  /** What is wrong with the files. */
  readonly problems: readonly Problem[]
  /** What loading the model needs and twotower lacks: as long as there is any, no signature can be run. */
  readonly loading: readonly Missing[]
  readonly signatures: readonly {
    readonly name: string
    readonly ready: boolean
    readonly missing: readonly (Missing & {
      readonly features: readonly string[]
      readonly outputs: readonly string[]
    })[]
  }[]
  readonly towers: {
    readonly query: ReadyTower | null
    readonly candidate: ReadyTower | null
    readonly similarity: Similarity | null
    readonly notes: readonly string[]
  }
}

/** A missing op with where it stands, what it is, and what to do about it. */
interface Missing extends MissingNode {
  /** The functions of the export that it stands in, the outermost first. */
  readonly functions: readonly string[]
  readonly kind: string
  readonly todo: string
}

interface ReadyTower {
  readonly signature: string
  readonly inputs: readonly string[]
  readonly output: string
  readonly ready: boolean
}

const NO_TOWERS = { query: null, candidate: null, similarity: null, notes: [] }

/** Checks the model in `folder` without running anything but what fills its tables. */
export async function check(folder: Folder, tags?: readonly string[]): Promise<Readiness> {
  const kind = (await readFile(folder, MANIFEST)) === null ? 'SavedModel' : 'bundle'
  const options = tags === undefined ? {} : { tags }
  let definition: ModelDefinition
  try {
    definition = kind === 'bundle' ? await readBundle(folder) : await define(folder, options)
  } catch (error) {
    if (kind === 'SavedModel') return diagnosed(folder, error, options)
    return { kind, ready: false, problems: [problemOf(error)], loading: [], signatures: [], towers: NO_TOWERS }
  }
  const { signatures, towers } = definition
  const lacking = signatures.filter((signature) => missingOf(signature).length + unfilledOf(signature).length > 0)
  // The export is read again only where its functions are to be named.
  const saved = kind === 'bundle' || lacking.length === 0 ? null : await readSavedModel(folder)
  const callers = new Callers(saved?.metaGraphs ?? [])
  const checked = signatures.map((signature) => checkedSignature(signature, callers))
  const problems: Problem[] = []
  for (const signature of lacking) {
    const unfilled = unfilledOf(signature)
    if (unfilled.length === 0) continue
    const fills = saved === null ? [] : await missingInLoading(saved, { ...options, signatures: [signature.name] })
    if (fills.length === 0) problems.push(...neverFilled(signature.name, unfilled, saved))
    const at = signatures.indexOf(signature)
    const blocked = {
      features: [...new Set(unfilled.flatMap(({ features }) => features))],
      outputs: [...new Set(unfilled.flatMap(({ outputs }) => outputs))],
    }
    const missing = [...fills.map((found) => ({ ...explained(found, callers), ...blocked })), ...checked[at].missing]
    checked[at] = { ...checked[at], ready: false, missing }
  }
  const side = (tower: TowerDefinition | null): ReadyTower | null => tower && readyTower(tower)
  return verdict({
    kind,
    problems,
    loading: [],
    signatures: checked,
    towers: {
      query: side(towers.query),
      candidate: side(towers.candidate),
      similarity: towers.similarity,
      notes: towers.notes,
    },
  })
}

/** Why there is nothing in what a signature reads, where no op is missing that would fill it. */
function neverFilled(signature: string, unfilled: readonly Unfilled[], saved: SavedModel | null): Problem[] {
  const gone = saved?.checkpoint === null ? unfilled.filter(({ kind }) => kind === 'variable') : []
  const others = unfilled.filter((found) => !gone.includes(found))
  const problems = others.map(({ kind, name, outputs }): Problem => {
    const advice =
      kind === 'table'
        ? 'save it with its initialiser (in TF1 main_op=tf.tables_initializer())'
        : 'save the model with its variables'
    const reads = `signature "${signature}" reads ${kind} "${name}" for ${outputs.join(', ')}`
    return { file: null, problem: `${reads}, but nothing in the export fills it: ${advice}` }
  })
  if (gone.length === 0) return problems
  const such = `signature "${signature}" reads ${gone.length} variable(s), such as "${gone[0].name}"`
  return [
    { file: 'variables/variables.index', problem: `missing: ${such}; copy the folder variables/ too` },
    ...problems,
  ]
}

function checkedSignature(signature: Signature, callers: Callers): Readiness['signatures'][number] {
  const missing = missingOf(signature).map((found) => ({ ...found, ...explained(found, callers) }))
  return { name: signature.name, ready: missing.length === 0, missing }
}

const explained = (found: MissingNode, callers: Callers): Missing => ({
  ...found,
  functions: callers.of(found.node),
  ...adviceOn(found.op),
})

function readyTower({ signature, inputs, output, graph }: TowerDefinition): ReadyTower {
  const checked = { inputs, outputs: [output], graph }
  return {
    signature,
    inputs: inputs.map(({ name }) => name),
    output: output.name,
    ready: missingOf(checked).length + unfilledOf(checked).length === 0,
  }
}

const NOTHING_TO_RUN: Problem = {
  file: null,
  problem:
    'nothing in it can be run: it was saved without signatures, and its root object has no functions; save it with tf.saved_model.save(model, folder, signatures={"serving_default": function})',
}

/** A model is ready where there is something to run and nothing in the way. */
function verdict(found: Omit<Readiness, 'ready'>): Readiness {
  const { signatures, loading } = found
  const empty = signatures.length === 0 && found.problems.length === 0 && loading.length === 0
  const problems = empty ? [NOTHING_TO_RUN] : found.problems
  const ready = problems.length === 0 && loading.length === 0 && signatures.every((signature) => signature.ready)
  return { ...found, problems, ready }
}

/** Why the SavedModel in `folder`, of which reading ended with `error`, is not ready: all that is wrong, not the first. */
async function diagnosed(folder: Folder, error: unknown, options: ImportOptions): Promise<Readiness> {
  const failed = { kind: 'SavedModel', loading: [], signatures: [], towers: NO_TOWERS } as const
  let saved: SavedModel
  let meta: ReturnType<typeof chooseMetaGraph>
  try {
    saved = await readSavedModel(folder)
    meta = chooseMetaGraph(saved, options.tags)
  } catch (unreadable) {
    return verdict({ ...failed, problems: [problemOf(unreadable)] })
  }
  const problems = await problemsOfAssets(saved, meta)
  if (problemOf(error).file?.startsWith('variables/')) problems.push(...(await problemsOfVariables(saved)))
  const signatures = await orNone(importDry(saved, options))
  const loading = await orNone(missingInLoading(saved, options))
  if (error instanceof UnsupportedOpError && !loading.some(({ node }) => node === error.node))
    loading.push({ op: error.op, node: error.node, inside: [] })
  if (problems.length === 0 && loading.length === 0) problems.push(problemOf(error))
  const callers = new Callers(saved.metaGraphs)
  return verdict({
    ...failed,
    problems,
    loading: loading.map((found) => explained(found, callers)),
    signatures: signatures.map((signature) => ({ ...checkedSignature(signature, callers), ready: false })),
  })
}

/** What can be built; where it cannot, the error that is known already says why. */
async function orNone<T>(work: Promise<T[]>): Promise<T[]> {
  try {
    return await work
  } catch {
    return []
  }
}
