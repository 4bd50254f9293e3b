import * as v from 'valibot'

// preprocess.json: the one description of it. Types, checks and docs/preprocess.schema.json come from here.

const count = v.pipe(v.number(), v.integer(), v.minValue(1))
const id = v.pipe(v.number(), v.integer(), v.minValue(0))
const side = v.picklist(['start', 'end'])

/** Tokens one after the other, or a file beside preprocess.json with a token a line. */
const vocabulary = v.union([v.pipe(v.array(v.string()), v.minLength(1)), v.strictObject({ file: v.string() })])

/** One step from a raw value towards the signature's tensor, named by `step`. */
const step = v.variant('step', [
  v.strictObject({ step: v.literal('lower_case'), unicode: v.optional(v.boolean()) }),
  v.strictObject({ step: v.literal('normalize_unicode'), form: v.picklist(['NFC', 'NFD', 'NFKC', 'NFKD']) }),
  v.strictObject({ step: v.literal('strip_accents') }),
  v.strictObject({ step: v.literal('strip') }),
  v.strictObject({
    step: v.literal('regex_replace'),
    pattern: v.string(),
    rewrite: v.string(),
    all: v.optional(v.boolean()),
  }),
  v.strictObject({ step: v.literal('split'), separator: v.optional(v.string()) }),
  v.strictObject({ step: v.literal('regex_split'), delimiter: v.string() }),
  v.strictObject({ step: v.literal('characters') }),
  v.strictObject({
    step: v.literal('bert_tokens'),
    vocabulary,
    lower_case: v.optional(v.boolean()),
    unknown: v.optional(v.string()),
    suffix: v.optional(v.string()),
    longest: v.optional(count),
  }),
  v.strictObject({ step: v.literal('keep_known'), vocabulary }),
  v.strictObject({ step: v.literal('truncate'), length: count, side: v.optional(side) }),
  v.strictObject({
    step: v.literal('add_tokens'),
    start: v.optional(v.array(v.string())),
    end: v.optional(v.array(v.string())),
  }),
  v.strictObject({
    step: v.literal('lookup'),
    vocabulary,
    oov_ids: v.optional(id),
    mask: v.optional(v.string()),
    offset: v.optional(v.pipe(v.number(), v.integer())),
    default_id: v.optional(v.pipe(v.number(), v.integer())),
  }),
  v.strictObject({
    step: v.literal('hash'),
    buckets: count,
    salt: v.optional(v.tuple([v.number(), v.number()])),
    mask: v.optional(v.string()),
  }),
  v.strictObject({ step: v.literal('pad'), length: count, side: v.optional(side), value: v.optional(v.number()) }),
  v.strictObject({ step: v.literal('fill'), value: v.number() }),
  v.strictObject({ step: v.literal('count') }),
  v.strictObject({ step: v.literal('default'), value: v.union([v.number(), v.string()]) }),
  v.strictObject({ step: v.literal('number') }),
  v.strictObject({ step: v.literal('clip'), min: v.optional(v.number()), max: v.optional(v.number()) }),
  v.strictObject({ step: v.literal('log1p') }),
  v.strictObject({ step: v.literal('standardize'), mean: v.number(), std: v.pipe(v.number(), v.gtValue(0)) }),
  v.strictObject({ step: v.literal('min_max'), min: v.number(), max: v.number() }),
  v.strictObject({ step: v.literal('buckets'), boundaries: v.array(v.number()) }),
  v.strictObject({ step: v.literal('vector'), length: count }),
  v.strictObject({ step: v.literal('one_hot'), depth: count }),
  v.strictObject({ step: v.literal('multi_hot'), depth: count }),
])

/** Vertex AI's feature types, each a name for usual steps (docs/preprocess.md lists them). */
const typed = v.variant('type', [
  v.strictObject({
    type: v.literal('Id'),
    from: v.optional(v.string()),
    vocabulary: v.optional(vocabulary),
    buckets: v.optional(count),
  }),
  v.strictObject({ type: v.literal('Categorical'), from: v.optional(v.string()), vocabulary }),
  v.strictObject({
    type: v.literal('Numeric'),
    from: v.optional(v.string()),
    mean: v.optional(v.number()),
    std: v.optional(v.pipe(v.number(), v.gtValue(0))),
    default: v.optional(v.number()),
  }),
  v.strictObject({
    type: v.literal('Text'),
    from: v.optional(v.string()),
    vocabulary: v.optional(vocabulary),
    buckets: v.optional(count),
    length: count,
    lower_case: v.optional(v.boolean()),
  }),
  v.strictObject({ type: v.literal('Vector'), from: v.optional(v.string()), length: count }),
])

const declared = v.strictObject({ from: v.optional(v.string()), steps: v.pipe(v.array(step), v.minLength(1)) })

/** The whole file: for each input of the model that takes something else than the raw feature, how it is made. */
export const Preprocess = v.strictObject({
  $schema: v.optional(v.string()),
  version: v.literal(1),
  inputs: v.record(v.string(), v.union([typed, declared])),
})

export type Preprocess = v.InferOutput<typeof Preprocess>
export type Step = v.InferOutput<typeof step>
export type Vocabulary = v.InferOutput<typeof vocabulary>
export type Declared = v.InferOutput<typeof declared>
export type Typed = v.InferOutput<typeof typed>

/**
 * `json` as a preprocess.json.
 * @throws {TypeError} that names the place and what is wrong there
 */
export function parsePreprocess(json: unknown): Preprocess {
  const result = v.safeParse(Preprocess, json)
  if (result.success) {
    // A record leaves names out that objects have: an input that was called so would go unprepared.
    const { inputs } = json as Preprocess
    const lost = Object.keys(inputs).find((name) => !Object.hasOwn(result.output.inputs, name))
    if (lost === undefined) return result.output
    throw new TypeError(`preprocess.json: inputs: no input can be called "${lost}" here: give it as the model takes it`)
  }
  const { place, message } = deepest(result.issues)
  throw new TypeError(`preprocess.json: ${place || 'the file'}: ${message}`)
}

/** The place and message of the issue that says most: a union's own says only that none of its branches fits. */
function deepest(issues: readonly v.BaseIssue<unknown>[]): { readonly place: string; readonly message: string } {
  const [first] = issues
  const place = first.path?.map((item) => String(item.key)).join('.') ?? ''
  if (first.issues === undefined || first.issues.length === 0) return { place, message: first.message }
  const branches = first.issues.map((issue) => deepest([issue as v.BaseIssue<unknown>]))
  const best = branches.reduce((a, b) => (b.place.split('.').length > a.place.split('.').length ? b : a))
  return { place: [place, best.place].filter((part) => part !== '').join('.'), message: best.message }
}
