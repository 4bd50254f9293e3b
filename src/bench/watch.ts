import { bindingsFor } from '../engine/bindings.ts'
import { Engine } from '../engine/engine.ts'
import type { Features } from '../engine/inputs.ts'
import { Model } from '../engine/model.ts'
import { compileKernels } from '../engine/variants.ts'
import type { Part } from '../explain/part.ts'
import type { Node } from '../graph/index.ts'
import { loadAllOps } from '../ops/all.ts'
import { dependence } from '../towers/dependence.ts'
import { alone, type Cut, NAME } from './engines.ts'
import { type Profile, profileOf, type Slice, Stopwatch } from './profile.ts'

/** Of a profile: an odd number. */
const SLICES = 31

/** Runs requests by a stopwatch, for `seconds`. */
export async function profilePart(
  part: Part,
  cut: Cut | string,
  features: Features,
  rows: number,
  { seconds, deterministic }: { readonly seconds: number; readonly deterministic: boolean },
): Promise<Profile> {
  const { graph, inputs, outputs, preparation } = part
  const definition = alone(graph, inputs, outputs)
  const watch = new Stopwatch()
  const ops = await loadAllOps()
  const engine = new Engine(definition, ops, await compileKernels({ deterministic }), {
    deterministic,
    bindings: await bindingsFor(new Set(ops.keys())),
    around: (ops) => watch.around(ops),
  })
  const model = new Model(definition, engine, preparation)
  const slice = (milliseconds: number): Slice => {
    watch.take()
    const start = performance.now()
    let requests = 0
    do {
      model.run(NAME, features)
      requests++
    } while (performance.now() - start < milliseconds)
    return { requests, milliseconds: performance.now() - start, nodes: watch.take() }
  }
  // Warm, then in slices.
  slice(300 * seconds)
  const slices = Array.from({ length: SLICES }, () => slice((700 * seconds) / SLICES))
  const depends = dependence(graph)
  const layers = typeof cut === 'string' ? null : cut.layers.nodes
  return profileOf(slices, rows, (node: Node) => {
    const [only, ...others] = depends.get(node) ?? []
    return {
      stage: layers === null ? null : layers.has(node) ? 'layers' : 'preprocessing',
      feature: only === undefined || others.length > 0 ? null : inputs[only].name,
    }
  })
}
