// What Node, Deno and Bun run: the cases on the package as installed. Arguments: the address and the path of the data, and
// 'strict' where no code may be made out of text.
import * as twotower from 'twotower'
import * as search from 'twotower/search'
import { runCases } from './cases.mjs'

const [data, disk, strict] = process.argv.slice(2)
console.log(JSON.stringify(await runCases({ twotower, search, data, disk, strict: strict === 'strict' })))
