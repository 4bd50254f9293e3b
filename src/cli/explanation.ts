import { float32Text, jsonText } from '../json/text.ts'
import type { Contribution } from '../search/contributions.ts'
import type { Explainer, Explanation } from '../search/explain.ts'

/** Why an item of the answer stands where it does, as JSON. */
export const explanationText = (explanation: Explanation): string => `{${rankText(explanation)}}`

/**
 * Why an item is in the answer, or is not, as JSON; an id that the index has not gives an error in its place.
 * @param found the answer's ids: what an exact search would have found may be missing for having been approximate
 */
export function explainedText(explainer: Explainer, id: string, found: readonly string[]): string {
  let explanation: Explanation
  try {
    explanation = explainer.explain(id)
  } catch (error) {
    return jsonText({ id, error: (error as Error).message })
  }
  const { score } = explanation
  const place = found.includes(id) ? found.indexOf(id) + 1 : null
  const missing = place !== null ? null : (explanation.missing ?? 'approximation')
  return `{"id": ${JSON.stringify(id)}, "score": ${float32Text(score)}, "place": ${place}, "missing": ${JSON.stringify(missing)}, ${rankText(explanation)}}`
}

/** The members that say how an item came to its rank. */
function rankText({ metric, rank, filteredRank, contributions, conditions, crowding }: Explanation): string {
  const held = conditions.map(({ condition, item, holds }) => ({ condition, item, holds }))
  return [
    `"metric": ${rounded(metric)}`,
    `"rank": ${rank}`,
    `"filtered_rank": ${filteredRank}`,
    `"contributions": [${contributions.map(contributionText).join(', ')}]`,
    `"conditions": ${jsonText(held)}`,
    `"crowding": ${jsonText(crowding)}`,
  ].join(', ')
}

const contributionText = ({ dimension, query, item, contribution }: Contribution): string =>
  `{"dimension": ${dimension}, "query": ${rounded(query)}, "item": ${rounded(item)}, "contribution": ${rounded(contribution)}}`

const rounded = (value: number): string => float32Text(Math.fround(value))
