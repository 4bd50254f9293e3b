import { xxh32 } from '../checksum/xxh32.ts'
import {
  type Attr,
  CONST,
  type Graph,
  type ModelDefinition,
  type Node,
  type Port,
  type Resource,
  type TowerDefinition,
  type Towers,
} from '../graph/index.ts'
import { MutableTable } from '../ops/tables/mutable.ts'
import { StaticTable } from '../ops/tables/static.ts'
import { isComplex, isNumeric, type Tensor } from '../tensor/index.ts'
import {
  ALIGNMENT,
  type ArrayRecord,
  type AttrRecord,
  FORMAT,
  type GraphRecord,
  type Manifest,
  type NodeRecord,
  type PortRecord,
  type ResourceRecord,
  type SignatureRecord,
  type TowersRecord,
  VERSION,
  WEIGHTS,
} from './format.ts'

/** A model in the flat format: the manifest, and the pieces of weights.bin in order. */
export interface Flat {
  readonly manifest: Manifest
  readonly pieces: readonly Uint8Array[]
}

/**
 * Lays `definition` out flat. Arrays and tables that several signatures share are written once.
 * @param residents the constants that kernels read again and again, which come first
 */
export function flatten(definition: ModelDefinition, generator: string, residents: readonly Node[]): Flat {
  const layout = new Layout()
  for (const node of residents) layout.array(node.name, node.attrs.tensor('value'))
  layout.pad()
  const linear = layout.byteLength
  const signatures = definition.signatures.map(({ name, method, inputs, outputs, graph }) => ({
    name,
    method,
    inputs: inputs.map((port) => layout.port(port)),
    outputs: outputs.map((port) => layout.port(port)),
    graph: layout.graph(graph),
  }))
  const { source, preprocess } = definition
  const towers = layout.towers(definition.towers, signatures)
  const manifest: Manifest = {
    format: FORMAT,
    version: VERSION,
    generator,
    source,
    weights: { file: WEIGHTS, byteLength: layout.byteLength, linear },
    arrays: layout.arrays,
    resources: layout.resources,
    signatures,
    towers,
    ...(preprocess === undefined ? {} : { preprocess }),
  }
  return { manifest, pieces: layout.pieces }
}

class Layout {
  readonly arrays: ArrayRecord[] = []
  readonly resources: ResourceRecord[] = []
  readonly pieces: Uint8Array[] = []
  byteLength = 0
  private readonly known = new Map<unknown, number>()

  /** The position of `t` among the arrays. */
  array(name: string, t: Tensor): number {
    const before = this.known.get(t)
    if (before !== undefined) return before
    const position = this.arrays.length
    this.known.set(t, position)
    const { dtype, shape } = t
    if (t.dtype === 'string') {
      // Offsets may start past 0 where the strings are a view of others.
      const [start, end] = [t.data.offsets[0], t.data.offsets[t.data.length]]
      const bytes = t.data.bytes.subarray(start, end)
      const ends = raw(t.data.offsets.map((offset) => offset - start))
      const offset = this.place(bytes)
      this.arrays.push({
        name,
        dtype,
        shape,
        offset,
        byteLength: bytes.length,
        ends: this.place(ends),
        xxh32: xxh32().add(bytes).add(ends).value,
      })
    } else {
      if (!isNumeric(t) && !isComplex(t.dtype))
        throw new TypeError(`constant "${name}" is a ${dtype}: it has no flat form`)
      const bytes = raw(t.data as ArrayBufferView)
      this.arrays.push({
        name,
        dtype,
        shape,
        offset: this.place(bytes),
        byteLength: bytes.length,
        xxh32: xxh32().add(bytes).value,
      })
    }
    return position
  }

  private place(bytes: Uint8Array): number {
    this.pad()
    const offset = this.byteLength
    this.pieces.push(bytes)
    this.byteLength += bytes.length
    return offset
  }

  /** To where an array may start. */
  pad(): void {
    const padding = (ALIGNMENT - (this.byteLength % ALIGNMENT)) % ALIGNMENT
    if (padding > 0) this.pieces.push(new Uint8Array(padding))
    this.byteLength += padding
  }

