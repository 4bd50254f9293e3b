import type { Declared, Step, Typed } from './schema.ts'

/** A declaration by steps: as it is, or what Vertex's feature type stands for. */
export function stepsOf(declaration: Declared | Typed): readonly Step[] {
  if ('steps' in declaration) return declaration.steps
  switch (declaration.type) {
    case 'Id':
      return [identified(declaration, 'Id')]
    case 'Categorical':
      return [{ step: 'lookup', vocabulary: declaration.vocabulary }]
    case 'Numeric': {
      const { mean, std, default: fallback } = declaration
      const steps: Step[] = [{ step: 'number' }]
      if (fallback !== undefined) steps.unshift({ step: 'default', value: fallback })
      if (mean !== undefined || std !== undefined) steps.push({ step: 'standardize', mean: mean ?? 0, std: std ?? 1 })
      return steps
    }
    case 'Text':
      return [
        ...(declaration.lower_case === false ? [] : [{ step: 'lower_case' } as const]),
        { step: 'split' },
        { step: 'truncate', length: declaration.length },
        identified(declaration, 'Text'),
        { step: 'pad', length: declaration.length },
      ]
    case 'Vector':
      return [{ step: 'vector', length: declaration.length }]
  }
}

function identified({ vocabulary, buckets }: Extract<Typed, { type: 'Id' | 'Text' }>, type: string): Step {
  if ((vocabulary === undefined) === (buckets === undefined)) {
    throw new TypeError(`preprocess.json: a feature of type ${type} takes either a vocabulary or a number of buckets`)
  }
  return vocabulary === undefined ? { step: 'hash', buckets: buckets ?? 1 } : { step: 'lookup', vocabulary }
}
