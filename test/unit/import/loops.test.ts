import { expect, test } from 'vitest'
import { loopOf, reached } from '../../../src/import/loops.ts'
import { type NodeDef, scope } from '../../../src/import/scope.ts'

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

test("a loop's variables that only gradients read are left out, as a session prunes them", () => {
  // tf.gradients adds a counter of the rounds, which waits for what each round pushes to a stack for the way back.
  const gradients: NodeDef[] = [
    { name: 'while/f_count', op: 'Enter', input: ['zero'], attr: { frame_name: named('while') } },
    {
      name: 'while/f_acc',
      op: 'Enter',
      input: ['stack'],
      attr: { frame_name: named('while'), is_constant: { b: true } },
    },
    { name: 'while/f merge', op: 'Merge', input: ['while/f_count', 'while/f next'] },
    { name: 'while/f switch', op: 'Switch', input: ['while/f merge', 'while/goes on'] },
    { name: 'while/push', op: 'StackPushV2', input: ['while/f_acc', 'while/switch:1'] },
    { name: 'while/f add', op: 'AddV2', input: ['while/f switch:1', 'one', '^while/push'] },
    { name: 'while/f next', op: 'NextIteration', input: ['while/f add'] },
    { name: 'while/f exit', op: 'Exit', input: ['while/f switch'] },
    { name: 'stack', op: 'StackV2', input: [] },
  ]
  const outside: NodeDef[] = ['zero', 'one', 'x'].map((name) => ({ name, op: 'Const', input: [] }))
  const whole = scope('', [...outside, ...loop('while'), ...gradients], false, {}, 0)
  const ofAnswer = reached(whole, ['while/exit:0'])
  expect([...ofAnswer.keys()].filter((name) => /f |f_|push|stack/.test(name))).toEqual([])
  expect(loopOf('while/exit', ofAnswer).merges).toEqual(['while/merge'])
  expect(loopOf('while/exit', ofAnswer).constants).toEqual([{ node: 'while/bound', outside: 'x:0' }])
  // Whoever asks for the number of rounds needs all of it, pushes too, which are control inputs.
  expect(loopOf('while/f exit', reached(whole, ['while/f exit'])).merges).toHaveLength(2)
  expect(reached(whole, ['while/f exit']).has('stack')).toBe(true)
})
