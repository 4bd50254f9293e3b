// snappyjs comes without types. Only what is used is declared.
declare module 'snappyjs' {
  /** The bytes that a raw Snappy stream (no frames) holds. */
  export function uncompress(compressed: Uint8Array): Uint8Array
  /** `bytes` as a raw Snappy stream. */
  export function compress(bytes: Uint8Array): Uint8Array
}
