import type { Features, InputValue, Nested, Preparation } from '../engine/inputs.ts'
import type { Port } from '../graph/index.ts'
import { encode } from '../ops/text/bytes.ts'
import { type Folder, readFile } from '../platform/folder.ts'
import { utf8 } from '../tensor/index.ts'
import { stepsOf } from './expand.ts'
import { type Declared, type Preprocess, parsePreprocess, type Step, type Typed } from './schema.ts'
import { compileStep, type Run, type Value } from './steps.ts'

/** One input of the model and how a raw feature becomes it. */
interface Pipeline {
  readonly from: string
  readonly steps: readonly { readonly name: string; readonly run: Run }[]
}

/** Declared preprocessing, ready to run. */
export class Preprocessor implements Preparation {
  private readonly pipelines: ReadonlyMap<string, Pipeline>

  /**
   * @param json what preprocess.json holds, its vocabularies inline
   * @throws {TypeError} where it is not what docs/preprocess.md describes
   */
  constructor(json: unknown) {
    const spec = parsePreprocess(json)
    this.pipelines = new Map(
      Object.entries(spec.inputs).map(([input, declaration]) => [input, pipeline(input, declaration)]),
    )
  }

  /** The features that callers give for `ports`: raw ones where a declaration makes the input, else the input itself. */
  features(ports: readonly Port[]): Port[] {
    const raw = new Map<string, Port>()
    for (const port of ports) {
      const declared = this.pipelines.get(port.name)
      if (declared === undefined) raw.set(port.name, port)
      else raw.set(declared.from, { name: declared.from, dtype: 'string', shape: null })
    }
    return [...raw.values()]
  }

  /**
   * The model's inputs out of raw features, a list of rows each. An input that is given itself is taken as it is.
   * @throws {RangeError} for a feature that is missing, or a value that does not fit, with its row
   * @throws {TypeError} for a value of the wrong kind, with its row
   */
  apply(raw: Features, ports: readonly Port[]): Features {
    // Not by assignment: an input may be called __proto__.
    const made: [string, InputValue][] = []
    const used = new Set<string>()
    for (const port of ports) {
      const declared = this.pipelines.get(port.name)
      const own = Object.hasOwn(raw, port.name)
      if (declared === undefined || (own && declared.from !== port.name)) continue
      if (!Object.hasOwn(raw, declared.from)) {
        throw new RangeError(
          `feature "${declared.from}" is missing: preprocess.json makes the input "${port.name}" of it`,
        )
      }
      used.add(declared.from)
      const values = rowsOf(raw[declared.from], declared.from).map((value, row) =>
        shaped(run(declared, value, row), port),
      )
      made.push([port.name, values as Nested])
    }
    const rest = Object.entries(raw).filter(
      ([name]) => !used.has(name) || ports.some((port) => port.name === name && !this.pipelines.has(name)),
    )
    return Object.fromEntries([...rest, ...made])
  }
}

function pipeline(input: string, declaration: Declared | Typed): Pipeline {
  const steps = stepsOf(declaration).map((step) => {
    try {
      return { name: step.step, run: compileStep(step) }
    } catch (error) {
      throw new TypeError(`preprocess.json: input "${input}", step "${step.step}": ${(error as Error).message}`)
    }
  })
  return { from: declaration.from ?? input, steps }
}

/** One value an instance, where the port has one: bare for `[rows]`, a list of one for `[rows, 1]`, as Vertex writes either. */
export function shaped(value: Value, { shape }: Port): Nested {
  if (shape?.length === 1 && Array.isArray(value) && value.length === 1) return value[0]
  if (shape?.length === 2 && shape[1] === 1 && !Array.isArray(value)) return [value as Nested]
  return value as Nested
}

function run({ from, steps }: Pipeline, value: Value, row: number): Value {
  let at = value
  for (const step of steps) {
    try {
      at = step.run(at)
    } catch (error) {
      const message = `feature "${from}", row ${row}, step "${step.name}": ${(error as Error).message}`
      throw error instanceof TypeError ? new TypeError(message) : new RangeError(message)
    }
  }
  return at
}

/** The rows of a raw feature: a list with text, a number, or a list of them each; null where there is no value. */
function rowsOf(raw: InputValue, name: string): Value[] {
  const rows = typeof raw === 'object' && raw !== null && !Array.isArray(raw) && 'dtype' in raw ? raw.data : raw
  if (!Array.isArray(rows) && !(ArrayBuffer.isView(rows) && !(rows instanceof Uint8Array))) {
    throw new TypeError(`feature "${name}" must be a list with one value a row`)
  }
  return Array.from(rows as ArrayLike<unknown>, (value) => rowValue(value, name))
}

/** One row of the raw feature `name`. @throws {TypeError} where it is no text, number or list of them */
export function rowValue(value: unknown, name: string): Value {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'string') return encode(value)
  if (typeof value === 'number' || value instanceof Uint8Array) return value
  if (typeof value === 'bigint') return encode(String(value))
  if (typeof value === 'boolean') return value ? 1 : 0
  if (Array.isArray(value)) {
    const items = value.map((item) => rowValue(item, name))
    if (items.every((item) => typeof item === 'number' || item instanceof Uint8Array))
      return items as (Uint8Array | number)[]
  }
  throw new TypeError(`feature "${name}": a value must be text, a number or a list of them`)
}

/**
 * `json` with the vocabularies that it names as files read from beside it, so that it stands alone in a bundle.
 * @throws {RangeError} where a file is missing, or is not UTF-8
 */
export async function inlineVocabularies(json: unknown, folder: Folder): Promise<Preprocess> {
  const spec = parsePreprocess(json)
  const inputs: Record<string, Preprocess['inputs'][string]> = {}
  for (const [name, declaration] of Object.entries(spec.inputs)) {
    inputs[name] =
      'steps' in declaration
        ? { ...declaration, steps: await Promise.all(declaration.steps.map((step) => withVocabulary(step, folder))) }
        : await withVocabulary(declaration, folder)
  }
  return { ...spec, inputs }
}

async function withVocabulary<T extends Step | Typed>(item: T, folder: Folder): Promise<T> {
  if (!('vocabulary' in item) || item.vocabulary === undefined || Array.isArray(item.vocabulary)) return item
  const { file } = item.vocabulary as { readonly file: string }
  const bytes = await readFile(folder, file)
  if (bytes === null) throw new RangeError(`vocabulary "${file}" is not beside preprocess.json in ${folder.name}`)
  const text = utf8(bytes)
  if (text === null)
    throw new RangeError(`vocabulary "${file}" in ${folder.name} is not UTF-8: its tokens would be others`)
  // What some editors put before all.
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  if (lines[lines.length - 1] === '') lines.pop()
  return { ...item, vocabulary: lines }
}
