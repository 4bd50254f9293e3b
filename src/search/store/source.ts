import type { ByteSource } from '../../platform/folder.ts'
import { folderAt } from '../../platform/open.ts'

/** The file at a path or an address; null where there is none. */
export async function sourceAt(place: string): Promise<ByteSource | null> {
  const cut = place.lastIndexOf('/') + 1
  const [folder, name] = [place.slice(0, cut) || '.', place.slice(cut)]
  return (await folderAt(folder)).open(isAddress(place) ? decodeURIComponent(name) : name)
}

export const isAddress = (place: string): boolean => /^[a-z][a-z\d+.-]+:/i.test(place)
