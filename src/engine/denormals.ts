import type { Graph } from '../graph/index.ts'

// TensorFlow's threads read denormals as zeros. To a sum that is no difference that anyone sees, to these ops it is one: a
// number that is compared, ordered, counted, put into a bucket, written out or divided by.
const DISCERNING = new Set(
  `All Any ArgMax ArgMin AsString Bucketize BoostedTreesBucketize Case Cast Ceil Div DivNoNan Equal Floor FloorDiv FloorMod
  Greater GreaterEqual If Inv Less LessEqual Log LowerBound MaxPoolWithArgmax Mod MulNoNan NotEqual Pow RealDiv Reciprocal Rint Round Rsqrt
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
