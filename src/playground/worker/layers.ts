import type { Graph, Node } from '../../graph/index.ts'
import type { Layer } from '../protocol.ts'

// What of a tower is worth drawing: the layers on the way up.

const NAMES: Readonly<Record<string, string>> = {
  'twotower>LayerNorm': 'layer norm',
  'twotower>L2Normalize': 'unit length',
  Softmax: 'softmax',
}

/** The layers of a tower from the features up, as they follow each other. */
export function layersOf(graph: Graph, width: number): Layer[] {
  const layers: Layer[] = []
  const matters = upwards(graph)
  for (const node of graph.nodes) {
    const layer = matters.has(node) ? layerOf(node) : null
    if (layer === null) continue
    const before = layers[layers.length - 1]
    layers.push({ ...layer, width: layer.width || (before?.width ?? width) })
  }
  if (layers.length === 0) return [{ words: 'embedding', width }]
  // An L2 normalisation within is one of features; the last one is the tower's.
  return layers.filter(({ words }, i) => words !== 'unit length' || i === layers.length - 1)
}

function layerOf({ op, attrs, inputs }: Node): Layer | null {
  if (/^twotower>Dense/.test(op)) {
    const activation = attrs.string('activation', '').toLowerCase()
    return { words: `dense${activation === '' ? '' : ` · ${activation}`}`, width: attrs.number('n') }
  }
  if (/^(MatMul|BatchMatMulV2|Einsum)$/.test(op)) {
    const held = inputs
      .map(({ node }) => (node.op === 'Const' ? node.attrs.tensor('value') : null))
      .find((t) => t !== null)
    return held === undefined || held === null
      ? null
      : { words: 'product', width: held.shape[held.shape.length - 1] ?? 0 }
  }
  if (/^(Conv2D|DepthwiseConv2dNative)$/.test(op)) return { words: 'convolution', width: 0 }
  if (/^(While|StatelessWhile)$/.test(op)) return { words: 'recurrent', width: 0 }
  return op in NAMES ? { words: NAMES[op], width: 0 } : null
}

/** The nodes that the output is made of. */
function upwards(graph: Graph): ReadonlySet<Node> {
  const found = new Set<Node>()
  const pending = graph.outputs.map(({ node }) => node)
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (found.has(node)) continue
    found.add(node)
    pending.push(...node.inputs.map((value) => value.node))
  }
  return found
}
