import type { Tensor } from '../tensor/index.ts'
import { Attrs } from './attrs.ts'
import { CONST, type Node, type Value } from './graph.ts'

/** A constant node. */
export const constant = (name: string, value: Tensor): Node => ({
  name,
  op: CONST,
  attrs: new Attrs({ value: { tensor: value } }),
  inputs: [],
  controls: [],
})

/** The constant that `value` is, or null. */
export const constantOf = (value: Value): Tensor | null =>
  value.node.op === CONST ? value.node.attrs.tensor('value') : null
