import { random } from '../random.mjs'

/**
 * Vectors one number longer, whose distances rank as the products of these do: to each item what its square lacks of the
 * longest one's, to each query 0 (Bachrach et al., "Speeding up the Xbox recommender system using a Euclidean transformation
 * for inner-product spaces", RecSys 2014).
 */
export function byDistance(data) {
  const { items, queries, width } = data
  const rows = items.length / width
  const squares = Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0
    for (let i = row * width; i < (row + 1) * width; i++) sum += items[i] * items[i]
    return sum
  })
  const most = squares.reduce((a, b) => Math.max(a, b), 0)
  const longer = new Float32Array(rows * (width + 1))
  for (let row = 0; row < rows; row++) {
    longer.set(items.subarray(row * width, (row + 1) * width), row * (width + 1))
    longer[row * (width + 1) + width] = Math.sqrt(most - squares[row])
  }
  return {
    ...data,
    items: longer,
    queries: queries.map((query) => Float32Array.from([...query, 0])),
    width: width + 1,
    metric: 'euclidean',
  }
}

/**
 * The order in which a graph is given the rows: their own, or of a sorted catalogue none, for a graph that first sees one
 * category links the others badly: hnswlib then finds 0.33 of the shop's best where it could find 0.84.
 */
export function insertion({ about, items, width }) {
  const order = Uint32Array.from({ length: items.length / width }, (_, row) => row)
  if (!about.sorted) return order
  const chance = random(7)
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(((chance.next().value + 1) / 2) * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}
