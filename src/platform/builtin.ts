type Builtins = NodeJS.Process['getBuiltinModule']

/**
 * Node's own module `id`, as Node from 20.16 on, Deno and Bun give it; undefined in a browser and in an edge function. It
 * is asked for, not imported, so that a bundler has nothing to resolve.
 */
export const builtin: Builtins = ((id: string) =>
  (globalThis as { process?: Partial<NodeJS.Process> }).process?.getBuiltinModule?.(id)) as Builtins
