// As much of protobuf's wire format as a small ONNX file needs: https://protobuf.dev/programming-guides/encoding

/** An integer of at least 0, seven bits a byte, the lowest first. */
function varint(value) {
  const bytes = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  return Uint8Array.of(...bytes, value)
}

const key = (field, wireType) => varint(field * 8 + wireType)

/** A field of wire type 0. */
export const integer = (field, value) => join(key(field, 0), varint(value))

/** A field of wire type 2: bytes, a string, or a message of fields that are already bytes. */
export function bytes(field, content) {
  const data = typeof content === 'string' ? new TextEncoder().encode(content) : content
  return join(key(field, 2), varint(data.length), data)
}

export const message = (field, ...fields) => bytes(field, join(...fields))

export function join(...parts) {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
