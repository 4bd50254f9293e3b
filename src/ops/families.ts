import type { Op } from '../graph/index.ts'
import { CORE } from './core.ts'

interface Family {
  load(): Promise<{ readonly ops: Readonly<Record<string, Op>> }>
  readonly ops: readonly string[]
}

const names = (list: string): string[] => list.trim().split(/\s+/)

/** The families that are loaded one by one; a test holds their lists against the modules. */
const LOADED: Readonly<Record<string, Family>> = {
  strings: {
    load: () => import('./strings.ts'),
    ops: names('StringLength StringLower StringSplit StringSplitV2 StringStrip StringUpper'),
  },
  regexes: {
    load: () => import('./regexes.ts'),
    ops: names('RegexFullMatch RegexReplace StaticRegexFullMatch StaticRegexReplace'),
  },
  padding: {
    load: () => import('./padding.ts'),
    ops: names('RaggedTensorToTensor'),
  },
  linear: {
    load: () => import('./linear.ts'),
    ops: names('BatchMatMul BatchMatMulV2 BatchMatMulV3 BiasAdd BiasAddV1 Einsum MatMul _FusedMatMul'),
  },
  arrange: {
    load: () => import('./arrange.ts'),
    ops: names(`
      BatchToSpaceND ConjugateTranspose MirrorPad Pad PadV2 Reverse ReverseSequence ReverseV2 Roll SpaceToBatchND Tile
      Transpose
    `),
  },
  nn: {
    load: () => import('./nn.ts'),
    ops: names(`
      CheckNumerics CheckNumericsV2 ClipByValue DataFormatVecPermute Elu FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3
      LeakyRelu Relu Relu6 Selu Softplus Softsign
    `),
  },
  softmax: {
    load: () => import('./softmax.ts'),
    ops: names('LogSoftmax Softmax SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits'),
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
    ops: names('AvgPool Conv2D Conv2DBackpropInput DepthwiseConv2dNative MaxPool MaxPoolV2'),
  },
  patches: {
    load: () => import('./patches.ts'),
    ops: names('DepthToSpace ExtractImagePatches LRN SpaceToDepth'),
  },
  resize: {
    load: () => import('./resize.ts'),
    ops: names('CropAndResize ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor ScaleAndTranslate'),
  },
  colors: {
    load: () => import('./colors.ts'),
    ops: names('AdjustContrastv2 AdjustHue AdjustSaturation HSVToRGB RGBToHSV'),
  },
  quantize: {
    load: () => import('./quantize.ts'),
    ops: names(`
      FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel QuantizeAndDequantizeV2
      QuantizeAndDequantizeV3 QuantizeAndDequantizeV4
    `),
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
    load: () => import('./state.ts'),
    ops: names(`
      ApplyGradientDescent Assign AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp AssignVariableOp
      IsVariableInitialized ReadVariableOp ResourceApplyGradientDescent ResourceGather ResourceGatherNd RestoreV2
      VarHandleOp VarIsInitializedOp Variable VariableShape VariableV2
    `),
  },
  rowupdates: {
    load: () => import('./rowupdates.ts'),
    ops: names(`
      ResourceScatterUpdate ResourceScatterAdd ResourceScatterSub ResourceScatterMul ResourceScatterDiv ResourceScatterMin ResourceScatterMax ResourceScatterNdUpdate ResourceScatterNdAdd ResourceScatterNdSub ResourceScatterNdMin ResourceScatterNdMax
      ScatterUpdate ScatterAdd ScatterSub ScatterMul ScatterDiv ScatterMin ScatterMax ScatterNdUpdate ScatterNdAdd ScatterNdSub ScatterNdMin ScatterNdMax
    `),
  },
  matrices: {
    load: () => import('./matrices.ts'),
    ops: names(`
      Cholesky LogMatrixDeterminant MatrixDeterminant MatrixInverse MatrixSolve MatrixTriangularSolve
    `),
  },
  statistics: {
    load: () => import('./statistics.ts'),
    ops: names('BesselI0 BesselI0e BesselI1 BesselI1e Betainc Digamma Erfinv Igamma Igammac Ndtri'),
  },
  examples: {
    load: () => import('./examples.ts'),
    ops: names('DecodeCSV DecodeJSONExample ParseExample ParseExampleV2 ParseSingleExample'),
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
    load: () => import('./ragged.ts'),
    ops: names(`
      DenseCountSparseOutput RaggedBincount RaggedCountSparseOutput RaggedFillEmptyRows RaggedGather RaggedRange
      RaggedTensorFromVariant RaggedTensorToSparse RaggedTensorToVariant SparseCountSparseOutput
    `),
  },
  tensorarrays: {
    load: () => import('./tensorarrays.ts'),
    ops: names(`
      TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3
      TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3
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
  datasets: {
    load: () => import('./datasets.ts'),
    ops: names(`
      BatchDatasetV2 CacheDataset CacheDatasetV2 ConcatenateDataset DatasetToSingleElement DummyMemoryCache FilterDataset MapDataset
      ModelDataset OptionsDataset ParallelMapDataset ParallelMapDatasetV2 PrefetchDataset RangeDataset ReduceDataset
      SkipDataset TakeDataset TensorDataset TensorSliceDataset UnbatchDataset ZipDataset
    `),
  },
  optionals: {
    load: () => import('./optionals.ts'),
    ops: names('OptionalFromValue OptionalGetValue OptionalHasValue OptionalNone'),
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
  crosses: {
    load: () => import('./crosses.ts'),
    ops: names('RaggedCross SparseCross SparseCrossHashed SparseCrossV2'),
  },
  raw: {
    load: () => import('./raw.ts'),
    ops: names('Bitcast DecodePaddedRaw DecodeRaw'),
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
  labelling: {
    load: () => import('./labelling.ts'),
    ops: names('ConstrainedSequence'),
  },
  spanning: {
    load: () => import('./spanning.ts'),
    ops: names('MaxSpanningTree'),
  },
  phrases: {
    load: () => import('./phrases.ts'),
    ops: names('PhraseTokenize TFText>PhraseDetokenize'),
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
  special: {
    load: () => import('./special.ts'),
    ops: names(`
      Acos Acosh Asin Asinh Atan Atan2 Atanh Cos Cosh Cross Erf Erfc Lgamma Sin Sinh Tan Xdivy Xlog1py Xlogy
    `),
  },
  bits: {
    load: () => import('./bits.ts'),
    ops: names('BitwiseAnd BitwiseOr BitwiseXor Invert LeftShift RightShift'),
  },
  tableinit: {
    load: () => import('./tableinit.ts'),
    ops: names(`
      AnonymousHashTable AnonymousMutableDenseHashTable AnonymousMutableHashTable AnonymousMutableHashTableOfTensors HashTable HashTableV2 InitializeTable InitializeTableFromTextFile InitializeTableFromTextFileV2 InitializeTableV2 MutableDenseHashTable MutableDenseHashTableV2 MutableHashTable MutableHashTableOfTensors MutableHashTableOfTensorsV2 MutableHashTableV2
    `),
  },
  joins: {
    load: () => import('./joins.ts'),
    ops: names('ReduceJoin StringJoin StringNGrams UnsortedSegmentJoin'),
  },
  substrings: {
    load: () => import('./substrings.ts'),
    ops: names('DecodeBase64 EncodeBase64 StringFormat Substr'),
  },
  shapevectors: {
    load: () => import('./shapevectors.ts'),
    ops: names(
      'BroadcastArgs BroadcastGradientArgs BroadcastTo ConcatOffset EnsureShape InvertPermutation LinSpace Range',
    ),
  },
  buckets: {
    load: () => import('./buckets.ts'),
    ops: names('BoostedTreesBucketize Bucketize LowerBound UpperBound'),
  },
  int8: {
    load: () => import('./int8.ts'),
    ops: names('twotower>DenseInt8'),
  },
  layernorm: {
    load: () => import('./layernorm.ts'),
    ops: names('twotower>LayerNorm'),
  },
  splits: {
    load: () => import('./splits.ts'),
    ops: names('Slice Split SplitV Unpack'),
  },
  gathernd: {
    load: () => import('./gathernd.ts'),
    ops: names('GatherNd'),
  },
  where: {
    load: () => import('./where.ts'),
    ops: names('OneHot Where'),
  },
  otherhashes: {
    load: () => import('./otherhashes.ts'),
    ops: names('StringToHashBucket StringToHashBucketStrong'),
  },
}

/**
 * Every family: which module holds which op. A model's graph names its ops, so only the families that it needs are
 * loaded.
 */
export const FAMILIES: Readonly<Record<string, Family>> = {
  ...Object.fromEntries(
    Object.entries(CORE).map(([name, ops]) => [name, { load: async () => ({ ops }), ops: Object.keys(ops) }]),
  ),
  ...LOADED,
}

const FAMILY_OF = new Map(
  Object.entries(FAMILIES).flatMap(([family, { ops }]) => ops.map((op) => [op, family] as const)),
)

/** The family of op `name`, or undefined where twotower has no such op. */
export const familyOf = (name: string): string | undefined => FAMILY_OF.get(name)
