// The least that a server of tfjs-wasm can do: Node's own HTTP, JSON, one fused kernel a layer.
import { createServer } from 'node:http'
import { loadTfjs } from '../peers/tfjs.mjs'
import { TOWERS } from '../towers.mjs'

const tf = await loadTfjs('wasm')
const [{ width, layers }] = TOWERS
const held = layers.map(({ k, n, weights, bias, relu }) => ({
  b: tf.tensor2d(weights, [k, n]),
  bias: tf.tensor1d(bias),
  activation: relu ? 'relu' : 'linear',
}))

function predict({ instances }) {
  let rows
  tf.tidy(() => {
    const x = tf.tensor2d(Float32Array.from(instances.flat()), [instances.length, width])
    rows = held.reduce((a, layer) => tf.fused.matMul({ a, ...layer }), x).dataSync()
  })
  const size = rows.length / instances.length
  return instances.map((_, i) => Array.from(rows.subarray(i * size, (i + 1) * size)))
}

const server = createServer((request, response) => {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    const predictions = predict(JSON.parse(Buffer.concat(parts).toString()))
    const text = JSON.stringify({ predictions })
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
