// Takes vector constants out of loops. V8 makes a constant anew, in three to five instructions, at each use: of a loop of exp
// that is half from Turboshaft on (Node 22 and later, Deno, Chromium), and before in any loop whose constants stand nowhere
// else. A local that is set before the loop it keeps in a register or reads from the stack in one, if what it is set to is
// not seen to be a constant: it is read from a table in the kernels' own part of memory.
//
// gzip finds a polynomial that many functions have only where it is the same bytes in all of them: so a constant is the
// same local everywhere, at the cost of locals that a function has without using them.
import binaryen from 'binaryen'

/** Where the table lies: from asconfig.json's memoryBase to ARENA_START of src/engine/kernels.ts. */
const TABLE = 64
const TABLE_END = 1024

/** The first local of a constant, in functions that have not more of their own. */
const FIRST = 14

/**
 * @param {readonly (readonly Uint8Array[])[]} groups modules of compiled kernels, those first that should have the shortest tables
 * @returns {Uint8Array[][]} the same with all vector constants within loops in locals, set before the outermost loop. Of one
 *   table each has the beginning, so that several may be on one memory.
 */
export function withConstantsHoisted(groups) {
  const table = []
  return groups.map((modules) => {
    const trees = modules.map(treeOf)
    if (trees.flat().some(([head]) => head === 'data'))
      throw new Error('kernels with static data: where it would lie are the constants')
    const functions = trees.flat().filter(([head]) => head === 'func')
    for (const constant of byUse(functions.map(constantsInLoops))) if (!table.includes(constant)) table.push(constant)
    if (TABLE + 4 * table.length > TABLE_END) throw new Error(`no room for ${table.length} constants`)
    for (const func of functions) hoist(func, table)
    return trees.map((tree) => bytesOf([...tree, data(table)]))
  })
}

function treeOf(wasm) {
  const module = binaryen.readBinary(wasm)
  module.setFeatures(binaryen.Features.All)
  const tree = parse(module.emitText())
  module.dispose()
  return tree
}

function bytesOf(tree) {
  const module = binaryen.parseText(print(tree))
  module.setFeatures(binaryen.Features.All)
  if (!module.validate()) throw new Error('the kernels with their constants before the loops are no valid module')
  const bytes = module.emitBinary()
  module.dispose()
  return bytes
}

function data(table) {
  const lanes = Int32Array.from(table, Number)
  const digits = Buffer.from(lanes.buffer).toString('hex')
  return ['data', ['i32.const', `${TABLE}`], `"${digits.replace(/../g, '\\$&')}"`]
}

/** The constants of sets, those first that most sets have. */
function byUse(sets) {
  const uses = new Map()
  for (const constant of sets.flatMap((set) => [...set])) uses.set(constant, (uses.get(constant) ?? 0) + 1)
  return [...uses].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([constant]) => constant)
}

function constantsInLoops(func) {
  const found = new Set()
  replaceIn(func, (node) => {
    if (node[0] === 'loop') for (const constant of constantsIn(node)) found.add(constant)
    return node
  })
  return found
}

function constantsIn(node) {
  const constant = constantOf(node)
  if (constant !== null) return [constant]
  return node.flatMap((child) => (Array.isArray(child) ? constantsIn(child) : []))
}

/** All bits or none are one instruction wherever they stand. */
const CHEAP = ['0x00000000', '0xffffffff']

/** The lane of a constant of four like lanes, else null. */
function constantOf([head, , lane, ...others]) {
  if (head !== 'v128.const' || CHEAP.includes(lane) || others.some((other) => other !== lane)) return null
  return lane
}

/** What stands before a function's instructions. */
const HEAD = new Set(['export', 'import', 'type', 'param', 'result', 'local'])

function hoist(func, table) {
  const mine = constantsInLoops(func)
  if (mine.size === 0) return
  const nameOf = (constant) => `$constant${table.indexOf(constant)}`
  const set = (constant) => {
    const address = ['i32.const', `${TABLE + 4 * table.indexOf(constant)}`]
    return ['local.set', nameOf(constant), ['v128.load32_splat', address]]
  }
  replaceIn(func, (node) => {
    if (node[0] !== 'loop') return node
    const inside = new Set(constantsIn(node))
    replaceIn(node, (inner) => (constantOf(inner) === null ? inner : ['local.get', nameOf(constantOf(inner))]))
    const sets = table.filter((each) => inside.has(each)).map(set)
    return sets.length === 0 ? node : ['block', ...node.filter(([head]) => head === 'result'), ...sets, node]
  })
  const own = func.filter(([head]) => head === 'param' || head === 'local').length
  const last = table.findLastIndex((each) => mine.has(each))
  const names = [
    ...Array.from({ length: Math.max(0, FIRST - own) }, (_, i) => `$unused${i}`),
    ...table.slice(0, last + 1).map(nameOf),
  ]
  const start = func.findIndex((item, i) => i > 1 && !HEAD.has(item[0]))
  func.splice(start, 0, ...names.map((name) => ['local', name, 'v128']))
}

/** Puts `change` of each node below `node` in its place; what it leaves as it is, is gone into. */
function replaceIn(node, change) {
  for (const [i, child] of node.entries()) {
    if (!Array.isArray(child)) continue
    node[i] = change(child)
    if (node[i] === child) replaceIn(child, change)
  }
}

/** A module's text as nested lists. */
function parse(text) {
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+/g)
  const list = () => {
    const items = []
    for (const [token] of tokens) {
      if (token === ')') break
      items.push(token === '(' ? list() : token)
    }
    return items
  }
  return list()[0]
}

const print = (node) => (Array.isArray(node) ? `(${node.map(print).join(' ')})` : node)
