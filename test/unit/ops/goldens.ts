import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type Attr, Attrs, type Op } from '../../../src/graph/index.ts'
import { opOf } from '../../../src/import/complex.ts'
import {
  ARRAYS,
  type ArrayDType,
  type DType,
  isBig,
  isComplex,
  isFloat,
  partOf,
  Strings,
  sizeOf,
  type Tensor,
} from '../../../src/tensor/index.ts'

/** Bytes: in base64, or where they are many compressed before that. */
type Packed = { readonly b64: string } | { readonly deflate: string }

const unpacked = (bytes: Packed): Uint8Array =>
  'b64' in bytes
    ? new Uint8Array(Buffer.from(bytes.b64, 'base64'))
    : new Uint8Array(inflateSync(Buffer.from(bytes.deflate, 'base64')))

/** A tensor as test/fixtures/make/opcases.py writes it: the format of the goldens of whole models. */
export interface GoldenTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly (number | string | boolean | Packed)[]
  /** In place of `data`, where it is long: its bytes, little-endian, compressed, in base64. */
  readonly deflate?: string
}

/** A tensor, or the number of one that the file holds before: those that it holds whole are counted from 0. */
export type Written = GoldenTensor | { readonly same: number }

/** One raw op as TensorFlow ran it. `attrs` holds bytes as {"b64"}, dtypes by name, shapes as {"shape": […]}. */
interface OpCase<T = GoldenTensor> {
  readonly op: string
  readonly note?: string
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: readonly T[]
  readonly outputs?: readonly T[]
  readonly error?: string
}

function casesOf(file: string): OpCase[] {
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: OpCase<Written>[] }
  const whole: GoldenTensor[] = []
  const read = (written: Written): GoldenTensor => {
    if ('same' in written) return whole[written.same]
    whole.push(written)
    return written
  }
  return cases.map(({ inputs, outputs, ...rest }) => ({
    ...rest,
    inputs: inputs.map(read),
    ...(outputs === undefined ? {} : { outputs: outputs.map(read) }),
  }))
}

/**
 * Ops whose zeros may have either sign. Of two zeros TensorFlow takes one by whether the element stood in a vector or in the
 * tail of the tensor; and it sums rows from the first one, which is −0 where all are, or takes what is the only row for the sum.
 */
const EITHER_ZERO = new Set(
  `LeakyRelu Max Maximum Mean Min Minimum QuantizeAndDequantizeV2 Relu Relu6 RsqrtGrad SparseSegmentMean SparseSegmentSqrtN SparseSegmentSum
  SparseTensorDenseMatMul Sum Xdivy Xlog1py Xlogy`.split(/\s+/),
)

/**
 * Registers a test for each case of test/fixtures/ops/FAMILY.json: equal to TensorFlow, or refused where it refuses.
 * @param which whether all of the file's ops must be in `ops`
 */
export function goldenOps(
  family: string,
  ops: Readonly<Record<string, Op>>,
  which: 'all' | 'those that are there' = 'all',
): void {
  const file = fileURLToPath(new URL(`../../fixtures/ops/${family}.json`, import.meta.url))
  if (!existsSync(file)) throw new Error(`${file} is missing: test/fixtures/make/README.md says how it is made`)
  casesOf(file).forEach((example, i) => {
    if (which !== 'all' && ops[opOf(example.op, attrsOf(example))] === undefined) return
    const kinds = example.inputs.map((t) => `${t.dtype}[${t.shape}]`).join(', ')
    test(`${family} #${i}: ${example.op}(${kinds}) ${example.error ? 'is refused' : 'equals TensorFlow'} ${example.note ?? ''}`, async () => {
      const attrs = attrsOf(example)
      const name = opOf(example.op, attrs)
      const op = ops[name]
      expect(op, `op ${name} has an entry`).toBeDefined()
      const inputs = example.inputs.map(tensorOf)
      const node = { name: 'case', op: name, attrs, inputs: [], controls: [] }
      await op.prepare?.(attrs)
      const run = () => op.evaluate({ inputs, attrs, node, files: new Map(), run: () => [] })
      if (example.error !== undefined) {
        expect(run).toThrow()
        return
      }
      const result = run()
      const outputs = 'dtype' in result ? [result] : [...result]
      expect(outputs.length).toBeGreaterThanOrEqual(example.outputs?.length ?? 0)
      example.outputs?.forEach((golden, o) => {
        expectEqual(outputs[o] as Tensor, golden, `output ${o}`, /FFT/.test(example.op))
        if (!EITHER_ZERO.has(example.op)) expectZeros(outputs[o] as Tensor, golden, `output ${o}`)
      })
    })
  })
}

