export { findTowers, pairTowers, type TowerChoices } from './find.ts'
