import type { Graph } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { onnxFile } from './onnx.ts'

/** As much of onnxruntime-node and onnxruntime-web as is used here, on one thread. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(file: Uint8Array, options: object): Promise<Session>
  }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OnnxTensor
  /** onnxruntime-web's. */
  readonly env?: { readonly wasm?: { numThreads?: number } }
}

interface Session {
  run(inputs: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>
}

interface OnnxTensor {
  readonly data: unknown
}

/** The execution provider of each package; one thread, as ours. */
const OPTIONS = {
  'onnxruntime-node': { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 },
  'onnxruntime-web': { executionProviders: ['wasm'], logSeverityLevel: 3 },
} as const

/** The packages, in the order of a table. */
export const ONNX_RUNTIMES = ['onnxruntime-node', 'onnxruntime-web'] as const

/**
 * A graph of layers on ONNX Runtime, from float32 to float32.
 * @param ranks how many dimensions each parameter has
 * @returns runs it, one tensor a parameter; the elements of the outputs
 */
export async function onnxGraph(
  ort: OnnxRuntime,
  name: (typeof ONNX_RUNTIMES)[number],
  graph: Graph,
  ranks: readonly number[],
): Promise<(inputs: readonly Tensor[]) => Promise<Float32Array[]>> {
  if (ort.env?.wasm !== undefined) ort.env.wasm.numThreads = 1
  const session = await ort.InferenceSession.create(onnxFile(graph, ranks), OPTIONS[name])
  return async (inputs) => {
    const given = inputs.map(({ data, shape }, i) => [
      `x${i}`,
      new ort.Tensor('float32', data as Float32Array, [...shape]),
    ])
    const outputs = await session.run(Object.fromEntries(given))
    return graph.outputs.map((_, i) => outputs[`y${i}`].data as Float32Array)
  }
}
