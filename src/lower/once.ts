import { type Attr, CONST, type Graph, type Node, type OpTable, outputCounts, PARAMETER } from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'
import { isNumeric, type Tensor } from '../tensor/index.ts'

/** Elements of a constant that is known again by what it holds: an axis, a bound, a factor. */
const SMALL = 16

/**
 * What several nodes compute of the same inputs is computed once: each layer of an export asks anew for the shape of its input,
 * for a mask, for zeros. Ops that change something or know chance stay as they are.
 */
export function computeOnce(graph: Graph, ops: OpTable): Graph {
  const known = new Map<string, Node>()
  const numbers = new Map<Node, number>()
  const numberOf = (node: Node): number => {
    let number = numbers.get(node)
    if (number === undefined) {
      number = numbers.size
      numbers.set(node, number)
    }
    return number
  }
  const counts = outputCounts(graph)
  return rewrite(graph, (node, { old }) => {
    const key =
      node.op === CONST ? contentOf(node.attrs.tensor('value')) : isPure(node, ops) ? attributesOf(node) : null
    if (key === null) return null
    const inputs = node.inputs.map((value) => `${numberOf(value.node)}:${value.index}`)
    const whole = [node.op, key, ...inputs].join(' ')
    const first = known.get(whole)
    if (first === undefined) {
      known.set(whole, node)
      return null
    }
    return Array.from({ length: counts.get(old) ?? 1 }, (_, index) => ({ node: first, index }))
  })
}

function isPure({ op, controls }: Node, ops: OpTable): boolean {
  const entry = ops.get(op)
  return (
    op !== PARAMETER &&
    controls.length === 0 &&
    entry !== undefined &&
    entry.effect === undefined &&
    entry.stateful !== true &&
    entry.resource === undefined
  )
}

function contentOf(t: Tensor): string | null {
  // Floats of an axis are weights, which keep their names: a bias of zeros is not another's.
  if (!isNumeric(t) || t.data.length > SMALL || (t.shape.length > 0 && /float/.test(t.dtype))) return null
  // By their bytes: -0 is not 0, and one NaN is not another.
  const bytes = new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength)
  return `${t.dtype} ${t.shape} ${bytes}`
}

/** What the attributes say, told apart by all that they hold; null where one is a graph or a tensor. */
function attributesOf({ attrs }: Node): string | null {
  const written: string[] = []
  for (const [name, attr] of attrs.entries()) {
    const text = textOf(attr)
    if (text === null) return null
    written.push(`${name}=${text}`)
  }
  return written.sort().join(',')
}

function textOf(attr: Attr): string | null {
  if (typeof attr === 'string') return JSON.stringify(attr)
  if (typeof attr === 'number') return Object.is(attr, -0) ? '-0' : `${attr}`
  if (typeof attr === 'bigint' || typeof attr === 'boolean') return `${typeof attr} ${attr}`
  if (attr instanceof Uint8Array) return `bytes ${attr}`
  if ('shape' in attr) return `shape ${JSON.stringify(attr.shape)}`
  if (!Array.isArray(attr)) return null
  const parts = attr.map(textOf)
  return parts.includes(null) ? null : `[${parts.join(' ')}]`
}
