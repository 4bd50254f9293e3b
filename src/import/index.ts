export { chooseMetaGraph, type ImportOptions, importSignatures } from './signatures.ts'