  private resource(resource: Resource): number {
    const before = this.known.get(resource)
    if (before !== undefined) return before
    const record = this.recordOf(resource)
    this.known.set(resource, this.resources.length)
    return this.resources.push(record) - 1
  }

  private recordOf(resource: Resource): ResourceRecord {
    const { name } = resource
    if (resource.kind === 'variable') {
      return {
        kind: 'variable',
        name,
        dtype: resource.dtype,
        value: resource.value === null ? null : this.array(name, resource.value),
      }
    }
    const { keys, values } = resource.export()
    const stored = { name, keys: this.array(`${name}/keys`, keys), values: this.array(`${name}/values`, values) }
    if (resource instanceof MutableTable) {
      const reserved = resource.reserved.map((key, i) => this.array(`${name}/reserved ${i}`, key))
      return { kind: 'mutable-table', ...stored, valueShape: resource.valueShape, reserved }
    }
    if (!(resource instanceof StaticTable)) throw new TypeError(`table "${name}" has no flat form`)
    const slots: Tensor = { dtype: 'int32', shape: [resource.slots.length], data: resource.slots }
    return { kind: 'static-table', ...stored, slots: this.array(`${name}/slots`, slots) }
  }

  /** @param signatures as they were written: a tower that is a whole signature refers to it */
  towers({ query, candidate, ...rest }: Towers, signatures: readonly SignatureRecord[]): TowersRecord {
    const written = signatures.map(({ graph }) => JSON.stringify(graph))
    const shared = (record: GraphRecord): GraphRecord | number => {
      const same = written.indexOf(JSON.stringify(record))
      return same < 0 ? record : same
    }
    const tower = (side: TowerDefinition | null) =>
      side === null
        ? null
        : {
            signature: side.signature,
            inputs: side.inputs.map((port) => this.port(port)),
            output: this.port(side.output),
            graph: shared(this.graph(side.graph)),
          }
    return { query: tower(query), candidate: tower(candidate), ...rest }
  }

  port({ fallback, ...rest }: Port): PortRecord {
    return fallback === undefined ? rest : { ...rest, fallback: this.array(`${rest.name}/default`, fallback) }
  }

  graph(graph: Graph): GraphRecord {
    const positions = new Map(graph.nodes.map((node, i) => [node, i]))
    const at = (node: Node): number => positions.get(node) as number
    return {
      parameters: graph.parameters.map(at),
      nodes: graph.nodes.map((node): NodeRecord => {
        const attrs = node.attrs.entries().map(([name, attr]) => [name, this.attribute(attr, node)] as const)
        return {
          name: node.name,
          op: node.op,
          ...(node.inputs.length === 0
            ? {}
            : { inputs: node.inputs.map((value) => [at(value.node), value.index] as const) }),
          ...(node.controls.length === 0 ? {} : { controls: node.controls.map(at) }),
          ...(attrs.length === 0 ? {} : { attrs: Object.fromEntries(attrs) }),
        }
      }),
      outputs: graph.outputs.map((value) => [at(value.node), value.index] as const),
    }
  }

  private attribute(attr: Attr, node: Node): AttrRecord {
    if (typeof attr === 'string' || typeof attr === 'boolean') return attr
    if (typeof attr === 'bigint') return { int: String(attr) }
    if (typeof attr === 'number')
      return Number.isFinite(attr) && !Object.is(attr, -0) ? attr : { float: floatText(attr) }
    if (attr instanceof Uint8Array) return { bytes: base64(attr) }
    if (isList(attr)) return attr.map((item) => this.attribute(item, node))
    if ('shape' in attr) return { shape: attr.shape }
    if ('graph' in attr) return { graph: this.graph(attr.graph) }
    const { tensor } = attr
    if (tensor.dtype === 'resource') return { resource: this.resource(tensor.data[0] as Resource) }
    return { array: this.array(node.op === CONST ? node.name : `${node.name}/attribute`, tensor) }
  }
}

const isList = (attr: Attr): attr is readonly Attr[] => Array.isArray(attr)

const floatText = (value: number) =>
  (Object.is(value, -0) ? '-0' : String(value)) as 'NaN' | 'Infinity' | '-Infinity' | '-0'

/** The bytes of `data` as they lie in memory, which is little-endian on every machine that runs wasm. */
const raw = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
