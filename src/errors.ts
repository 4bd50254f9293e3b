/** A graph asks for an operation that twotower does not run. Names the op and the node. */
export class UnsupportedOpError extends Error {
  override name = 'UnsupportedOpError'
  /** The op as TensorFlow names it, for example `RaggedCross`. */
  readonly op: string
  /** The node's full name in the graph. */
  readonly node: string
  constructor(op: string, node: string, advice: string) {
    super(`op ${op} (node "${node}") is not supported: ${advice}`)
    this.op = op
    this.node = node
  }
}

/** A SavedModel, a checkpoint or a bundle is damaged, cut short or contradicts itself. Names the file. */
export class CorruptModelError extends Error {
  override name = 'CorruptModelError'
  /** The file inside the model's folder. */
  readonly file: string
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options)
    this.file = file
  }
}

/**
 * What TensorFlow itself would refuse while a graph runs (its InvalidArgumentError and kin): an assertion of the graph,
 * an index out of range, shapes that do not go together. Names the node.
 */
export class InvalidArgumentError extends RangeError {
  override name = 'InvalidArgumentError'
}
