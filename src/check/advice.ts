/** What an op is, and what whoever meets it in an export can do. */
export interface Advice {
  readonly kind: string
  readonly todo: string
}

interface Kind extends Advice {
  readonly pattern: RegExp
}

const EXPORT_SERVING =
  'export a serving signature: the function that predicts, traced with training=False, without the loss and the optimizer'
/** The first whose pattern an op's name fits says what it is. */
const KINDS: readonly Kind[] = [
  {
    pattern:
      /^(Resource)?(Sparse)?Apply[A-Z]|Grad(V\d+|Ext)?$|Gradients?$|^SymbolicGradient$|Backprop(Input|Filter)(V\d+)?$/,
    kind: 'training op',
    todo: EXPORT_SERVING,
  },
  {
    pattern: /^(SaveV?\d?|SaveSlices|ShardedFilename|MergeV2Checkpoints|WriteFile|.*Summary(V2)?|.*Summary\w*Writer)$/,
    kind: 'training op',
    todo: `${EXPORT_SERVING}, and without checkpoints and summaries`,
  },
  {
    pattern: /Dataset(V\d+)?$|Iterator|^(ReadFile|MatchingFiles|.*Reader\w*|Queue\w+|.*Queue(V2)?)$/,
    kind: 'input pipeline op',
    todo: 'export a signature that takes the features themselves, as tensors, instead of reading them',
  },
  {
    pattern: /^(Eager)?PyFunc(Stateless)?$/,
    kind: 'Python op',
    todo: 'the graph calls Python, which no export contains: write the function with TensorFlow ops, or compute what it makes before the model and take that as an input',
  },
  {
    pattern:
      /^Decode(And\w+|Bmp|Gif|Image|Jpeg|Png|Wav|Video|WebP)|^(Extract|Encode)(Jpeg|Png)|^ResizeB|^CropAndResize/,
    kind: 'image or sound op',
    todo: 'decode it before the model: export a signature that takes the pixels or samples as numbers',
  },
  {
    pattern: /[Tt]okeniz|^Sentence?piece|Wordpiece|^TFText>/,
    kind: 'text op',
    todo: 'text tokenizer outside: export a signature that takes token ids, and declare the tokenizer in preprocess.json',
  },
  {
    pattern: /^Xla|^_Xla/,
    kind: 'compiled op',
    todo: 'the function is compiled for XLA: export its graph, from JAX with jax2tf.convert(…, native_serialization=False)',
  },
  {
    pattern: /^TPU|^_TPU|TPUEmbedding/,
    kind: 'TPU op',
    todo: 'export for the CPU: choose a meta graph without the tag tpu (--tags serve), or save the model outside the TPU strategy',
  },
  {
    pattern: /^TRTEngineOp$|^CreateTRTResource/,
    kind: 'TensorRT op',
    todo: 'give the SavedModel as it was before the conversion to TensorRT',
  },
  {
    pattern: /^(_?Send|_?Recv|_HostSend|_HostRecv|Collective\w+|Nccl\w+)$/,
    kind: 'op between devices',
    todo: 'save the model outside the distribution strategy: one device, one graph',
  },
  {
    pattern: /^(Ref)?(Enter|Exit|NextIteration)$/,
    kind: 'TF1 loop',
    todo: 'export with control flow v2: tf.compat.v1.enable_control_flow_v2() before the graph is built',
  },
  {
    pattern: /^Placeholder(V2)?$/,
    kind: 'input that the signature does not take',
    todo: 'nothing gives it a value: export a signature that has it among its inputs, or a graph that has a constant or a tf.compat.v1.placeholder_with_default in its place',
  },
  {
    pattern: /^SimpleML|^YggdrasilDecisionForests/,
    kind: 'custom op',
    todo: 'a decision forest of a library of its own: it has to be run by that library, outside the towers',
  },
  {
    pattern: / of (float8_\w+|u?int[24])$/,
    kind: 'op on a type of 8 bits or fewer',
    todo: 'cast to float32, or to int8, before the export, or export a signature that does without it: twotower does not read this type',
  },
  {
    pattern: / of DataType \d+$/,
    kind: 'op on a type that is newer than twotower',
    todo: 'cast to a type that twotower reads before the export, float32 say, or export a signature that does without it',
  },
  {
    pattern: / with \w+$/,
    kind: 'op with an option',
    todo: 'without the option it runs (singular values and eigenvalues without their vectors, say): export a signature that does without it, or compute what needs it before the model',
  },
  {
    pattern: / of complex\d+$/,
    kind: 'op on complex numbers',
    todo: 'compute it from the real parts and the imaginary parts (tf.math.real, tf.math.imag), or ask for it by name',
  },
  {
    pattern: / of \w+$/,
    kind: 'op on a type that it is not run for',
    todo: 'cast to a type that it is run for before it, float32 or int32 say, and back after it; or export a signature that does without it',
  },
  {
    pattern: />/,
    kind: 'custom op',
    todo: 'it comes from a library outside TensorFlow: write what it computes with TensorFlow ops, or compute it before the model and take the result as an input',
  },
]
const OTHERWISE: Advice = {
  kind: 'op',
  todo: 'a custom op, or one of TensorFlow that twotower does not have yet: write what it computes with ops that twotower has, export a signature that takes its result as an input, or ask for it by name',
}
/** What op `name`, which twotower lacks, is and what to do about it. */
export function adviceOn(name: string): Advice {
  const { kind, todo } = KINDS.find(({ pattern }) => pattern.test(name)) ?? OTHERWISE
  return {
    kind,
    todo,
  }
}
