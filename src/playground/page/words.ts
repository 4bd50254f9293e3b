/** `1.8 MB` */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB']
  let [value, unit] = [bytes, 0]
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** `38 µs`, `1.2 ms`, `3.4 s` */
export function timeText(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds < 10 ? microseconds.toFixed(1) : Math.round(microseconds)} µs`
  if (microseconds < 1e6) return `${(microseconds / 1000).toFixed(microseconds < 1e4 ? 1 : 0)} ms`
  return `${(microseconds / 1e6).toFixed(1)} s`
}

/** `3,200` */
export const countText = (count: number): string => count.toLocaleString('en')

/** Up to four digits that count. */
export const numberText = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))

/** Writes scores with as many digits after the point as the largest of them asks for, so that they stand in a column. */
export function scoresText(scores: readonly number[]): (score: number) => string {
  const largest = Math.max(...scores.map(Math.abs))
  const digits = largest > 0 && Number.isFinite(largest) ? Math.ceil(2.5 - Math.log10(largest)) : 3
  return (score) => score.toFixed(Math.min(7, Math.max(0, digits)))
}

/** `[rows, 64]`: a dimension that the batch decides has no number. */
export const shapeText = (shape: readonly (number | null)[] | null): string =>
  shape === null ? 'any shape' : `[${shape.map((dim, i) => dim ?? (i === 0 ? 'rows' : 'any')).join(', ')}]`
