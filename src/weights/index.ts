export { MANIFEST, type Manifest, WEIGHTS } from './format.ts'
export { linearOf, readManifest, unflatten } from './reader.ts'
export type { StoredWeights } from './stored.ts'
