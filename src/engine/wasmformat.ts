import { MOST_BYTES, PAGE } from './linear.ts'

// WebAssembly's binary format, as far as modules are made or changed while they run.

/** `value`, 32 bits without a sign, as unsigned LEB128. */
export function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]
}

/** `content` with its length before it. */
export const sized = (content: readonly number[]): number[] => [...leb(content.length), ...content]

/** An ASCII name. */
export const named = (text: string): number[] => sized(Array.from(text, (char) => char.charCodeAt(0)))

/** How kernels import their memory, `pages` at the least: one that threads share must say its maximum, others say none. */
export const memoryImport = (pages: number, isShared: boolean): number[] => [
  ...[...named('env'), ...named('memory'), 2],
  ...(isShared ? [3, ...leb(pages), ...leb(MOST_BYTES / PAGE)] : [0, ...leb(pages)]),
]
