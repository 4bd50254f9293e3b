import { inWords, type ModelDefinition, type Port, type TowerDefinition } from '../graph/index.ts'

/** Something that both models say of themselves, and say differently; null where one does not say it. */
export interface Change {
  readonly what: string
  readonly a: string | null
  readonly b: string | null
}

/** Signatures, and inputs and outputs of them, that are added, removed or of another dtype or shape. */
export function changedSignatures(a: ModelDefinition, b: ModelDefinition): Change[] {
  const found = changes(portsOf(a), portsOf(b))
  const whole = found.flatMap(({ what, a, b }) => ((a ?? b) === THERE ? [`${what}, `] : []))
  // The ends of a signature that only one has say nothing more.
  return found.filter(({ what }) => !whole.some((signature) => what.startsWith(signature)))
}

/** What a signature's own entry says. */
const THERE = 'there'

/** Towers and their similarity, where they differ. */
export const changedTowers = (a: ModelDefinition, b: ModelDefinition): Change[] => changes(towersOf(a), towersOf(b))

function changes(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): Change[] {
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((what) => ({ what, a: a.get(what) ?? null, b: b.get(what) ?? null }))
    .filter((change) => change.a !== change.b)
}

function portsOf({ signatures }: ModelDefinition): Map<string, string> {
  const found = new Map<string, string>()
  for (const { name, inputs, outputs } of signatures) {
    // The traces of one function share its name.
    let signature = `signature "${name}"`
    for (let i = 2; found.has(signature); i++) signature = `signature "${name}", trace ${i}`
    found.set(signature, THERE)
    for (const port of inputs) found.set(`${signature}, input "${port.name}"`, typed(port))
    for (const port of outputs) found.set(`${signature}, output "${port.name}"`, typed(port))
  }
  return found
}

const typed = ({ dtype, shape }: Port): string =>
  `${dtype} ${shape === null ? 'of unknown rank' : `[${shape.map((dim) => dim ?? -1).join(', ')}]`}`

function towersOf({ towers: { query, candidate, similarity } }: ModelDefinition): Map<string, string> {
  const side = ({ inputs, output }: TowerDefinition) =>
    `${inputs.map(({ name }) => name).join(', ')} → ${typed(output)}`
  return new Map([
    ...(query === null ? [] : [['query tower', side(query)] as const]),
    ...(candidate === null ? [] : [['candidate tower', side(candidate)] as const]),
    ...(similarity === null ? [] : [['similarity', inWords(similarity)] as const]),
  ])
}
