import type { Port } from '../graph/index.ts'
import type { Step } from '../preprocess/index.ts'
import { type Plan, planOf, type Way } from './plan.ts'
import { declared } from './text.ts'

/** What a number was scaled by: a fixed way, or a mean and a standard deviation that are to be fitted. */
type Scaling =
  | { readonly steps: readonly Step[] }
  | { readonly before: readonly Step[]; readonly mean: number; readonly std: number }

/** The pipelines from a number, or a list of them, to what the graph takes; `values` are all that were recorded. */
export function numbersPlan({ name }: Port, from: readonly string[], values: readonly number[]): Plan {
  const fixed = (words: string, ...steps: Step[]): Way<Scaling> => [words, { steps }]
  const fitted = (words: string, before: readonly Step[], of: readonly number[]): Way<Scaling>[] => {
    const { mean, std } = moments(of)
    return std > 0 ? [[words, { before, mean, std }]] : []
  }
  const positive = values.every((value) => value > -1)
  // Not by Math.min(...values): recordings hold more numbers than a call may have arguments.
  const low = values.reduce((least, value) => Math.min(least, value), Infinity)
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity)
  const ways: Way<Scaling>[] = [
    fixed('as it is'),
    fixed('read as a number', { step: 'number' }),
    ...(positive ? [fixed('log(1 + x)', { step: 'log1p' })] : []),
    ...[10, 100, 1000, 255, 1e6].map((max) => fixed(`divided by ${max}`, { step: 'min_max', min: 0, max })),
    ...(high > low
      ? [fixed('from 0 to 1 between the least and the most recorded', { step: 'min_max', min: low, max: high })]
      : []),
    ...(high > low
      ? [fixed('minus the mean recorded, divided by the deviation', { step: 'standardize', ...moments(values) })]
      : []),
    ...fitted('minus a mean, divided by a deviation, both fitted', [], values),
    ...(positive
      ? fitted(
          'log(1 + x), minus a mean, divided by a deviation, both fitted',
          [{ step: 'log1p' }],
          values.map(Math.log1p),
        )
      : []),
  ]
  return planOf(
    [name],
    {
      from: ['raw feature', from.map((feature): Way<string> => [feature, feature])],
      scaling: ['number', ways],
    },
    ({ from, scaling }, [slope, shift], digits) => {
      if ('steps' in scaling) return declared(name, from, scaling.steps)
      // slope · (x − mean) / std + shift, written as one mean and one deviation.
      if (!(slope > 0)) return null
      const { before, mean, std } = scaling
      const short = (value: number) => (digits === undefined ? value : Number(value.toPrecision(digits)))
      const step: Step = { step: 'standardize', mean: short(mean - (shift * std) / slope), std: short(std / slope) }
      return declared(name, from, [...before, step])
    },
    ({ scaling }) => ('steps' in scaling ? [] : [1, 0]),
  )
}

function moments(values: readonly number[]): { readonly mean: number; readonly std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, std: Math.sqrt(variance) }
}
