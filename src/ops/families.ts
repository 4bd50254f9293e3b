import type { Op } from '../graph/index.ts'

interface Family {
  load(): Promise<{ readonly ops: Readonly<Record<string, Op>> }>
  readonly ops: readonly string[]
}

/** A family that is loaded with the others that nearly every tower needs. */
const common =
  (family: keyof typeof import('./common.ts')): Family['load'] =>
  async () =>
    (await import('./common.ts'))[family]

const names = (list: string): string[] => list.trim().split(/\s+/)

/**
 * Which module holds which op. A model's graph names its ops, so only the families that it needs are loaded; a test
 * holds this list against the modules.
 */
export const FAMILIES: Readonly<Record<string, Family>> = {
  math: {
    load: common('math'),
    ops: names(`
      Abs Acos Acosh Add AddN AddV2 Asin Asinh Atan Atan2 Atanh BitwiseAnd BitwiseOr BitwiseXor Cast Ceil Cos Cosh Div
      DivNoNan Equal Erf Erfc Exp Expm1 Floor FloorDiv FloorMod Greater GreaterEqual Inv Invert IsFinite IsInf IsNan Less
      LessEqual Lgamma Log Log1p LogicalAnd LogicalNot LogicalOr Maximum Minimum Mod Mul MulNoNan Neg NotEqual OnesLike
      Pow LeftShift RealDiv Reciprocal RightShift Rint Round Rsqrt Sigmoid Sign Sin Sinh Sqrt Square SquaredDifference Sub Tan Tanh
      TruncateDiv TruncateMod Xdivy Xlog1py Xlogy ZerosLike
    `),
  },
  linear: {
    load: common('linear'),
    ops: names('BatchMatMul BatchMatMulV2 BatchMatMulV3 BiasAdd BiasAddV1 Einsum MatMul _FusedMatMul'),
  },
  shape: {
    load: common('shape'),
    ops: names(`
      BroadcastArgs BroadcastGradientArgs BroadcastTo ConcatOffset EnsureShape ExpandDims Fill InvertPermutation LinSpace
      Range Rank Reshape Shape ShapeN Size Squeeze
    `),
  },
  slices: {
    load: common('slices'),
    ops: names('Concat ConcatV2 Pack Slice Split SplitV StridedSlice Unpack'),
  },
  gather: {
    load: common('gather'),
    ops: names('Gather GatherNd GatherV2'),
  },
  arrange: {
    load: common('arrange'),
    ops: names(`
      BatchToSpaceND ConjugateTranspose MirrorPad Pad PadV2 Reverse ReverseSequence ReverseV2 Roll SpaceToBatchND Tile
      Transpose
    `),
  },
  reduce: {
    load: common('reduce'),
    ops: names('All Any EuclideanNorm L2Loss Max Mean Min Prod Sum'),
  },
  nn: {
    load: common('nn'),
    ops: names(`
      CheckNumerics CheckNumericsV2 ClipByValue DataFormatVecPermute Elu FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3
      LeakyRelu Relu Relu6 Selu Softplus Softsign
    `),
  },
  softmax: {
    load: common('softmax'),
    ops: names('LogSoftmax Softmax SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits'),
  },
  select: {
    load: common('select'),
    ops: names('OneHot Select SelectV2 Where'),
  },
  scatter: {
    load: () => import('./scatter.ts'),
    ops: names(`
      DynamicPartition DynamicStitch ParallelDynamicStitch ScatterNd TensorScatterAdd TensorScatterMax TensorScatterMin
      TensorScatterSub TensorScatterUpdate
    `),
  },
  rank: {
    load: () => import('./rank.ts'),
    ops: names('ArgMax ArgMin InTopK InTopKV2 TopK TopKV2'),
  },
  unique: {
    load: () => import('./unique.ts'),
    ops: names('ListDiff Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2'),
  },
  bins: {
    load: common('bins'),
    ops: names('Bincount BoostedTreesBucketize Bucketize DenseBincount LowerBound UpperBound'),
  },
  scan: {
    load: () => import('./scan.ts'),
    ops: names('Cumprod Cumsum CumulativeLogsumexp'),
  },
  segment: {
    load: () => import('./segment.ts'),
    ops: names(`
      SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd
      UnsortedSegmentSum
    `),
  },
  conv: {
    load: () => import('./conv.ts'),
    ops: names('AvgPool Conv2D DepthwiseConv2dNative MaxPool'),
  },
  diagonals: {
    load: () => import('./diagonals.ts'),
    ops: names(`
      Diag DiagPart MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3
      MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3
    `),
  },
  control: {
    load: () => import('./control.ts'),
    ops: names(`
      Assert Case ControlTrigger Identity If LoopCond Merge NoOp Print PrintV2 RefMerge RefSwitch StatelessCase
      StatelessIf StatelessWhile Switch While
    `),
  },
  state: {
    load: common('state'),
    ops: names(`
      Assign AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp AssignVariableOp IsVariableInitialized
      ReadVariableOp ResourceGather ResourceGatherNd RestoreV2 VarHandleOp VarIsInitializedOp Variable
      VariableShape VariableV2
    `),
  },
  tables: {
    load: common('tables'),
    ops: names(`
      AnonymousHashTable AnonymousMutableDenseHashTable AnonymousMutableHashTable
      AnonymousMutableHashTableOfTensors HashTable HashTableV2 InitializeTable InitializeTableFromTextFile
      InitializeTableFromTextFileV2 InitializeTableV2 LookupTableExport LookupTableExportV2 LookupTableFind
      LookupTableFindV2 LookupTableImport LookupTableImportV2 LookupTableInsert LookupTableInsertV2
      LookupTableRemoveV2 LookupTableSize LookupTableSizeV2 MutableDenseHashTable MutableDenseHashTableV2
      MutableHashTable MutableHashTableOfTensors MutableHashTableOfTensorsV2 MutableHashTableV2
    `),
  },
  examples: {
    load: () => import('./examples.ts'),
    ops: names('DecodeCSV DecodeJSONExample ParseExample ParseExampleV2 ParseSingleExample'),
  },
  fused: {
    load: common('fused'),
    ops: names('twotower>Dense twotower>DenseInt8 twotower>L2Normalize'),
  },
  pooling: {
    load: common('pooling'),
    ops: names('twotower>PoolRows'),
  },
  sparse: {
    load: () => import('./sparse.ts'),
    ops: names(`
      SparseAdd SparseBincount SparseConcat SparseDenseCwiseAdd SparseDenseCwiseDiv SparseDenseCwiseMul
      SparseFillEmptyRows SparseReduceMax SparseReduceMaxSparse SparseReduceSum SparseReduceSumSparse SparseReorder
      SparseReshape SparseSegmentMean SparseSegmentMeanWithNumSegments SparseSegmentSqrtN
      SparseSegmentSqrtNWithNumSegments SparseSegmentSum SparseSegmentSumWithNumSegments SparseSlice SparseSoftmax
      SparseSplit SparseTensorDenseMatMul SparseToDense
    `),
  },
  sets: {
    load: () => import('./sets.ts'),
    ops: names('DenseToDenseSetOperation DenseToSparseSetOperation SetSize SparseToSparseSetOperation'),
  },
  ragged: {
    load: common('ragged'),
    ops: names(`
      DenseCountSparseOutput RaggedBincount RaggedCountSparseOutput RaggedFillEmptyRows RaggedGather RaggedRange
      RaggedTensorFromVariant RaggedTensorToSparse RaggedTensorToTensor RaggedTensorToVariant SparseCountSparseOutput
    `),
  },
  tensorarrays: {
    load: () => import('./tensorarrays.ts'),
    ops: names(`
      TensorArrayCloseV3 TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3 TensorArrayV3
      TensorArrayWriteV3
    `),
  },
  lists: {
    load: () => import('./lists.ts'),
    ops: names(`
      EmptyTensorList TensorListConcat TensorListConcatV2 TensorListElementShape TensorListFromTensor TensorListGather
      TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack TensorListPushBackBatch
      TensorListReserve TensorListResize TensorListScatter TensorListScatterIntoExistingList TensorListScatterV2
      TensorListSetItem TensorListSplit TensorListStack
    `),
  },
  random: {
    load: () => import('./random.ts'),
    ops: names(`
      Multinomial RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt StatelessMultinomial
      StatelessRandomGetAlg StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg StatelessRandomNormal
      StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2
      StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessTruncatedNormal
      StatelessTruncatedNormalV2 TruncatedNormal
    `),
  },
  hashing: {
    load: common('hashing'),
    ops: names('StringToHashBucket StringToHashBucketFast StringToHashBucketStrong'),
  },
  crosses: {
    load: () => import('./crosses.ts'),
    ops: names('RaggedCross SparseCross SparseCrossHashed SparseCrossV2'),
  },
  strings: {
    load: common('strings'),
    ops: names(`
      DecodeBase64 EncodeBase64 ReduceJoin StringFormat StringJoin StringLength StringLower StringNGrams StringSplit
      StringSplitV2 StringStrip StringUpper Substr UnsortedSegmentJoin
    `),
  },
  regexes: {
    load: () => import('./regexes.ts'),
    ops: names('RegexFullMatch RegexReplace StaticRegexFullMatch StaticRegexReplace'),
  },
  numberstrings: {
    load: () => import('./numberstrings.ts'),
    ops: names('AsString StringToNumber'),
  },
  unicode: {
    load: () => import('./unicode.ts'),
    ops: names('UnicodeDecode UnicodeDecodeWithOffsets UnicodeEncode UnicodeTranscode'),
  },
  normalization: {
    load: () => import('./normalization.ts'),
    ops: names('CaseFoldUTF8 FindSourceOffsets NormalizeUTF8 NormalizeUTF8WithOffsetsMap'),
  },
  tokenizers: {
    load: () => import('./tokenizers.ts'),
    ops: names(`
      RegexSplitWithOffsets TFText>ByteSplitByOffsets TFText>ByteSplitWithOffsets TFText>Utf8Binarize
      TFText>WhitespaceTokenizeWithOffsetsV2 WordpieceTokenizeWithOffsets
    `),
  },
  codepoints: {
    load: () => import('./codepoints.ts'),
    ops: names('UnicodeScript UnicodeScriptTokenizeWithOffsets WhitespaceTokenizeWithOffsets'),
  },
  labelled: {
    load: () => import('./labelled.ts'),
    ops: names('SplitMergeTokenizeWithOffsets TokenizerFromLogits'),
  },
  fastbert: {
    load: () => import('./fastbert.ts'),
    ops: names('FastBertNormalize FastWordpieceTokenizeWithOffsets TFText>FastWordpieceDetokenize'),
  },
  trimming: {
    load: () => import('./trimming.ts'),
    ops: names('TFText>NgramsStringJoin TFText>RoundRobinGenerateMasks TFText>RoundRobinTrim'),
  },
  scann: {
    load: () => import('./scann.ts'),
    ops: names('Scann>ScannSearch Scann>ScannSearchBatched Scann>TensorsToScann'),
  },
  sentencepiece: {
    load: () => import('./sentencepiece.ts'),
    ops: names(`
      SentencepieceDetokenizeOp SentencepieceIdToStringOp SentencepieceOp SentencepieceStringToIdOp
      SentencepieceTokenizeOp SentencepieceTokenizeWithOffsetsOp SentencepieceVocabSizeOp
    `),
  },
  fastsentencepiece: {
    load: () => import('./fastsentencepiece.ts'),
    ops: names('TFText>FastSentencepieceDetokenize TFText>FastSentencepieceTokenize'),
  },
}
