import { show } from './app.mjs'

const [data] = typeof process === 'object' ? process.argv.slice(2) : [location.origin]
globalThis.shown = show(data)
globalThis.shown.then((shown) => console.log(JSON.stringify(shown)))
