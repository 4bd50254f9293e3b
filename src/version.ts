/** What writes a bundle, for its manifest. */
export const VERSION = '0.1.0'
export const GENERATOR = `twotower ${VERSION}`
