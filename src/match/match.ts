import type { Model } from '../engine/model.ts'
import type { Similarity } from '../graph/index.ts'
import type { Preprocess } from '../preprocess/index.ts'
import type { Members } from '../serve/values.ts'
import { type Difference, isScore } from './compare.ts'
import { deciding } from './decide.ts'
import { startPlans } from './declared.ts'
import { PairSubject } from './pairs.ts'
import type { Declarations, Plan } from './plan.ts'
import { plansOf } from './plans.ts'
import type { RecordedAnswer, RecordedScore, Recordings } from './recording.ts'
import { changed, type Found, neighbours, search, Trials, type Ways } from './search.ts'
import { SignatureSubject, type Subject } from './subject.ts'
import type { KnownVocabulary } from './vocabulary.ts'

export interface MatchOptions {
  /** The signature that was recorded, where neither the recordings nor the model say it. */
  readonly signature?: string
  /** How far a float may be off, relative; a tenth of it absolute. */
  readonly tolerance: number
  /** How often the model is asked at most. */
  readonly limit: number
  readonly vocabularies: readonly KnownVocabulary[]
  /** Declared preprocessing to vary, its vocabularies inline. */
  readonly start?: Preprocess
  /** Called each time before the model is asked. */
  readonly onTry?: () => void
}

/** One decision of the pipeline that was found, in words. */
export interface Decision {
  readonly inputs: readonly string[]
  readonly what: string
  readonly way: string
  /** Other ways that reproduce the recordings too. */
  readonly others: readonly string[]
}

/** What was found. */
export interface Match {
  /** What the recordings were held against, in words. */
  readonly subject: string
  readonly recordings: number
  /** Recorded refusals, which were left out. */
  readonly refusals: number
  /** How often the model was asked; `exhausted` where the limit ended the search. */
  readonly tries: number
  readonly exhausted: boolean
  readonly tolerance: number
  readonly reproduced: boolean
  /** The largest and the mean absolute error of all numbers; null where an instance was refused. */
  readonly largest: number | null
  readonly mean: number | null
  readonly preprocess: Preprocess
  readonly decisions: readonly Decision[]
  /** Of scored pairs: what joins the embeddings, the best first; all of these reproduce the scores where the first does. */
  readonly similarities: readonly (Similarity & { readonly fitted: number })[]
  /** The recordings that are not reproduced. */
  readonly differences: readonly (Partial<Difference> & {
    readonly at: string
    readonly largest: number | null
    readonly refusal?: string
  })[]
  /** An instance to record, which tells the pipeline that was found from so many others. */
  readonly deciding: { readonly instance: Members; readonly apart: number } | null
}

/** Recordings that are tried first; the rest only checks what reproduces these. */
const PROBES = 12
/** What comes nearest to the probes and is tried on all. */
const KEPT = 5

/**
 * Finds the preprocessing, and of scored pairs the similarity, under which `model` answers as was recorded.
 * @param model without preprocessing of its own
 * @throws {RangeError} where there are no recordings, or an input has no feature
 * @throws {TypeError} where a recording does not fit the model
 */
export function match(model: Model, recordings: Recordings, options: MatchOptions): Match {
  const subject = subjectOf(model, recordings, options)
  const started = options.start === undefined ? [] : startPlans(options.start, subject.places)
  const settled = new Set(started.flatMap(({ inputs }) => inputs))
  const plans = [...started, ...plansOf(subject.places, options.vocabularies, settled)]
  // A few tries are for what comes near on the probes.
  const trials = new Trials(subject, plans, options.limit - KEPT, options.onTry ?? (() => {}))
  const all = subject.at.map((_, row) => row)
  const likeliest: Ways = plans.map(likeliestOf)
  const probes = probesOf(subject)
  const near = probes.length === all.length ? [] : search(trials, [likeliest], probes, KEPT)
  trials.allow(KEPT)
  const starts = near.length === 0 ? [likeliest] : near.map(({ ways }) => ways)
  // What does not reproduce a few does not reproduce all: then there is only to see which comes nearest.
  const hopeless = near.length > 0 && near[0].wrong > 0
  const [nearest] = hopeless ? ranked(trials, near, all) : search(trials, starts, all, KEPT)
  if (nearest === undefined) throw new RangeError('nothing was tried: no ways go together')
  const found = nearest.wrong === 0 ? likelier(trials, nearest, all) : nearest
  const tidied = tidy(trials, found, all)
  const open = tidied.wrong === 0 ? alternativesTo(trials, tidied, all) : []
  // What is declared for inputs that were not recorded stays.
  const here = new Set(subject.places.map(({ port }) => port.name))
  const elsewhere = Object.entries(options.start?.inputs ?? {}).filter(([input]) => !here.has(input))
  return reportOf(subject, trials, recordings.refusals, tidied, open, options.tolerance, Object.fromEntries(elsewhere))
}

