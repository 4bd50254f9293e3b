import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export const tfjsWasm = { name: 'tfjs-wasm', start: () => start('wasm') }
export const tfjsCpu = { name: 'tfjs-cpu', start: () => start('cpu') }

/** tfjs-core on one of its backends. Both may live in one process, so each turn begins by choosing its own. */
async function start(backend) {
  const tf = await loadTfjs(backend)
  const enter = () => tf.setBackend(backend)
  return { tf, enter, tower: (spec) => towerOf(tf, enter, spec) }
}

export async function loadTfjs(backend) {
  const tf = await import('@tensorflow/tfjs-core')
  if (backend === 'cpu') await import('@tensorflow/tfjs-backend-cpu')
  else {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm')
    setWasmPaths(require.resolve('@tensorflow/tfjs-backend-wasm').replace(/[^/\\]*$/, ''))
  }
  await tf.setBackend(backend)
  await tf.ready()
  return tf
}

/** Layers of one fused kernel each, as tfjs's own converter makes of MatMul, BiasAdd and Relu. */
async function towerOf(tf, enter, { width, layers }) {
  await enter()
  const held = layers.map(({ k, n, weights, bias, relu }) => ({
    b: tf.tensor2d(weights, [k, n]),
    bias: tf.tensor1d(bias),
    activation: relu ? 'relu' : 'linear',
  }))
  return (rows) => ({
    enter,
    call() {
      let values
      // Not by returning them: tidy would look through every number for tensors.
      tf.tidy(() => {
        const x = tf.tensor2d(rows, [rows.length / width, width])
        values = held.reduce((a, layer) => tf.fused.matMul({ a, ...layer }), x).dataSync()
      })
      return values
    },
  })
}
