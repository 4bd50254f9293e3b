import type { tensorflow } from '../savedmodel/index.ts'

type Defs = ReadonlyMap<string, tensorflow.NodeDef.$Properties>

/** The functions of an export's library by the nodes that were inlined from them. */
export class Callers {
  private readonly scopes: { readonly top: Defs; readonly functions: ReadonlyMap<string, Defs> }[]

  constructor(metaGraphs: readonly tensorflow.MetaGraphDef.$Properties[]) {
    this.scopes = metaGraphs.map(({ graphDef }) => ({
      top: byName(graphDef?.node ?? []),
      functions: new Map(
        (graphDef?.library?.function ?? []).map((def) => [def.signature?.name ?? '', byName(def.nodeDef ?? [])]),
      ),
    }))
  }

  /**
   * The functions that node `name` stands in, the outermost first. A node's name begins with the names of the calls that
   * it was inlined from; in a branch or a loop's body, with that function's own name.
   */
  of(name: string): string[] {
    for (const { top, functions } of this.scopes) {
      const found: string[] = []
      let [defs, rest] = [top, name]
      for (let end = rest.indexOf('/'); end >= 0; end = rest.indexOf('/', end + 1)) {
        const call = defs.get(rest.slice(0, end))
        const called = call === undefined ? rest.slice(0, end) : (call.attr?.f?.func?.name ?? call.op ?? '')
        const body = functions.get(called)
        if (body === undefined) continue
        found.push(called)
        defs = body
        rest = rest.slice(end + 1)
        end = -1
      }
      if (found.length > 0) return found
    }
    return []
  }
}

const byName = (nodes: readonly tensorflow.NodeDef.$Properties[]): Defs =>
  new Map(nodes.map((def) => [def.name ?? '', def]))
