// What HTTP and JSON alone cost on Node: the body is parsed, and an answer of the same size is always the same.
import { createServer } from 'node:http'
import { TOWERS } from '../towers.mjs'

const text = JSON.stringify({ predictions: [Array.from(TOWERS[0].layers.at(-1).bias)] })
const server = createServer((request, response) => {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    JSON.parse(Buffer.concat(parts).toString())
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
    response.end(text)
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
