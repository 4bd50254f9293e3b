import type { Dim, Port } from '../graph/index.ts'

/** `1.8 MB` */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB']
  let [value, unit] = [bytes, 0]
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** `[-1, 64]` as saved_model_cli writes it; `unknown rank` where that is so. */
export const shapeText = (shape: readonly Dim[] | null): string =>
  shape === null ? 'unknown rank' : `[${shape.map((dim) => dim ?? -1).join(', ')}]`

/** Lines of columns, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  return rows.map((row) =>
    (indent + row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] + 2))).join('')).trimEnd(),
  )
}

/** Names, dtypes and shapes of ports. */
export const portRows = (ports: readonly Port[]): string[][] =>
  ports.map(({ name, dtype, shape }) => [name, dtype, shapeText(shape)])
