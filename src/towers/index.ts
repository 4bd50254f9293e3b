export { withFeatures } from './examples.ts'
export { findTowers, pairTowers, type TowerChoices } from './find.ts'
export { type HeldCandidates, heldCandidates } from './indexed.ts'