function subjectOf(model: Model, { answers, scores }: Recordings, { signature, tolerance }: MatchOptions): Subject {
  if (answers.length > 0 && scores.length > 0)
    throw new TypeError('the recordings hold scored pairs and predictions: match them apart')
  if (scores.length > 0) return new PairSubject(model, scores, tolerance)
  if (answers.length === 0) throw new RangeError('there is no recorded answer to match')
  if (signature === undefined && areScores(model, answers))
    return new PairSubject(model, answers.map(asPair), tolerance)
  const names = new Set(answers.map(({ signature }) => signature))
  if (signature === undefined && names.size > 1)
    throw new RangeError(
      `the recordings are of several signatures (${[...names].map((name) => `"${name ?? 'none'}"`).join(', ')}): choose with --signature`,
    )
  const [recorded] = names
  return new SignatureSubject(model, model.signature(signature ?? recorded).name, answers, tolerance)
}

/** True where predictions are one number each, and only two towers together make such. */
function areScores(model: Model, answers: readonly RecordedAnswer[]): boolean {
  const { query, candidate } = model.structure
  if (query === null || candidate === null) return false
  const named = answers.some(({ signature }) => signature !== undefined)
  const scoring = model.signatures.some(({ outputs }) =>
    outputs.some(({ shape }) => shape?.slice(1).every((dim) => dim === 1)),
  )
  return !named && !scoring && answers.every(({ prediction }) => isScore(prediction))
}

function asPair({ at, instance, prediction }: RecordedAnswer): RecordedScore {
  const [score] = [prediction].flat(2)
  const value =
    typeof score === 'object' && score !== null
      ? Object.values(score)
          .flat(2)
          .find((one) => typeof one === 'number')
      : score
  return { at, query: instance as Members, candidate: instance as Members, score: Number(value) }
}

/** The first way of everything; where these do not go together, with as little changed as must be. */
function likeliestOf(plan: Plan): readonly number[] {
  const first = plan.dimensions.map(() => 0)
  const goTogether = (ways: Ways) => plan.declare(ways[0], plan.parameters(ways[0])) !== null
  if (goTogether([first])) return first
  for (const near of neighbours([first], [plan])) if (goTogether(near)) return near[0]
  for (const near of neighbours([first], [plan]))
    for (const far of neighbours(near, [plan])) if (goTogether(far)) return far[0]
  return first
}

/** Recordings that differ in size: the smallest, the largest, and some between. */
function probesOf({ at, places }: Subject): number[] {
  const rows = at.map((_, row) => row)
  if (rows.length <= PROBES) return rows
  const size = (row: number) => places.reduce((sum, { rows }) => sum + JSON.stringify(rows[row], textOfBig).length, 0)
  const bySize = rows.map((row) => [row, size(row)] as const).sort(([, a], [, b]) => a - b)
  return Array.from({ length: PROBES }, (_, i) => bySize[Math.round((i * (rows.length - 1)) / (PROBES - 1))][0])
}

const textOfBig = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** What came near on a few recordings, the nearest to `rows` first. */
const ranked = (trials: Trials, near: readonly Found[], rows: readonly number[]): Found[] =>
  near
    .map(({ ways, parameters }) => trials.at(ways, parameters, rows))
    .filter((found): found is Found => found !== null)
    .sort((a, b) => a.wrong - b.wrong || a.distance - b.distance)

/** Of ways that reproduce everything the likeliest, dimension by dimension. */
function likelier(trials: Trials, found: Found, rows: readonly number[]): Found {
  let best = found
  for (const [i, plan] of trials.plans.entries())
    for (const j of plan.dimensions.keys())
      for (let way = 0; way < best.ways[i][j]; way++) {
        const tried = trials.try(changed(best.ways, i, j, way), rows, best)
        if (tried === null || tried.wrong > 0) continue
        best = tried
        break
      }
  return best
}

