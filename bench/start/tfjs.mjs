// tfjs-wasm to its first product: a layer of the demo's size, weights at hand.
import { tfjsWasm } from '../peers/tfjs.mjs'
import { finished } from './finished.mjs'

const { tf } = await tfjsWasm.start()
finished(tf.matMul(tf.ones([1, 128]), tf.ones([128, 64])).dataSync())
