import type { Dim } from '../graph/index.ts'

/** What a terminal is wide where nobody says otherwise. */
const COLUMNS = 80

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

/** `3 signatures`, `1 signature` */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Lines of columns, each as wide as its widest cell. A first cell that would push the rest past 80 stands on a line of its own. */
export function table(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const others = widths.slice(1).reduce((sum, width) => sum + width + 2, 0)
  const room = Math.max(COLUMNS - indent.length - others, 2)
  const fitting = rows.map(([cell]) => cell.length).filter((length) => length <= room)
  widths[0] = Math.max(0, ...fitting)
  return rows.flatMap(([first, ...rest]) => {
    const line = (cell: string) =>
      (
        indent + [cell, ...rest].map((text, i) => (i === rest.length ? text : text.padEnd(widths[i] + 2))).join('')
      ).trimEnd()
    return first.length <= widths[0] ? [line(first)] : [indent + first, line('')]
  })
}

/** Words in lines of 80 columns; those after the first line stand deeper. */
export function wrapped(words: readonly string[], indent: string, deeper = indent): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines[lines.length - 1]
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS) lines[lines.length - 1] = `${last} ${word}`
    else lines.push((lines.length === 0 ? indent : deeper) + word)
  }
  return lines
}

/** `text` in at most 80 columns, its end cut off where it is longer. */
export const clipped = (text: string): string => (text.length <= COLUMNS ? text : `${text.slice(0, COLUMNS - 2)} …`)
