import { type Attr, Attrs, type Graph } from '../graph/index.ts'
import { shapeOf, tensorOf } from '../savedmodel/index.ts'
import type { tensorflow } from '../savedmodel/proto/generated.js'
import { dtypeName } from '../tensor/datatypes.ts'
import { utf8 } from '../tensor/index.ts'

type Proto = tensorflow.AttrValue.$Properties
export type ProtoAttrs = Readonly<Record<string, Proto>>

/** Attributes that describe nothing that an evaluator reads. */
const IGNORED =
  /^(_output_shapes|_class|_collective|_XlaAlreadyClustered|_read_only_resource_inputs|config|config_proto|executor_type|experimental_debug_stripper)/

/**
 * The attributes of a NodeDef. `placeholders` are the attributes of the call that the node's function was inlined for
 * (AttrValue.placeholder names one of them); `build` makes the graph of a function.
 */
export function attributesOf(
  protos: ProtoAttrs,
  placeholders: ProtoAttrs,
  build: (name: string, attrs: ProtoAttrs) => Graph,
): Attrs {
  // A name is whatever the file says, __proto__ too.
  const values: Record<string, Attr> = Object.create(null)
  for (const [name, proto] of Object.entries(protos)) {
    if (IGNORED.test(name)) continue
    const value = attribute(proto, placeholders, build)
    if (value !== undefined) values[name] = value
  }
  return new Attrs(values)
}

type Build = (name: string, attrs: ProtoAttrs) => Graph

function attribute(proto: Proto, placeholders: ProtoAttrs, build: Build): Attr | undefined {
  if (proto.placeholder) {
    const bound = placeholders[proto.placeholder]
    return bound === undefined ? undefined : attribute(bound, {}, build)
  }
  if (proto.s != null) return text(proto.s)
  if (proto.i != null) return integer(proto.i)
  if (proto.f != null) return proto.f
  if (proto.b != null) return proto.b
  // A type that twotower does not read is kept by its name: an op that needs it refuses it then.
  if (proto.type != null) return dtypeName(proto.type)
  if (proto.shape != null) return { shape: shapeOf(proto.shape) }
  if (proto.tensor != null) return held(proto.tensor)
  if (proto.func != null) return { graph: build(proto.func.name ?? '', proto.func.attr ?? {}) }
  const list = proto.list
  if (list == null) return undefined
  if (list.func?.length) return list.func.map((f) => ({ graph: build(f.name ?? '', f.attr ?? {}) }))
  if (list.s?.length) return list.s.map(text)
  if (list.i?.length) return list.i.map(integer)
  if (list.f?.length) return list.f
  if (list.b?.length) return list.b
  if (list.type?.length) return list.type.map(dtypeName)
  if (list.shape?.length) return list.shape.map((shape) => ({ shape: shapeOf(shape) }))
  if (list.tensor?.length) return list.tensor.map((tensor) => ({ tensor: tensorOf(tensor) }))
  return []
}

/** A tensor of a type that twotower does not read is left out: its constant is refused where it is needed, not before. */
function held(proto: tensorflow.TensorProto.$Properties): Attr | undefined {
  try {
    return { tensor: tensorOf(proto) }
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

const text = (bytes: Uint8Array): string | Uint8Array => utf8(bytes) ?? bytes

function integer(value: { toNumber(): number; toString(): string } | number): number | bigint {
  if (typeof value === 'number') return value
  const number = value.toNumber()
  return Number.isSafeInteger(number) ? number : BigInt(value.toString())
}
