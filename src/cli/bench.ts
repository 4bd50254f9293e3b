import { benchPart, type PartReport } from '../bench/bench.ts'
import { type EngineChoice, type Peer, TFJS } from '../bench/engines.ts'
import { latencyPlot } from '../bench/plot.ts'
import { fits } from '../bench/rows.ts'
import { relaxedSupported } from '../engine/kernels.ts'
import { featuresOf, signaturePart, towerPart } from '../explain/explain.ts'
import { type Part, titleOf } from '../explain/part.ts'
import type { ModelDefinition } from '../graph/index.ts'
import { parseJson } from '../json/parse.ts'
import { ONNX_RUNTIMES, type OnnxRuntime, onnxGraph } from '../reference/onnxruntime.ts'
import { PEERS, startTfjs, tfjsGraph } from '../reference/tfjs.ts'
import type { Row } from '../serve/rows.ts'
import { isMembers } from '../serve/values.ts'
import { openInstance } from '../serve/vertex.ts'
import { inLines, inTitle, type Report } from './benched.ts'
import { EXIT, UsageError } from './exit.ts'
import { definitionAt, type LoadingOptions } from './loading.ts'
import { type Optional, optional } from './optional.ts'
import { openOutput } from './output.ts'
import { drawingWith } from './plotting.ts'
import { countOf, readLines, write } from './stdio.ts'

export interface CommandOptions extends LoadingOptions {
  readonly tower?: string
  readonly signature?: string
  readonly batches: string
  readonly seconds: string
  readonly rows?: readonly string[]
  readonly profile?: boolean
  readonly json?: boolean
  readonly svg?: string
}

/** Measures a model's towers, or one signature, beside tfjs-wasm and ONNX Runtime. The status is 1 where an answer differs. */
export async function bench(path: string, options: CommandOptions): Promise<void> {
  const batches = options.batches.split(',').map((count) => countOf('--batches', count))
  const seconds = Number(options.seconds)
  if (options.seconds.trim() === '' || !(seconds > 0 && seconds < Infinity))
    throw new UsageError(`--seconds wants a number above 0, got ${JSON.stringify(options.seconds)}`)
  const drawing = options.svg === undefined ? null : await drawingWith(latencyPlot)
  const definition = await definitionAt(path, options)
  const parts = partsOf(definition, options)
  const rows = await rowsOf(options.rows ?? [], parts)
  const engines = await enginesHere()
  const { deterministic = false, profile = false } = options
  const about = {
    model: path,
    runtime: runtime(),
    kernels: !deterministic && relaxedSupported() ? 'relaxed' : 'baseline',
    deterministic,
    beside: engines.beside,
    without: engines.without,
  } as const
  const say = (lines: readonly string[]) => {
    if (!options.json) process.stdout.write(`${lines.join('\n')}\n`)
  }
  // What cannot be written is told before anything is measured.
  const output = drawing === null ? null : await openOutput(options.svg)
  const reports: PartReport[] = []
  try {
    say(inTitle(about))
    for (const part of parts) {
      const found = await benchPart(part, { ...engines, batches, seconds, deterministic, rows, profile })
      say(inLines(found))
      reports.push(found)
    }
    if (drawing !== null && output !== null) {
      await write(output.stream, drawing(reports))
      await output.keep()
    }
  } catch (error) {
    await output?.discard()
    throw error
  }
  const report: Report = { ...about, parts: reports }
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  const entries = reports.flatMap(({ batches }) => batches.flatMap((batch) => batch.entries))
  if (entries.some(({ agrees }) => !agrees)) process.exitCode = EXIT.failed
}

const SIDES = ['query', 'candidate'] as const

/** The signature or the tower that is named; else both towers, and where there is none the default signature. */
function partsOf(definition: ModelDefinition, { tower, signature }: CommandOptions): Part[] {
  if (tower !== undefined && signature !== undefined) throw new UsageError('name a --tower or a --signature, not both')
  if (signature !== undefined) return [signaturePart(definition, signature)]
  const side = SIDES.find((name) => name === tower)
  if (tower !== undefined && side === undefined)
    throw new UsageError(`--tower must be query or candidate, got ${JSON.stringify(tower)}`)
  if (side !== undefined) return [towerPart(definition, side)]
  const towers = SIDES.filter((name) => definition.towers[name] !== null)
  if (towers.length > 0) return towers.map((name) => towerPart(definition, name))
  const { signatures, source } = definition
  const only =
    signatures.find(({ name }) => name === 'serving_default') ?? (signatures.length === 1 ? signatures[0] : null)
  if (only !== null) return [signaturePart(definition, only.name)]
  throw new UsageError(
    `${source} has no towers: name a --signature of ${signatures.map(({ name }) => `"${name}"`).join(', ') || 'none'}`,
  )
}

/** The rows of the files. @throws where a line is no row */
async function rowsOf(files: readonly string[], parts: readonly Part[]): Promise<Row[]> {
  const names = parts.flatMap(({ inputs }) => inputs.map(({ name }) => name))
  const rows: Row[] = []
  if (files.length === 0) return rows
  for await (const { text, at } of readLines(files)) {
    try {
      const row = parseJson(text())
      if (!isMembers(row)) throw new TypeError('a row must be a JSON object of features')
      rows.push(openInstance(row, names).features)
    } catch (error) {
      throw new TypeError(`${at}: ${(error as Error).message.replace(/\s+/g, ' ')}`)
    }
  }
  if (rows.length === 0) throw new RangeError(`there is no row in ${files.join(', ')}`)
  if (!parts.some((part) => rows.some((row) => fits(row, featuresOf(part))))) {
    const wanted = parts.map(
      (part) =>
        `${titleOf(part)}: ${featuresOf(part)
          .map(({ name }) => name)
          .join(', ')}`,
    )
    throw new RangeError(
      `no row of ${files.join(', ')} has all the features that are wanted, by the ${wanted.join('; by the ')}`,
    )
  }
  return rows
}

interface Engines extends Pick<Report, 'beside' | 'without'>, Pick<EngineChoice, 'peers' | 'tfjs'> {}

/** The engines that can be loaded, and what to install for the others. */
async function enginesHere(): Promise<Engines> {
  const [peers, beside, without] = [[] as Peer[], {} as Record<string, string>, [] as Report['without'][number][]]
  let tfjs = false
  try {
    const tf = await startTfjs()
    tfjs = true
    beside[TFJS] = tf.version_core
    peers.push({ name: TFJS, layers: async (graph) => tfjsGraph(tf, graph) })
  } catch {
    without.push({ engine: TFJS, why: `npm install ${PEERS.join(' ')}` })
  }
  for (const name of ONNX_RUNTIMES) {
    try {
      const found: Optional<OnnxRuntime> | null = await optional(name)
      if (found === null) without.push({ engine: name, why: `npm install ${name}` })
      else {
        beside[name] = found.version
        peers.push({ name, layers: (graph, ranks) => onnxGraph(found.loaded, name, graph, ranks) })
      }
    } catch (error) {
      without.push({ engine: name, why: `it does not load: ${(error as Error).message.split('\n')[0]}` })
    }
  }
  return { peers, tfjs, beside, without }
}

/** The runtime as `node 20.20.2`, by what it says of itself. */
function runtime(): string {
  const name = ['deno', 'bun', 'node'].find((runtime) => process.versions[runtime] !== undefined)
  return name === undefined ? 'a runtime without a name' : `${name} ${process.versions[name]}`
}
