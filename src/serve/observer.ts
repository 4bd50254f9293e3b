import type { BatchObserver } from './batcher.ts'

/** What a server tells of its work, never of what stands in requests. */
export interface Observer extends BatchObserver {
  stage(name: 'decode' | 'queue' | 'run' | 'encode' | 'search', seconds: number): void
  /** @param contract which interface was asked */
  answered(contract: Contract, method: string, status: number, seconds: number): void
  /** Something broke that is not the request's fault. */
  broke(error: unknown): void
}

export type Contract = 'tensorflow' | 'vertex' | 'towers' | 'vector-search' | 'other'

export const NO_OBSERVER: Observer = { stage() {}, batch() {}, answered() {}, broke() {} }
