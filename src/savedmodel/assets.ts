import { CorruptModelError } from '../errors.ts'
import { type Folder, readFile, safePath } from '../platform/folder.ts'

/** A file that the graph reads when it starts, such as a vocabulary. */
export interface Asset {
  /** Relative to the folder `assets`. */
  readonly name: string
  readonly byteLength: number
}

/** The files in the folder `assets`, by name. */
export async function listAssets(folder: Folder): Promise<Asset[]> {
  const assets: Asset[] = []
  for (const name of await folder.list('assets')) {
    const source = await folder.open(`assets/${name}`)
    if (source === null) continue
    assets.push({ name, byteLength: source.byteLength })
    await source.close?.()
  }
  return assets
}

/**
 * The bytes of `assets/<name>`.
 * @throws {RangeError} where `name` leaves the folder
 * @throws {CorruptModelError} where there is no such file
 */
export async function readAsset(folder: Folder, name: string): Promise<Uint8Array> {
  const path = `assets/${safePath(name)}`
  const bytes = await readFile(folder, path)
  if (bytes === null) {
    throw new CorruptModelError(path, `missing in ${folder.name}; the graph reads this file when it starts`)
  }
  return bytes
}
