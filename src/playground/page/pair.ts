import type { ExplainedScore } from '../../explain/score.ts'
import { element } from './element.ts'
import { numberText, scoresText } from './words.ts'

/** Features whose influence is shown. */
const MOST = 8

/** What makes the score of a pair: each feature's influence, and the dimensions that count most. */
export function pairView({ value, how, features, dimensions }: ExplainedScore): HTMLElement {
  const largest = Math.max(...features.map(({ change }) => Math.abs(change)), 1e-12)
  return element(
    'div',
    { class: 'pair' },
    element('p', { class: 'pair-score' }, element('strong', {}, scoresText([value])(value)), element('span', {}, how)),
    features.length > 0 && element('h4', {}, 'What each feature adds'),
    features.length > 0 &&
      element(
        'ul',
        { class: 'influences' },
        ...features.slice(0, MOST).map(({ part, feature, change }) => {
          const side = part.startsWith('candidate') ? 'candidate' : 'query'
          const bar = element('span', {
            class: `influence ${side} ${change < 0 ? 'less' : 'more'}`,
            'aria-hidden': 'true',
          })
          bar.style.setProperty('--part', (Math.abs(change) / largest).toFixed(3))
          return element(
            'li',
            {},
            element('span', { class: 'whose' }, `${feature.replaceAll('_', '_\u200b')} `, element('small', {}, side)),
            bar,
            element(
              'span',
              { class: 'change' },
              `${change < 0 ? '−' : '+'}${numberText(Math.abs(Number(change.toPrecision(3))))}`,
            ),
          )
        }),
      ),
    dimensions.length > 0 &&
      element(
        'p',
        { class: 'aside' },
        `Strongest dimensions: ${dimensions.map(({ dimension, contribution }) => `${dimension} (${contribution < 0 ? '−' : '+'}${numberText(Math.abs(Number(contribution.toPrecision(3))))})`).join(', ')}`,
      ),
  )
}
