import { expect, test } from 'vitest'
import { loopOf } from '../../../src/import/loops.ts'
import type { NodeDef } from '../../../src/import/scope.ts'

const named = (text: string) => ({ s: new TextEncoder().encode(text) })

/** A loop of one variable and one tensor that it only reads, as tf.while_loop of TF 1 makes it. */
const loop = (frame: string): NodeDef[] => [
  { name: `${frame}/start`, op: 'Enter', input: ['zero'], attr: { frame_name: named(frame) } },
  { name: `${frame}/bound`, op: 'Enter', input: ['x:0'], attr: { frame_name: named(frame), is_constant: { b: true } } },
  { name: `${frame}/merge`, op: 'Merge', input: [`${frame}/start`, `${frame}/next`] },
  { name: `${frame}/less`, op: 'Less', input: [`${frame}/merge`, `${frame}/bound`] },
  { name: `${frame}/goes on`, op: 'LoopCond', input: [`${frame}/less`] },
  { name: `${frame}/switch`, op: 'Switch', input: [`${frame}/merge`, `${frame}/goes on`] },
  { name: `${frame}/one more`, op: 'AddV2', input: [`${frame}/switch:1`, 'one'] },
  { name: `${frame}/next`, op: 'NextIteration', input: [`${frame}/one more`] },
  { name: `${frame}/exit`, op: 'Exit', input: [`${frame}/switch`] },
]

test("each of a graph's loops is told apart, in one walk through the graph", () => {
  let walks = 0
  class Counted extends Map<string, NodeDef> {
    override values() {
      walks++
      return super.values()
    }
  }
  const frames = Array.from({ length: 40 }, (_, i) => `while_${i}`)
  const defs = new Counted(frames.flatMap(loop).map((node) => [node.name ?? '', node]))
  for (const frame of frames)
    expect(loopOf(`${frame}/exit`, defs)).toEqual({
      frame,
      initial: ['zero'],
      merges: [`${frame}/merge`],
      switches: [`${frame}/switch`],
      next: [`${frame}/one more`],
      condition: `${frame}/less`,
      constants: [{ node: `${frame}/bound`, outside: 'x:0' }],
    })
  expect(walks).toBe(1)
})
