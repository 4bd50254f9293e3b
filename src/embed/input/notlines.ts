const KINDS: readonly { readonly begins: readonly number[]; readonly is: string; readonly todo: string }[] = [
  { begins: [0x1f, 0x8b], is: 'it is gzipped', todo: 'give it unpacked, as `gunzip -c FILE |` does' },
  { begins: [0x28, 0xb5, 0x2f, 0xfd], is: 'it is packed by zstd', todo: 'give it unpacked, as `zstdcat FILE |` does' },
  {
    begins: [0x50, 0x4b, 3, 4],
    is: 'it is a zip archive',
    todo: 'give what is in it; of a spreadsheet, save it as CSV',
  },
  { begins: [0xff, 0xfe], is: 'it is UTF-16', todo: 'give it as UTF-8, as `iconv -f UTF-16 -t UTF-8 FILE |` does' },
  { begins: [0xfe, 0xff], is: 'it is UTF-16', todo: 'give it as UTF-8, as `iconv -f UTF-16 -t UTF-8 FILE |` does' },
  {
    begins: [0x50, 0x41, 0x52, 0x31],
    is: 'it is Parquet',
    todo: 'a command that reads it knows it by a name that ends in .parquet',
  },
]

/**
 * Why a file that begins with `head` holds no lines of text, and what to do; null where it may hold some. Of bytes each line
 * would be a mistake, and it is one.
 */
export function notLines(head: Uint8Array): string | null {
  const kind = KINDS.find(({ begins }) => begins.every((byte, i) => head[i] === byte))
  return kind === undefined ? null : `lines of UTF-8 are wanted, and ${kind.is}: ${kind.todo}`
}
