import type { Features } from '../engine/model.ts'
import { explain as explained, featuresOf, type Question, signaturePart, towerPart } from '../explain/explain.ts'
import type { ModelDefinition, Port } from '../graph/index.ts'
import { type Json, parseJson } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import { loadAllOps } from '../ops/all.ts'
import { columnsOf } from '../serve/rows.ts'
import { isBytes, isMembers, type Members, nested } from '../serve/values.ts'
import { openInstance } from '../serve/vertex.ts'
import { inLines } from './explained.ts'
import { definitionAt, type LoadingOptions } from './loading.ts'
import { readText } from './stdio.ts'

export interface ExplainOptions extends LoadingOptions {
  readonly signature?: string
  readonly json?: boolean
}

const SIDES = ['query', 'candidate'] as const

/** Follows one instance from its raw values to the score, for people or as JSON. */
export async function explain(path: string, input: string, options: ExplainOptions): Promise<void> {
  const [definition, json] = [await definitionAt(path, options), instanceOf(await inputText(input))]
  const explanation = explained(definition, question(definition, json, options), await loadAllOps())
  process.stdout.write(
    options.json ? `${jsonText(explanation as unknown as Json)}\n` : `${inLines(explanation).join('\n')}\n`,
  )
}

/** JSON as it stands, a file of it, or `-` for standard input. */
function inputText(input: string): Promise<string> {
  if (/^\s*[{["]/.test(input)) return Promise.resolve(input)
  return readText(input)
}

/** @throws {TypeError} where the instance is not JSON */
function instanceOf(text: string): Json {
  try {
    return parseJson(text)
  } catch (error) {
    throw new TypeError(`the instance is not JSON: ${(error as Error).message}`)
  }
}

/** What is asked: of the signature that is named, of the towers that are named, or of the towers that the features fit. */
function question(definition: ModelDefinition, json: Json, { signature }: ExplainOptions): Question {
  if (signature !== undefined) return ofSignature(definition, signature, json)
  if (isMembers(json) && SIDES.some((side) => json[side] !== undefined && isMembers(json[side]))) {
    const { towers } = definition
    if (towers.similarity === null && towers.joint !== null)
      return ofSignature(definition, towers.joint.signature, { ...members(json.query), ...members(json.candidate) })
    return Object.fromEntries(
      SIDES.flatMap((side) => (isMembers(json[side]) ? [[side, ofTower(definition, side, json[side])]] : [])),
    )
  }
  const row = isMembers(json) ? json : {}
  const fitting = SIDES.filter((side) => definition.towers[side] !== null && fits(row, portsOf(definition, side)))
  if (fitting.length > 0) return Object.fromEntries(fitting.map((side) => [side, ofTower(definition, side, row)]))
  return ofSignature(definition, defaultSignature(definition), json)
}

const members = (json: Json | undefined): Members => (json !== undefined && isMembers(json) ? json : {})

const portsOf = (definition: ModelDefinition, side: 'query' | 'candidate'): readonly Port[] =>
  featuresOf(towerPart(definition, side))

/** True where a row has what the tower needs; one that has nothing of a tower with defaults is none of its rows. */
function fits(row: Members, ports: readonly Port[]): boolean {
  const { features } = openInstance(row, names(ports))
  const has = ({ name }: Port) => Object.hasOwn(features, name)
  return ports.every((port) => has(port) || port.fallback !== undefined) && ports.some(has)
}

const names = (ports: readonly Port[]): string[] => ports.map(({ name }) => name)

function ofTower(definition: ModelDefinition, side: 'query' | 'candidate', row: Members): Features {
  const ports = portsOf(definition, side)
  return columnsOf([openInstance(row, names(ports)).features], ports)
}

function ofSignature(definition: ModelDefinition, signature: string, json: Json): Question {
  const ports = featuresOf(signaturePart(definition, signature))
  // The only input's bare value, which may be bytes.
  const bare = ports.length === 1 && (!isMembers(json) || isBytes(json))
  if (!bare && !isMembers(json))
    throw new TypeError(`an instance must be an object of features (${names(ports).join(', ')}), got ${jsonText(json)}`)
  const row = bare ? { [ports[0].name]: json } : members(json)
  const { features } = openInstance(row, names(ports))
  const [whole, rows] = [
    ports.filter(({ shape }) => shape?.length === 0),
    ports.filter(({ shape }) => shape?.length !== 0),
  ]
  const scalars = whole
    .filter(({ name }) => Object.hasOwn(features, name))
    .map(({ name }) => [name, nested(features[name], name)])
  return { signature, features: { ...columnsOf([features], rows), ...Object.fromEntries(scalars) } }
}

/** @throws {RangeError} where there are several, or none */
function defaultSignature({ signatures, towers, source }: ModelDefinition): string {
  const found =
    signatures.find(({ name }) => name === 'serving_default') ?? (signatures.length === 1 ? signatures[0] : undefined)
  if (found !== undefined) return found.name
  const sides = SIDES.flatMap((side) =>
    towers[side] === null ? [] : [`the ${side} tower takes ${towers[side].inputs.map(({ name }) => name).join(', ')}`],
  )
  const known = signatures.map(({ name }) => `"${name}"`).join(', ') || 'none'
  const fitting = sides.length === 0 ? '' : `the input has not all features of a tower: ${sides.join('; ')}; or `
  throw new RangeError(`${fitting}name a --signature; ${source} has ${known}`)
}
