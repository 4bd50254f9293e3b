import { Engine } from '../../engine/engine.ts'
import { Model } from '../../engine/model.ts'
import { compileKernels } from '../../engine/variants.ts'
import type { ModelDefinition, OpTable } from '../../graph/index.ts'
import { Preprocessor } from '../../preprocess/index.ts'
import { type Tf, withTfjs } from '../../reference/tfjs.ts'

/** What lies beside the page where the site was built with tfjs: its builds for a script, which name themselves `tf`. */
const SCRIPTS = ['tfjs/tf-core.min.js', 'tfjs/tf-backend-wasm.min.js']

interface Global {
  readonly tf?: Tf & { readonly wasm: Pick<typeof import('@tensorflow/tfjs-backend-wasm'), 'setWasmPaths'> }
}

/**
 * The same model with its numeric part on tfjs-wasm, on this machine.
 * @param ops the reference ops of the model's graphs
 * @throws {Error} where tfjs does not lie beside the page
 */
export async function onTfjs(definition: ModelDefinition, ops: OpTable): Promise<Model> {
  const tf = await startTfjs()
  const engine = new Engine(definition, ops, await compileKernels(), { instead: await withTfjs(ops, tf) })
  const { preprocess } = definition
  return preprocess === undefined
    ? new Model(definition, engine)
    : new Model(definition, engine, new Preprocessor(preprocess))
}

async function startTfjs(): Promise<Tf> {
  const base = new URL('.', location.href)
  for (const script of SCRIPTS) {
    const { href } = new URL(script, base)
    await import(href)
  }
  const { tf } = globalThis as Global
  if (tf === undefined) throw new Error('tfjs does not lie beside this page')
  tf.wasm.setWasmPaths(new URL('tfjs/', base).href)
  await tf.setBackend('wasm')
  await tf.ready()
  return tf
}
