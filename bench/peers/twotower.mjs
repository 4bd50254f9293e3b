import { Attrs, constant } from '../../dist/graph/index.js'
import { Bundle, load } from '../../dist/index.js'
import { lower } from '../../dist/lower/index.js'
import { loadAllOps } from '../../dist/ops/all.js'

export const twotower = { name: 'twotower', start: () => ({ tower: (spec) => towerOf(spec, 'float32') }) }

/** The same with its layers in bytes. */
export const int8 = {
  name: 'twotower int8',
  start: () => ({
    async tower(spec) {
      const make = await towerOf(spec, 'int8')
      return (rows) => ({ ...make(rows), within: 0.05 })
    },
  }),
}

/** The tower as an importer would give it, through the passes and the flat format. */
export const bundleOf = async (spec, dtype) => Bundle.of(lower(definition(spec), await loadAllOps(), dtype))

/** And `load`, as any model goes. */
async function towerOf(spec, dtype) {
  const bundle = await bundleOf(spec, dtype)
  const model = await load({ manifest: bundle.manifest, weights: bundle.weights })
  return (rows) => ({ call: () => model.query.embed({ x: rows }).data })
}

function definition({ name, width, layers }) {
  const parameter = { name: 'x', op: 'Parameter', attrs: Attrs.none, inputs: [], controls: [] }
  const nodes = [parameter]
  const add = (node) => {
    nodes.push(node)
    return { node, index: 0 }
  }
  const op = (label, type, ...inputs) => add({ name: label, op: type, attrs: Attrs.none, inputs, controls: [] })
  let value = { node: parameter, index: 0 }
  for (const [i, { k, n, weights, bias, relu }] of layers.entries()) {
    const kernel = add(constant(`dense_${i}/kernel`, { dtype: 'float32', shape: [k, n], data: weights }))
    const shift = add(constant(`dense_${i}/bias`, { dtype: 'float32', shape: [n], data: bias }))
    value = op(`dense_${i}/BiasAdd`, 'BiasAdd', op(`dense_${i}/MatMul`, 'MatMul', value, kernel), shift)
    if (relu) value = op(`dense_${i}/Relu`, 'Relu', value)
  }
  const graph = { parameters: [parameter], nodes, outputs: [value] }
  const inputs = [{ name: 'x', dtype: 'float32', shape: [null, width] }]
  const output = { name: 'embedding', dtype: 'float32', shape: [null, layers.at(-1).n] }
  const query = { signature: 'serving_default', inputs, output, graph }
  return {
    source: `the tower ${name}`,
    signatures: [{ name: 'serving_default', method: '', inputs, outputs: [output], graph }],
    towers: { query, candidate: null, similarity: null, joint: null, notes: [] },
  }
}
