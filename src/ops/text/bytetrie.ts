/** A trie over bytes, built word by word: an open-addressing table from a node and a byte to the next node. */
export class ByteTrie {
  static readonly ROOT = 0
  /** Nodes' values, -1 where no word ends. */
  private values = new Int32Array(64).fill(-1)
  private nodes = 1
  /** Node times 256 plus byte, -1 in a free slot; and the node that they lead to. */
  private keys = new Float64Array(128).fill(-1)
  private next = new Int32Array(128)

  /** @param value not negative; false where the word is there already */
  add(word: Uint8Array, value: number): boolean {
    let node = ByteTrie.ROOT
    for (const byte of word) node = this.child(node, byte)
    if (this.values[node] >= 0) return false
    this.values[node] = value
    return true
  }

  private child(node: number, byte: number): number {
    const known = this.step(node, byte)
    if (known >= 0) return known
    if (this.nodes * 2 >= this.keys.length) this.grow()
    const made = this.nodes++
    const slot = this.slotOf(node * 256 + byte)
    this.keys[slot] = node * 256 + byte
    this.next[slot] = made
    return made
  }

  private grow(): void {
    const [keys, next, values] = [this.keys, this.next, this.values]
    this.keys = new Float64Array(keys.length * 2).fill(-1)
    this.next = new Int32Array(keys.length * 2)
    this.values = new Int32Array(values.length * 2).fill(-1)
    this.values.set(values)
    keys.forEach((key, i) => {
      if (key < 0) return
      const slot = this.slotOf(key)
      this.keys[slot] = key
      this.next[slot] = next[i]
    })
  }

  /** The slot of `key`, or the free one where it belongs. */
  private slotOf(key: number): number {
    const mask = this.keys.length - 1
    // The low bits are a byte: a multiplication spreads them.
    let slot = (Math.imul(key % 0x100000000, 0x9e3779b1) >>> 8) & mask
    while (this.keys[slot] !== key && this.keys[slot] >= 0) slot = (slot + 1) & mask
    return slot
  }

  /** The node that `byte` leads to, or -1. */
  step(node: number, byte: number): number {
    const slot = this.slotOf(node * 256 + byte)
    return this.keys[slot] < 0 ? -1 : this.next[slot]
  }

  /** The value of the word that ends at `node`, or -1. */
  valueOf(node: number): number {
    return this.values[node]
  }

  /** The value of `text[start … end)`, or -1. */
  find(text: Uint8Array, start: number, end: number): number {
    let node = ByteTrie.ROOT
    for (let i = start; i < end && node >= 0; i++) node = this.step(node, text[i])
    return node < 0 ? -1 : this.values[node]
  }

  /** How many bytes the longest word takes that `text[start … end)` begins with; 0 for none. */
  longest(text: Uint8Array, start: number, end: number): number {
    let [node, length]: [number, number] = [ByteTrie.ROOT, 0]
    for (let i = start; i < end; i++) {
      node = this.step(node, text[i])
      if (node < 0) break
      if (this.values[node] >= 0) length = i + 1 - start
    }
    return length
  }
}
