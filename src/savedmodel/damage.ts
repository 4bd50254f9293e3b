// What commonly happens to a model's files on their way, told from their bytes.

const POINTER = 'version https://git-lfs'

/**
 * For the end of an error's message: what seems to have happened to the file that holds `bytes`, and what to do; or ''.
 * Looks for U+FFFD in UTF-8 (a binary file that was read as text and written again), and for a Git LFS pointer.
 */
export function damageOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return '; the file is empty'
  if (POINTER.split('').every((letter, i) => bytes[i] === letter.charCodeAt(0))) {
    return '; the file is a Git LFS pointer: fetch the real file with `git lfs pull`'
  }
  let replaced = 0
  for (let i = 0; i + 2 < bytes.length; i++) {
    if (bytes[i] === 0xef && bytes[i + 1] === 0xbf && bytes[i + 2] === 0xbd) replaced++
  }
  if (replaced < 4 || replaced * 1000 < bytes.length) return ''
  return `; the file holds ${replaced} times EF BF BD, so it was read as UTF-8 text and written again, which loses bytes: copy it anew as binary`
}
