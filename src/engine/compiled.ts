/// <reference path="../globals.ts" preserve="true" />
/** What a bundler or a runtime makes of `import wasm from 'twotower/kernels.wasm'`: the type of that entry, and no code. */
declare const kernels: WebAssembly.Module
export default kernels
