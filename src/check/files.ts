import { CorruptModelError } from '../errors.ts'
import { assetsOf } from '../import/index.ts'
import type { SavedModel, tensorflow } from '../savedmodel/index.ts'

/** What is wrong with a file of a model, in words. */
export interface Problem {
  /** Inside the model's folder; null where the problem is none of a file's. */
  readonly file: string | null
  readonly problem: string
}

/** Different damages of one file that are listed. */
const MOST = 10

/** An error of reading as a problem of the file that it names. */
export function problemOf(error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof CorruptModelError)) return { file: null, problem: message }
  return { file: error.file, problem: message.replace(`${error.file}: `, '') }
}

/** The assets that the graph reads when it starts and that cannot be read. */
export async function problemsOfAssets(
  saved: SavedModel,
  meta: tensorflow.MetaGraphDef.$Properties,
): Promise<Problem[]> {
  const names = new Set(assetsOf(meta).map(({ filename }) => filename ?? ''))
  const found = await Promise.all([...names].map((name) => failure(saved.asset(name))))
  return found.flatMap((error) => (error === null ? [] : [problemOf(error)]))
}

/** What is damaged in the checkpoint: every tensor is read and its checksum compared. */
export async function problemsOfVariables({ checkpoint }: SavedModel): Promise<Problem[]> {
  const found = new Map<string, Problem>()
  for (const key of checkpoint?.entries.keys() ?? []) {
    const error = await failure(checkpoint?.read(key))
    if (!(error instanceof CorruptModelError)) continue
    found.set(error.message, problemOf(error))
    if (found.size === MOST) break
  }
  return [...found.values()]
}

async function failure(work: Promise<unknown> | undefined): Promise<unknown> {
  try {
    await work
    return null
  } catch (error) {
    return error
  }
}
