import type { Tiles } from './kernels.ts'
import type { Memory } from './memory.ts'

const none: Tiles = () => 0

/** Tiles that are made when they are first asked for, by a batch on an engine that checks loads: no start waits for them. */
export function tilesLater({ wasm, rows }: Memory): Tiles {
  let tiles: Tiles = () => {
    tiles = none
    import('./fixedtiles.ts').then(
      ({ fixedTiles }) => {
        tiles = fixedTiles(wasm, rows)
      },
      // Without them there are the kernels' own.
      () => {},
    )
    return 0
  }
  return (...of) => tiles(...of)
}