/**
 * @param cancelling where large numbers cancel in float32 sums, whose order TensorFlow does not promise: an error of a few
 *   units in the last place of the tensor's largest value is then no error of a small one
 * @throws where `got` is not the golden tensor: exactly, or for floats within 1e-5 relative or 1e-6 absolute
 */
export function expectEqual(got: Tensor, golden: GoldenTensor, what: string, cancelling = false): void {
  expect(got?.dtype, `${what}: dtype`).toBe(golden.dtype)
  expect([...got.shape], `${what}: shape`).toEqual([...golden.shape])
  const wanted = tensorOf(golden)
  if (got.dtype === 'string' && wanted.dtype === 'string') {
    for (let i = 0; i < wanted.data.length; i++) {
      expect(Buffer.from(got.data.at(i)).toString('latin1'), `${what}[${i}]`).toBe(
        Buffer.from(wanted.data.at(i)).toString('latin1'),
      )
    }
    return
  }
  if (got.dtype === 'resource' || got.dtype === 'variant') throw new Error(`${what} is a ${got.dtype}`)
  const [a, b] = [got.data as ArrayLike<number | bigint>, wanted.data as ArrayLike<number | bigint>]
  const loose = golden.dtype === 'bfloat16' ? 1e-2 : golden.dtype === 'float16' ? 2e-3 : 1e-5
  const largest = cancelling
    ? Array.from(b, (x) => Math.abs(Number(x))).reduce((top, x) => (Number.isFinite(x) ? Math.max(top, x) : top), 1)
    : 1
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue
    const off = isFloat(partOf(golden.dtype)) ? Math.abs(Number(a[i]) - Number(b[i])) : Number.POSITIVE_INFINITY
    if (!(off <= 1e-6 * largest || off <= loose * Math.abs(Number(b[i]))))
      throw new Error(`${what}[${i}]: TensorFlow says ${b[i]}, got ${a[i]}`)
  }
}

/** @throws where a zero of `got` has not the sign that it has in the golden tensor: AsString writes it, and 1 / x shows it */
function expectZeros(got: Tensor, golden: GoldenTensor, what: string): void {
  if (!isFloat(partOf(golden.dtype))) return
  const [a, b] = [got, tensorOf(golden)].map(({ data }) => data as ArrayLike<number>)
  for (let i = 0; i < b.length; i++) {
    if (b[i] === 0 && Object.is(a[i], -b[i])) throw new Error(`${what}[${i}]: the sign of a zero is another`)
  }
}

/** The tensor that a golden's JSON stands for. */
export function tensorOf({ dtype, shape, data, deflate }: GoldenTensor): Tensor {
  if (deflate !== undefined) {
    const bytes = Uint8Array.from(inflateSync(Buffer.from(deflate, 'base64')))
    return { dtype, shape, data: new ARRAYS[partOf(dtype) as ArrayDType](bytes.buffer) } as Tensor
  }
  if (dtype === 'string') {
    const values = data.map((v) => (typeof v === 'object' ? unpacked(v) : String(v)))
    return { dtype, shape, data: Strings.from(values) }
  }
  const array = new ARRAYS[partOf(dtype) as ArrayDType](sizeOf(shape) * (isComplex(dtype) ? 2 : 1))
  data.forEach((value, i) => {
    array[i] = isBig(dtype) ? BigInt(value as number | string) : Number(value)
  })
  return { dtype, shape, data: array } as Tensor
}

/** The attributes of a case. */
export const attrsOf = ({ attrs }: { readonly attrs: Readonly<Record<string, unknown>> }): Attrs =>
  new Attrs(Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, attrOf(value)])))

export function attrOf(value: unknown): Attr {
  if (Array.isArray(value)) return value.map(attrOf)
  if (typeof value === 'object' && value !== null && ('b64' in value || 'deflate' in value))
    return unpacked(value as Packed)
  if (typeof value === 'object' && value !== null && 'int' in value) return BigInt(String(value.int))
  if (typeof value === 'object' && value !== null && 'tensor' in value)
    return { tensor: tensorOf(value.tensor as GoldenTensor) }
  return value as Attr
}
