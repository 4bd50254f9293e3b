import { type Checksum, xxh32 } from '../checksum/xxh32.ts'
import { CorruptModelError, InvalidArgumentError } from '../errors.ts'
import {
  type Attr,
  Attrs,
  type Graph,
  handle,
  type ModelDefinition,
  type Node,
  type Port,
  type Resource,
  type Similarity,
  type TowerDefinition,
  type Towers,
} from '../graph/index.ts'
import type { MutableTable } from '../ops/tables/mutable.ts'
import { StaticTable } from '../ops/tables/static.ts'
import { ARRAYS, BYTES, isComplex, Strings, sizeOf, type Tensor } from '../tensor/index.ts'
import {
  ALIGNMENT,
  type ArrayRecord,
  type AttrRecord,
  FORMAT,
  type GraphRecord,
  MANIFEST,
  type Manifest,
  type PortRecord,
  type ResourceRecord,
  type TowerRecord,
  type TowersRecord,
  VERSION,
  WEIGHTS,
} from './format.ts'
import { type StoredWeights, storedTensor } from './stored.ts'

/** How a manifest begins that nobody has written anew: with the checksum of what follows. */
const SUMMED = /^\{\n "xxh32": (\d+),/
/** The texts of manifests, until their sums are looked at: by a kernel, in a tenth of the time that cold JavaScript takes. */
const texts = new WeakMap<Manifest, string>()

/**
 * Reads a manifest's text, whose checksum `unflatten` looks at.
 * @throws {CorruptModelError} where it is no manifest, is of another version, or misses a part
 */
export function readManifest(text: string): Manifest {
  let manifest: Partial<Manifest>
  try {
    manifest = JSON.parse(text) as Partial<Manifest>
  } catch (error) {
    throw new CorruptModelError(MANIFEST, `is not JSON (${(error as Error).message})`)
  }
  if (manifest === null || typeof manifest !== 'object' || manifest.format !== FORMAT) {
    throw new CorruptModelError(MANIFEST, `is not the manifest of a bundle: "format" must be "${FORMAT}"`)
  }
  if (manifest.version !== VERSION) {
    const advice =
      Number(manifest.version) > VERSION ? 'update twotower, or convert the model again' : 'convert the model again'
    throw new CorruptModelError(
      MANIFEST,
      `is of version ${manifest.version}, this twotower reads version ${VERSION}: ${advice}`,
    )
  }
  const { arrays, resources, weights } = manifest
  if (![arrays, resources].every(Array.isArray) || typeof weights?.byteLength !== 'number') throw malformed()
  texts.set(manifest as Manifest, text)
  return manifest as Manifest
}

const malformed = (cause?: unknown) =>
  new CorruptModelError(MANIFEST, 'misses a part, or has one of a wrong kind: convert the model again', { cause })

function checkText(manifest: Manifest, checksum: Checksum): void {
  const text = texts.get(manifest) ?? ''
  texts.delete(manifest)
  const [head, said] = SUMMED.exec(text) ?? ['']
  if (said !== undefined && checksum().add(new TextEncoder().encode(text.slice(head.length))).value !== Number(said))
    throw new CorruptModelError(MANIFEST, 'is damaged, or was edited: then remove its first member, "xxh32"')
}

/**
 * How many bytes from the start of weights.bin are for kernels.
 * @param byteLength of weights.bin as it is there
 * @throws {CorruptModelError} where the manifest says otherwise
 */
export function linearOf({ weights: { byteLength: said, linear = 0 } }: Manifest, byteLength: number): number {
  if (byteLength !== said) throw new CorruptModelError(WEIGHTS, `has ${byteLength} bytes, the manifest says ${said}`)
  if (!Number.isSafeInteger(linear) || linear < 0 || linear > said || linear % ALIGNMENT !== 0)
    throw new CorruptModelError(MANIFEST, `"linear" of "weights" is ${linear}, which is no part of ${said} bytes`)
  return linear
}

/**
 * A model out of its flat form. Arrays are views of `weights`, which is kept.
 * @param weights of the size that the manifest says, as `linearOf` holds where room is made
 * @param checksum XXH32, by whatever computes it fastest; null where the sums were looked at before
 * @throws {CorruptModelError} where a checksum, a size or a reference does not hold
 */
export async function unflatten(
  manifest: Manifest,
  weights: StoredWeights,
  checksum: Checksum | null = xxh32,
): Promise<ModelDefinition> {
  if (checksum !== null) checkText(manifest, checksum)
  // Few models have one: its code is a file of its own.
  const isMutable = manifest.resources.some((record) => record?.kind === 'mutable-table')
  const mutable = isMutable ? (await import('../ops/tables/mutable.ts')).MutableTable : null
  try {
    return definitionOf(manifest, new Reader(manifest, weights, checksum, mutable))
  } catch (error) {
    if (error instanceof CorruptModelError || error instanceof InvalidArgumentError) throw error
    // Not every part of a manifest is looked at for its kind before it is used.
    throw malformed(error)
  }
}

function definitionOf(manifest: Manifest, reader: Reader): ModelDefinition {
  const signatures = manifest.signatures.map(({ name, method, inputs, outputs, graph }) => ({
    name,
    method,
    inputs: inputs.map((port) => reader.port(port)),
    outputs: outputs.map((port) => reader.port(port)),
    graph: reader.graph(graph),
  }))
  return {
    source: manifest.source,
    signatures,
    towers: reader.towers(
      manifest.towers,
      signatures.map(({ graph }) => graph),
    ),
    ...(manifest.preprocess === undefined ? {} : { preprocess: manifest.preprocess }),
  }
}

class Reader {
  private readonly weights: StoredWeights
  private readonly checksum: Checksum | null
  private readonly tensors: (Tensor | undefined)[]
  private readonly handles: (Tensor | undefined)[]
  private readonly mutable: typeof MutableTable | null

  constructor(
    manifest: Manifest,
    weights: StoredWeights,
    checksum: Checksum | null,
    mutable: typeof MutableTable | null,
  ) {
    this.weights = weights
    this.checksum = checksum
    this.mutable = mutable
    this.tensors = manifest.arrays.map((record) => this.tensor(record))
    this.handles = manifest.resources.map((record) => handle(this.resource(record)))
  }

  private tensor(record: ArrayRecord): Tensor {
    const { name, dtype, shape, offset, byteLength, ends } = record
    const wrong = (why: string) => new CorruptModelError(MANIFEST, `array "${name}": ${why}`)
    if (!Array.isArray(shape) || !shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0))
      throw wrong(`the shape is ${JSON.stringify(shape)}`)
    const bytes = this.range(record, offset, byteLength)
    const size = sizeOf(shape)
    if (dtype === 'string') {
      const offsets = this.range(record, ends ?? -1, 4 * (size + 1))
      this.check(record, bytes, offsets)
      const positions = new Uint32Array(offsets.buffer, offsets.byteOffset, size + 1)
      if (positions[size] !== byteLength || !rises(positions))
        throw wrong('the offsets of its strings do not rise to its length')
      return { dtype, shape, data: new Strings(bytes, positions) }
    }
    const width = BYTES[dtype]
    if (!width || dtype === 'resource' || dtype === 'variant') throw wrong(`${dtype} is not a dtype of the flat format`)
    // Half floats are stored as the float32 that they are computed in.
    if (byteLength !== size * (isComplex(dtype) ? width : ARRAYS[dtype].BYTES_PER_ELEMENT))
      throw wrong(`${byteLength} bytes are not ${dtype}[${shape.join(', ')}]`)
    this.check(record, bytes)
    return storedTensor(this.weights, dtype, shape, offset, byteLength)
  }

  private range({ name }: ArrayRecord, offset: number, byteLength: number): Uint8Array {
    const { weights } = this
    // What lies in two memories is nowhere one array.
    const end = offset < weights.linear ? weights.linear : weights.byteLength
    if (
      !(
        Number.isSafeInteger(offset) &&
        offset >= 0 &&
        offset % ALIGNMENT === 0 &&
        byteLength >= 0 &&
        offset + byteLength <= end
      )
    ) {
      throw new CorruptModelError(
        MANIFEST,
        `array "${name}": bytes ${offset} to ${offset + byteLength} are not in ${WEIGHTS}`,
      )
    }
    return weights.view(offset, offset + byteLength)
  }

  private check({ name, xxh32: stored }: ArrayRecord, ...parts: readonly Uint8Array[]): void {
    if (this.checksum === null) return
    const sum = this.checksum()
    for (const part of parts) sum.add(part)
    if (stored !== sum.value)
      throw new CorruptModelError(
        WEIGHTS,
        `array "${name}" is damaged: its checksum is ${sum.value}, the manifest says ${stored}`,
      )
  }

  private at<T>(items: readonly (T | undefined)[], position: number, what: string): T {
    const item = items[position]
    if (item === undefined)
      throw new CorruptModelError(MANIFEST, `${what} ${position} is referred to, but there are only ${items.length}`)
    return item
  }

  private array(position: number): Tensor {
    return this.at(this.tensors, position, 'array')
  }

  private resource(record: ResourceRecord): Resource {
    const { name } = record
    if (record.kind === 'variable')
      return {
        kind: 'variable',
        name,
        dtype: record.dtype,
        value: record.value === null ? null : this.array(record.value),
      }
    const [keys, values] = [this.array(record.keys), this.array(record.values)]
    if (record.kind === 'mutable-table') {
      const reserved = record.reserved.map((key) => this.array(key))
      const table = new (this.mutable as typeof MutableTable)(
        name,
        keys.dtype,
        values.dtype,
        record.valueShape,
        reserved,
      )
      table.insert(keys, values)
      return table
    }
    const slots = this.array(record.slots)
    const size = sizeOf(slots.shape)
    // Without a free slot a key that is not there would be looked for without end.
    if (record.kind !== 'static-table' || slots.dtype !== 'int32' || size & (size - 1) || !slots.data.includes(0))
      throw new CorruptModelError(MANIFEST, `table "${name}" is of no known kind, or has no index`)
    if (sizeOf(keys.shape) !== sizeOf(values.shape))
      throw new CorruptModelError(MANIFEST, `table "${name}" has not one value a key`)
    const table = new StaticTable(name, keys.dtype, values.dtype)
    table.restore(keys, values, slots.data)
    return table
  }

  /** @param graphs those of the signatures, in their order */
  towers({ query, candidate, similarity, ...rest }: TowersRecord, graphs: readonly Graph[]): Towers {
    const tower = (record: TowerRecord | null): TowerDefinition | null =>
      record === null
        ? null
        : {
            signature: record.signature,
            inputs: record.inputs.map((port) => this.port(port)),
            output: this.port(record.output),
            graph:
              typeof record.graph === 'number' ? this.at(graphs, record.graph, 'signature') : this.graph(record.graph),
          }
    return { ...rest, query: tower(query), candidate: tower(candidate), similarity: similarity as Similarity | null }
  }

  port({ fallback, ...rest }: PortRecord): Port {
    return fallback === undefined ? rest : { ...rest, fallback: this.array(fallback) }
  }

  graph(record: GraphRecord): Graph {
    const nodes: Node[] = []
    for (const { name, op, inputs = [], controls = [], attrs = {} } of record.nodes) {
      const values = Object.entries(attrs).map(([key, attr]) => [key, this.attribute(attr)] as const)
      nodes.push({
        name,
        op,
        attrs: new Attrs(Object.fromEntries(values)),
        inputs: inputs.map(([node, index]) => ({ node: this.at(nodes, node, 'node'), index })),
        controls: controls.map((node) => this.at(nodes, node, 'node')),
      })
    }
    return {
      parameters: record.parameters.map((node) => this.at(nodes, node, 'node')),
      nodes,
      outputs: record.outputs.map(([node, index]) => ({ node: this.at(nodes, node, 'node'), index })),
    }
  }

  private attribute(attr: AttrRecord): Attr {
    if (typeof attr !== 'object') return attr
    if (isList(attr)) return attr.map((item) => this.attribute(item))
    if ('bytes' in attr) return Uint8Array.from(atob(attr.bytes), (char) => char.charCodeAt(0))
    if ('int' in attr) return BigInt(attr.int)
    if ('float' in attr) return Number(attr.float)
    if ('shape' in attr) return { shape: attr.shape }
    if ('graph' in attr) return { graph: this.graph(attr.graph) }
    if ('resource' in attr) return { tensor: this.at(this.handles, attr.resource, 'resource') }
    return { tensor: this.array(attr.array) }
  }
}

/** A loop and no function for each: it is run once, by code that is not optimized yet. */
function rises(positions: Uint32Array): boolean {
  for (let i = 1; i < positions.length; i++) if (positions[i] < positions[i - 1]) return false
  return true
}

const isList = (attr: AttrRecord): attr is readonly AttrRecord[] => Array.isArray(attr)
