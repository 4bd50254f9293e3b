// What workerd runs: the cases, with the kernels that the deployment compiled. The address of the data is in the binding.
import * as twotower from 'twotower'
import wasm from 'twotower/kernels.wasm'
import * as search from 'twotower/search'
import { runCases } from '../cases.mjs'

export default {
  async fetch(_, { DATA: data }) {
    // A Worker makes no code out of text, and has neither a file system nor a page.
    return Response.json(await runCases({ twotower, search, wasm, data, strict: true }))
  },
}
