import type { tensorflow } from '../savedmodel/index.ts'

// The nested structures of a restored function's arguments and results, and names for the tensors in them.

type Structure = tensorflow.StructuredValue.$Properties
type Spec = tensorflow.TensorSpecProto.$Properties
type Concrete = tensorflow.SavedConcreteFunction.$Properties
type FunctionSpec = tensorflow.FunctionSpec.$Properties

export interface NamedSpec {
  readonly name: string
  readonly spec: Spec
}

/** The parts of a list, tuple or dictionary in tf.nest's order, dictionaries by sorted key; null for a leaf. */
function partsOf(value: Structure): (readonly [key: string, part: Structure])[] | null {
  const list = value.tupleValue?.values ?? value.listValue?.values
  if (list) return list.map((part, i) => [String(i), part])
  if (value.namedTupleValue)
    return (value.namedTupleValue.values ?? []).map((pair) => [pair.key ?? '', pair.value ?? {}])
  const fields = value.dictValue?.fields
  if (!fields) return null
  return Object.keys(fields)
    .sort()
    .map((key) => [key, fields[key]])
}

/** The tensors in `value`, each with the path that leads to it. */
function leavesOf(value: Structure, path: readonly string[] = []): { path: readonly string[]; spec: Spec }[] {
  const spec = value.tensorSpecValue ?? value.boundedTensorSpecValue
  if (spec) return [{ path, spec }]
  return (partsOf(value) ?? []).flatMap(([key, part]) => leavesOf(part, [...path, key]))
}

/** Results by their keys, of a dictionary, and by the path behind those where they hold more; else by their places. */
export function resultsOf(value: Structure): NamedSpec[] {
  const named = value.dictValue?.fields ?? value.namedTupleValue
  return leavesOf(value).map(({ path, spec }, i) => ({ name: named ? path.join('_') : `output_${i}`, spec }))
}

/**
 * The tensors that a function takes. Those of a dictionary that is an argument are written flat, by their keys, where no
 * two are called the same; others have the names that they were traced with.
 */
export function argumentsOf(def: Concrete | undefined): NamedSpec[] {
  const leaves = leavesOf(def?.canonicalizedInputSignature ?? {})
  const traced = leaves.map(({ spec }) => spec.name ?? '')
  const args = def?.canonicalizedInputSignature?.tupleValue?.values?.[0]
  const flat = leaves.map(({ path: [, at, ...rest], spec }) => {
    const argument = args === undefined ? undefined : partsOf(args)?.[Number(at)]?.[1]
    return argument?.dictValue && rest.length > 0 ? rest.join('_') : (spec.name ?? '')
  })
  const names = new Set(flat).size === flat.length ? flat : traced
  return leaves.map(({ spec }, i) => ({ name: names[i], spec }))
}

/** The Python values, other than its defaults, that a trace was made for: `training=true`. Empty where there are none. */
export function chosenBy(def: Concrete | undefined, spec: FunctionSpec | null | undefined): string {
  const [args, keywords] = def?.canonicalizedInputSignature?.tupleValue?.values ?? []
  const full = new Map((spec?.fullargspec?.namedTupleValue?.values ?? []).map(({ key, value }) => [key, value]))
  const listed = (key: string): readonly Structure[] => {
    const value = full.get(key)
    return value?.listValue?.values ?? value?.tupleValue?.values ?? []
  }
  const names = listed('args').map((name) => name.stringValue ?? '')
  const defaults = listed('defaults')
  const positional = (args === undefined ? null : partsOf(args)) ?? []
  // A method's own object is among the names only.
  const self = spec?.isMethod ? 1 : 0
  const chosen = positional.map(([, value], i) => {
    const fallback = defaults[i + self - (names.length - defaults.length)]
    return [names[i + self] ?? String(i), literal(value), literal(fallback)] as const
  })
  const named = new Map(Object.entries(full.get('kwonlydefaults')?.dictValue?.fields ?? {}))
  for (const [key, value] of (keywords === undefined ? null : partsOf(keywords)) ?? [])
    chosen.push([key, literal(value), literal(named.get(key))])
  return chosen
    .filter(([, value, fallback]) => value !== null && value !== fallback)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}

/** A bool, number or string as JSON writes it; null for anything else. */
function literal(value: Structure | undefined): string | null {
  switch (value?.kind) {
    case 'boolValue':
      return String(value.boolValue)
    case 'int64Value':
      return String(value.int64Value)
    case 'float64Value':
      return String(value.float64Value)
    case 'stringValue':
      return JSON.stringify(value.stringValue)
    default:
      return null
  }
}
