/** What is done to the pieces of each text, in this order. */
export interface Extras {
  readonly bos: boolean
  readonly eos: boolean
  readonly reverse: boolean
}
