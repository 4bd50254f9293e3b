import { CorruptModelError, UnsupportedOpError } from '../errors.ts'
import { loopOf, readsOf } from './loops.ts'
import { FILE, isFed, parse, type Scope } from './scope.ts'

export const EXITS = new Set(['Exit', 'RefExit'])
/** The other ops of TF1's loops: a graph that reaches one but through an Exit holds no whole loop. */
const FRAMES = new Set(['Enter', 'RefEnter', 'NextIteration', 'RefNextIteration'])

/** The defs that `roots` need and that are not built yet, in an order that respects data and control inputs. */
export function order(within: Scope, roots: readonly string[]): string[] {
  const sorted: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  const stack: { name: string; next: number; inputs: readonly string[] }[] = []
  const open = (name: string, reader: string) => {
    if (within.built.has(name) || state.get(name) === 'done') return
    if (state.get(name) === 'open') throw new CorruptModelError(FILE, `nodes "${name}" and "${reader}" need each other`)
    const def = within.defs.get(name)
    if (def === undefined)
      throw new CorruptModelError(FILE, `node "${within.prefix}${reader}" reads "${name}", which is not in the graph`)
    if (FRAMES.has(def.op ?? '')) {
      throw new UnsupportedOpError(
        def.op ?? '',
        name,
        'TF1 while loops by frames are not run; export with control flow v2',
      )
    }
    state.set(name, 'open')
    const refs = EXITS.has(def.op ?? '') ? readsOf(loopOf(name, within.defs)) : (def.input ?? [])
    const needed = refs.filter((ref) => !isFed(ref, within)).map((ref) => parse(ref, within.isFunction).name)
    stack.push({ name, next: 0, inputs: needed })
  }
  for (const root of roots) {
    if (!within.isFunction && within.fed.has(`${root}:0`)) continue
    open(root, root)
    while (stack.length > 0) {
      const entry = stack[stack.length - 1]
      if (entry.next < entry.inputs.length) open(entry.inputs[entry.next++], entry.name)
      else {
        state.set(entry.name, 'done')
        sorted.push(entry.name)
        stack.pop()
      }
    }
  }
  return sorted
}