/** Fitted numbers with as few digits as reproduce as much. */
function tidy(trials: Trials, found: Found, rows: readonly number[]): Found {
  if (found.parameters.length === 0) return found
  for (let digits = 2; digits <= 8; digits++) {
    const shorter = trials.at(found.ways, found.parameters, rows, digits)
    if (shorter !== null && shorter.wrong <= found.wrong) return shorter
  }
  return found
}

/** True for each plan whose inputs are taken as they are: nothing says then that something was done to them. */
const untouchedIn = (trials: Trials, { declarations }: Found): boolean[] =>
  trials.plans.map(({ inputs }) => inputs.every((input) => declarations[input] === null))

/** Ways that differ in one dimension from `found` and reproduce everything too. */
function alternativesTo(trials: Trials, found: Found, rows: readonly number[]): Found[] {
  const untouched = untouchedIn(trials, found)
  return [...neighbours(found.ways, trials.plans)]
    .filter((ways) => ways.every((own, i) => !untouched[i] || own === found.ways[i]))
    .map((ways) => trials.try(ways, rows, found))
    .filter((tried): tried is Found => tried !== null && tried.wrong === 0)
}

function reportOf(
  subject: Subject,
  trials: Trials,
  refusals: number,
  found: Found,
  equal: readonly Found[],
  tolerance: number,
  elsewhere: Preprocess['inputs'],
): Match {
  const all = subject.at.map((_, row) => row)
  const { outcomes, similarities = [] } = subject.judge(found.declarations, all)
  const finite = (value: number) => (Number.isFinite(value) ? value : null)
  const untouched = untouchedIn(trials, found)
  const features = new Set(
    trials.plans.flatMap((plan, i) =>
      equal.some((other) => other.ways[i].join() !== found.ways[i].join())
        ? plan.inputs.map((input) => found.declarations[input]?.from ?? input)
        : [],
    ),
  )
  const { instance, apart, differ } = deciding(
    subject,
    found.declarations,
    equal.map(({ declarations }) => declarations),
    features,
  )
  // Ways that no instance like the recorded ones tells from the one that was found are no other ways.
  const alternatives = equal.filter((_, i) => differ[i])
  const decisions = trials.plans.flatMap((plan, i) =>
    plan.dimensions.flatMap(({ what, ways }, j): Decision[] => {
      if (ways.length < 2 || untouched[i]) return []
      const others = alternatives.filter((other) => other.ways[i][j] !== found.ways[i][j])
      return [
        {
          inputs: plan.inputs,
          what,
          way: ways[found.ways[i][j]],
          others: others.map((other) => ways[other.ways[i][j]]),
        },
      ]
    }),
  )
  const [best] = similarities
  const alike = similarities.filter(
    ({ outcomes, fitted }) => fitted === best.fitted && outcomes.every(({ reproduced }) => reproduced),
  )
  return {
    subject: subject.name,
    recordings: subject.at.length,
    refusals,
    tries: trials.count,
    exhausted: found.wrong > 0 && (trials.ended || trials.exhausted),
    tolerance,
    reproduced: found.wrong === 0,
    largest: finite(outcomes.reduce((most, { largest }) => Math.max(most, largest), 0)),
    mean: finite(
      outcomes.reduce((sum, one) => sum + one.sum, 0) /
        Math.max(
          1,
          outcomes.reduce((sum, one) => sum + one.count, 0),
        ),
    ),
    preprocess: { version: 1, inputs: { ...elsewhere, ...declaredIn(found.declarations) } },
    decisions,
    similarities: (alike.length > 0 ? alike : similarities.slice(0, 1)).map(({ similarity, fitted }) => ({
      ...similarity,
      fitted,
    })),
    differences: outcomes.flatMap(({ reproduced, largest, worst, refusal }, row) =>
      reproduced
        ? []
        : [{ at: subject.at[row], largest: finite(largest), ...worst, ...(refusal === undefined ? {} : { refusal }) }],
    ),
    deciding: instance === null ? null : { instance, apart },
  }
}

/** The declarations without the inputs that are taken as they are. */
const declaredIn = (declarations: Declarations): Preprocess['inputs'] =>
  Object.fromEntries(
    Object.entries(declarations).flatMap(([name, declared]) => (declared === null ? [] : [[name, declared]])),
  )
