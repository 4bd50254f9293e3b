import type { Graph } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'

// TensorFlow's threads read denormals as zeros. To a sum that is no difference that anyone sees, to these ops it is one: a
// number that is compared, ordered, counted, put into a bucket, written out or divided by.
const DISCERNING = new Set(
  `All Any ArgMax ArgMin AsString Bucketize BoostedTreesBucketize Case Cast Ceil Div DivNoNan Equal Floor FloorDiv FloorMod
  Greater GreaterEqual If Inv Less LessEqual Log LowerBound Mod MulNoNan NotEqual Pow RealDiv Reciprocal Rint Round Rsqrt
  Sign Sqrt StatelessCase StatelessIf StatelessWhile StringFormat TopK TopKV2 TruncateDiv TruncateMod Unique UniqueV2
  UniqueWithCounts UniqueWithCountsV2 UpperBound Where While Xdivy Xlog1py Xlogy`.split(/\s+/),
)

const KNOWN = new WeakMap<Graph, boolean>()

/** Whether some node of `graph` tells denormals from zero. */
export function discerns(graph: Graph): boolean {
  let known = KNOWN.get(graph)
  if (known === undefined) {
    known = graph.nodes.some(({ op }) => DISCERNING.has(op))
    KNOWN.set(graph, known)
  }
  return known
}

/** The smallest numbers that are not denormal. */
const LEAST_NORMAL = { float32: 2 ** -126, float64: 2 ** -1022 } as const

/** `t` with zeros in place of denormals, in an array of its own where there are any. */
export function withoutDenormals(t: Tensor): Tensor {
  if (t.dtype !== 'float32' && t.dtype !== 'float64') return t
  const { dtype, shape, data } = t
  const least = LEAST_NORMAL[dtype]
  const isDenormal = (value: number) => value < least && value > -least && value !== 0
  for (let i = 0; i < data.length; i++) {
    if (isDenormal(data[i]))
      return { dtype, shape, data: data.map((value) => (isDenormal(value) ? value * 0 : value)) } as Tensor
  }
  return t
}
