import type * as Library from '@observablehq/plot'
import { UsageError } from './exit.ts'
import { optional } from './optional.ts'

/** `draw` with Observable Plot and a document to draw into. @throws {UsageError} where the packages for it are not there */
export async function drawingWith<T>(
  draw: (drawn: T, Plot: typeof Library, document: Document) => string,
): Promise<(drawn: T) => string> {
  const plot = await optional<typeof Library>('@observablehq/plot')
  const dom = await optional<typeof import('linkedom')>('linkedom')
  if (plot === null || dom === null)
    throw new UsageError('--svg needs @observablehq/plot and linkedom: npm install @observablehq/plot linkedom')
  return (drawn) => {
    const { document } = dom.loaded.parseHTML('<html><body></body></html>')
    return draw(drawn, plot.loaded, document as unknown as Document)
  }
}
