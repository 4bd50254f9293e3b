import { towerModel } from '../onnx/tower.mjs'

export const ortWeb = {
  name: 'onnxruntime-web',
  async start() {
    const ort = await import('onnxruntime-web')
    ort.env.wasm.numThreads = 1
    return { tower: (spec) => towerOf(ort, { executionProviders: ['wasm'] }, spec) }
  },
}

export const ortNode = {
  name: 'onnxruntime-node',
  async start() {
    const ort = await import('onnxruntime-node')
    const options = { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1 }
    return { tower: (spec) => towerOf(ort, options, spec) }
  },
}

async function towerOf(ort, options, spec) {
  const session = await ort.InferenceSession.create(towerModel(spec), options)
  return (rows) => ({
    call: async () => {
      const x = new ort.Tensor('float32', rows, [rows.length / spec.width, spec.width])
      return (await session.run({ x })).embedding.data
    },
  })
}
