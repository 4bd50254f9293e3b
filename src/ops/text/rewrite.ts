const BACKSLASH = 92

/** What a match is rewritten by, as literal bytes and group numbers; null where RE2 would not take it. */
export function rewriteParts(rewrite: Uint8Array): (Uint8Array | number)[] | null {
  const parts: (Uint8Array | number)[] = []
  let start = 0
  for (let at = rewrite.indexOf(BACKSLASH); at >= 0; at = rewrite.indexOf(BACKSLASH, start)) {
    parts.push(rewrite.subarray(start, at))
    const next = rewrite[at + 1]
    if (next >= 48 && next <= 57) parts.push(next - 48)
    else if (next === BACKSLASH) parts.push(rewrite.subarray(at, at + 1))
    else return null
    start = at + 2
  }
  parts.push(rewrite.subarray(start))
  return parts
}
