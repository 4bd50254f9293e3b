import { type ReadDType, type Tensor, utf8 } from '../tensor/index.ts'
import type { Dim, Graph } from './graph.ts'

/**
 * An attribute of a node. A string that is UTF-8, and a dtype's name, are strings; other bytes are bytes; an integer
 * past 2^53 is a bigint; a shape is its dimensions in an object of its own, because lists hold shapes too.
 */
export type Attr =
  | string
  | Uint8Array
  | number
  | bigint
  | boolean
  | { readonly shape: readonly Dim[] | null }
  | { readonly tensor: Tensor }
  | { readonly graph: Graph }
  | readonly Attr[]

/** The attributes of one node, read by name and kind. An absent attribute answers its default, as TensorFlow's OpDefs do. */
export class Attrs {
  private readonly values: Readonly<Record<string, Attr>>
  /** Strings as bytes, made when they are first asked for: an op asks at each run, and keys what it compiles by them. */
  private encoded: Map<string, Uint8Array> | null = null

  constructor(values: Readonly<Record<string, Attr>>) {
    this.values = values
  }

  static readonly none = new Attrs({})

  entries(): [string, Attr][] {
    return Object.entries(this.values)
  }

  /** The functions among them. All nodes of a model are asked as it is loaded, most have none: nothing is made for those. */
  functions(): readonly Graph[] {
    let graphs = NO_GRAPHS
    for (const name in this.values) {
      const attr = this.values[name]
      if (typeof attr !== 'object') continue
      if (Array.isArray(attr)) for (const item of attr) graphs = withFunction(graphs, item)
      else graphs = withFunction(graphs, attr)
    }
    return graphs
  }

  has(name: string): boolean {
    return this.values[name] !== undefined
  }

  private get<T>(name: string, kind: string, read: (value: Attr) => T | undefined, fallback: T | undefined): T {
    const value = this.values[name]
    if (value === undefined) {
      if (fallback !== undefined) return fallback
      throw new TypeError(`attribute "${name}" (${kind}) is missing`)
    }
    const known = read(value)
    if (known === undefined) throw new TypeError(`attribute "${name}" must be ${kind}`)
    return known
  }

  /** An integer, float or the like within 2^53. */
  number(name: string, fallback?: number): number {
    return this.get(
      name,
      'a number',
      (v) => (typeof v === 'number' || typeof v === 'bigint' ? Number(v) : undefined),
      fallback,
    )
  }

  /** An integer in full. */
  int64(name: string, fallback?: bigint): bigint {
    return this.get(
      name,
      'an integer',
      (v) => (typeof v === 'number' || typeof v === 'bigint' ? BigInt(v) : undefined),
      fallback,
    )
  }

  boolean(name: string, fallback?: boolean): boolean {
    return this.get(name, 'a bool', (v) => (typeof v === 'boolean' ? v : undefined), fallback)
  }

  /** A string of text, such as a padding's name. */
  string(name: string, fallback?: string): string {
    return this.get(
      name,
      'text',
      (v) => (typeof v === 'string' ? v : v instanceof Uint8Array ? (utf8(v) ?? undefined) : undefined),
      fallback,
    )
  }

  /** A string as its bytes, such as a separator. */
  bytes(name: string, fallback?: Uint8Array): Uint8Array {
    return this.get(
      name,
      'a string',
      (v) => (typeof v === 'string' ? this.encode(name, v) : v instanceof Uint8Array ? v : undefined),
      fallback,
    )
  }

  private encode(name: string, text: string): Uint8Array {
    this.encoded ??= new Map()
    let bytes = this.encoded.get(name)
    if (bytes === undefined) {
      bytes = new TextEncoder().encode(text)
      this.encoded.set(name, bytes)
    }
    return bytes
  }

  dtype(name: string, fallback?: ReadDType): ReadDType {
    return this.get(name, 'a dtype', (v) => (typeof v === 'string' ? (v as ReadDType) : undefined), fallback)
  }

  /** A shape; null where its rank is unknown. */
  shape(name: string): readonly Dim[] | null {
    const value = this.values[name]
    if (value === undefined) return null
    return this.get<{ readonly shape: readonly Dim[] | null }>(name, 'a shape', asShape, undefined).shape
  }

  tensor(name: string): Tensor {
    return this.get(name, 'a tensor', (v) => (isObject(v) && 'tensor' in v ? v.tensor : undefined), undefined)
  }

  graph(name: string): Graph {
    return this.get(name, 'a function', (v) => (isObject(v) && 'graph' in v ? v.graph : undefined), undefined)
  }

  private list<T>(
    name: string,
    kind: string,
    read: (value: Attr) => T | undefined,
    fallback: readonly T[] | undefined,
  ) {
    return this.get<readonly T[]>(
      name,
      `a list of ${kind}`,
      (v) => {
        if (!Array.isArray(v)) return undefined
        const items = v.map(read)
        return items.every((item) => item !== undefined) ? (items as T[]) : undefined
      },
      fallback,
    )
  }

  numbers(name: string, fallback?: readonly number[]): readonly number[] {
    return this.list(
      name,
      'numbers',
      (v) => (typeof v === 'number' || typeof v === 'bigint' ? Number(v) : undefined),
      fallback,
    )
  }

  /** Integers in full. */
  int64s(name: string, fallback?: readonly bigint[]): readonly bigint[] {
    return this.list(
      name,
      'integers',
      (v) => (typeof v === 'number' || typeof v === 'bigint' ? BigInt(v) : undefined),
      fallback,
    )
  }

  strings(name: string, fallback?: readonly string[]): readonly string[] {
    return this.list(name, 'strings', (v) => (typeof v === 'string' ? v : undefined), fallback)
  }

  dtypes(name: string, fallback?: readonly ReadDType[]): readonly ReadDType[] {
    return this.list(name, 'dtypes', (v) => (typeof v === 'string' ? (v as ReadDType) : undefined), fallback)
  }

  shapes(name: string, fallback?: readonly (readonly Dim[] | null)[]): readonly (readonly Dim[] | null)[] {
    return this.list<{ readonly shape: readonly Dim[] | null }>(
      name,
      'shapes',
      asShape,
      fallback?.map((shape) => ({ shape })),
    ).map((item) => item.shape)
  }

  graphs(name: string): readonly Graph[] {
    return this.list(name, 'functions', (v) => (isObject(v) && 'graph' in v ? v.graph : undefined), undefined)
  }
}

const isObject = (value: Attr): value is Exclude<Attr, string | number | bigint | boolean> => typeof value === 'object'

const NO_GRAPHS: readonly Graph[] = []

const withFunction = (graphs: readonly Graph[], attr: Attr): readonly Graph[] =>
  isObject(attr) && 'graph' in attr ? [...graphs, attr.graph] : graphs

const asShape = (value: Attr): { readonly shape: readonly Dim[] | null } | undefined =>
  isObject(value) && 'shape' in value ? value : undefined

/** The functions among the attributes of `node`. */
export const functionsOf = (node: { readonly attrs: Attrs }): readonly Graph[] => node.attrs.functions()
