// What the package's types name of a browser's, for those who compile for Node: neither its types nor ECMAScript's have these.
// Where they are known, as in TypeScript's DOM, this adds nothing to them.

declare global {
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
  }

  interface FileSystemDirectoryHandle {
    readonly kind: 'directory'
  }
}

export {}
