/** The table's cases, as the harness needs them. */
export declare const CASES: readonly { readonly name: string }[]
