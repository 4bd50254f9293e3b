export { MANIFEST, type Manifest, WEIGHTS } from './format.ts'
export { readManifest, unflatten } from './reader.ts'
