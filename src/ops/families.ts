import type { Op } from '../graph/index.ts'
import { CORE } from './core.ts'

interface Family {
  /** Few exports hold any of its ops: it is loaded for those only, by the importer too. */
  readonly rare?: true
  load(): Promise<{ readonly ops: Readonly<Record<string, Op>> }>
  /** Its ops, each with the version of twotower that had it first. */
  readonly ops: Readonly<Record<string, string>>
}

/** Ops that came with one version; those of a later one are spread beside them. */
const since = (version: string, list: string): Record<string, string> =>
  Object.fromEntries(
    list
      .trim()
      .split(/\s+/)
      .map((name) => [name, version]),
  )

/** Ops on complex numbers, by the names that the importer gives them (src/import/complex.ts). */
const complex = (list: string): Record<string, string> => since('0.1.0', list.trim().replace(/\S+/g, 'complex>$&'))

/** The families that are loaded one by one; a test holds their lists against the modules. */
const LOADED: Readonly<Record<string, Family>> = {
  strings: {
    load: () => import('./strings.ts'),
    ops: since('0.1.0', 'StringLength StringLower StringSplit StringSplitV2 StringStrip StringUpper'),
  },
  regexes: {
    load: () => import('./regexes.ts'),
    ops: since('0.1.0', 'RegexFullMatch RegexReplace StaticRegexFullMatch StaticRegexReplace'),
  },
  padding: {
    load: () => import('./padding.ts'),
    ops: since('0.1.0', 'RaggedTensorToTensor'),
  },
  linear: {
    load: () => import('./linear.ts'),
    ops: since('0.1.0', 'BatchMatMul BatchMatMulV2 BatchMatMulV3 BiasAdd BiasAddV1 Einsum MatMul _FusedMatMul'),
  },
  arrange: {
    load: () => import('./arrange.ts'),
    ops: since(
      '0.1.0',
      `
      BatchToSpaceND ConjugateTranspose MirrorPad Pad PadV2 Reverse ReverseSequence ReverseV2 Roll SpaceToBatchND Tile
      Transpose
    `,
    ),
  },
  nn: {
    load: () => import('./nn.ts'),
    ops: since(
      '0.1.0',
      `
      CheckNumerics CheckNumericsV2 ClipByValue DataFormatVecPermute Elu FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3
      LeakyRelu Relu Relu6 Selu Softplus Softsign
    `,
    ),
  },
  gradients: {
    load: () => import('./gradients.ts'),
    ops: since(
      '0.1.0',
      `
      EluGrad InvGrad LeakyReluGrad ReciprocalGrad Relu6Grad ReluGrad RsqrtGrad SeluGrad SigmoidGrad SoftplusGrad
      SoftsignGrad SqrtGrad TanhGrad
    `,
    ),
  },
  spectra: {
    rare: true,
    load: () => import('./spectra.ts'),
    ops: since(
      '0.1.0',
      'Angle Complex ComplexAbs Conj FFT FFT2D FFT3D IFFT IFFT2D IFFT3D IRFFT IRFFT2D IRFFT3D Imag RFFT RFFT2D RFFT3D Real',
    ),
  },
  complexmath: {
    rare: true,
    load: () => import('./complexmath.ts'),
    ops: complex(`
      BatchMatMul BatchMatMulV2 Cast Cos Cosh Div DivNoNan Einsum Equal Exp Expm1 Inv Log Log1p MatMul Mul MulNoNan
      NotEqual Pow Prod RealDiv Reciprocal Rsqrt Sigmoid Sign Sin Sinh Sqrt Square SquaredDifference Tan Tanh
    `),
  },
  complexparts: {
    rare: true,
    load: () => import('./complexparts.ts'),
    ops: complex(`
      Add AddN AddV2 BiasAdd BiasAddV1 BroadcastTo Concat ConcatV2 ConjugateTranspose Cumsum Diag DiagPart
      DynamicPartition DynamicStitch EnsureShape ExpandDims Fill Gather GatherNd GatherV2 MatrixBandPart MatrixDiag
      MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiag MatrixSetDiagV2
      MatrixSetDiagV3 Mean MirrorPad Neg OnesLike Pack Pad PadV2 ParallelDynamicStitch Rank Reshape ResourceGather
      ResourceGatherNd ReverseSequence ReverseV2 Roll ScatterNd SegmentMean SegmentSum Select SelectV2 Shape ShapeN Size
      Slice Split SplitV Squeeze StridedSlice Sub Sum TensorScatterAdd TensorScatterSub
      TensorScatterUpdate Tile Transpose Unpack UnsortedSegmentSum Where ZerosLike
    `),
  },
  softmax: {
    load: () => import('./softmax.ts'),
    ops: since('0.1.0', 'LogSoftmax Softmax SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits'),
  },
  squares: {
    load: () => import('./squares.ts'),
    ops: since('0.1.0', 'EuclideanNorm L2Loss'),
  },
  scatter: {
    load: () => import('./scatter.ts'),
    ops: since(
      '0.1.0',
      `
      DynamicPartition DynamicStitch ParallelDynamicStitch ScatterNd TensorScatterAdd TensorScatterMax TensorScatterMin
      TensorScatterSub TensorScatterUpdate
    `,
    ),
  },
  rank: {
    load: () => import('./rank.ts'),
    ops: since('0.1.0', 'ApproxTopK ArgMax ArgMin InTopK InTopKV2 NthElement TopK TopKV2'),
  },
  unique: {
    load: () => import('./unique.ts'),
    ops: since('0.1.0', 'ListDiff Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2'),
  },
  scan: {
    load: () => import('./scan.ts'),
    ops: since('0.1.0', 'Cumprod Cumsum CumulativeLogsumexp'),
  },
  segment: {
    load: () => import('./segment.ts'),
    ops: since(
      '0.1.0',
      `
      SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd
      UnsortedSegmentSum
    `,
    ),
  },
  conv: {
    load: () => import('./conv.ts'),
    ops: since('0.1.0', 'AvgPool Conv2D Conv2DBackpropInput DepthwiseConv2dNative MaxPool MaxPoolV2'),
  },
  volumes: {
    rare: true,
    load: () => import('./volumes.ts'),
    ops: since('0.1.0', 'AvgPool3D Conv3D Conv3DBackpropInputV2 MaxPool3D'),
  },
  argmaxpooling: {
    load: () => import('./argmaxpooling.ts'),
    ops: since('0.1.0', 'MaxPoolWithArgmax'),
  },
  patches: {
    load: () => import('./patches.ts'),
    ops: since('0.1.0', 'DepthToSpace Dilation2D ExtractImagePatches LRN SpaceToDepth'),
  },
  resize: {
    load: () => import('./resize.ts'),
    ops: since(
      '0.1.0',
      'CropAndResize ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor ScaleAndTranslate',
    ),
  },
  colors: {
    rare: true,
    load: () => import('./colors.ts'),
    ops: since('0.1.0', 'AdjustContrastv2 AdjustHue AdjustSaturation HSVToRGB RGBToHSV'),
  },
  quantize: {
    load: () => import('./quantize.ts'),
    ops: since(
      '0.1.0',
      `
      FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel QuantizeAndDequantizeV2
      QuantizeAndDequantizeV3 QuantizeAndDequantizeV4
    `,
    ),
  },
  diagonals: {
    load: () => import('./diagonals.ts'),
    ops: since(
      '0.1.0',
      `
      Diag DiagPart MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3
      MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3
    `,
    ),
  },
  control: {
    load: () => import('./control.ts'),
    ops: since(
      '0.1.0',
      `
      Assert Case ControlTrigger Identity If LoopCond Merge NoOp Print PrintV2 RefMerge RefSwitch StatelessCase
      StatelessIf StatelessWhile Switch While
    `,
    ),
  },
  batching: {
    rare: true,
    load: () => import('./batching.ts'),
    ops: since('0.1.0', 'BatchFunction'),
  },
  state: {
    load: () => import('./state.ts'),
    ops: since(
      '0.1.0',
      `
      ApplyGradientDescent Assign AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp AssignVariableOp
      IsVariableInitialized ReadVariableOp ResourceApplyGradientDescent ResourceGather ResourceGatherNd RestoreV2
      VarHandleOp VarIsInitializedOp Variable VariableShape VariableV2
    `,
    ),
  },
  rowupdates: {
    load: () => import('./rowupdates.ts'),
    ops: since(
      '0.1.0',
      `
      ResourceScatterUpdate ResourceScatterAdd ResourceScatterSub ResourceScatterMul ResourceScatterDiv ResourceScatterMin ResourceScatterMax ResourceScatterNdUpdate ResourceScatterNdAdd ResourceScatterNdSub ResourceScatterNdMin ResourceScatterNdMax
      ScatterUpdate ScatterAdd ScatterSub ScatterMul ScatterDiv ScatterMin ScatterMax ScatterNdUpdate ScatterNdAdd ScatterNdSub ScatterNdMin ScatterNdMax
    `,
    ),
  },
  matrices: {
    rare: true,
    load: () => import('./matrices.ts'),
    ops: since(
      '0.1.0',
      `
      Cholesky LogMatrixDeterminant MatrixDeterminant MatrixInverse MatrixSolve MatrixTriangularSolve
    `,
    ),
  },
  statistics: {
    rare: true,
    load: () => import('./statistics.ts'),
    ops: since('0.1.0', 'BesselI0 BesselI0e BesselI1 BesselI1e Betainc Digamma Erfinv Igamma Igammac Ndtri'),
  },
  older: {
    rare: true,
    load: () => import('./older.ts'),
    ops: since(
      '0.1.0',
      'AccumulateNV2 BatchToSpace InplaceAdd InplaceSub InplaceUpdate ScatterNdNonAliasingAdd SpaceToBatch',
    ),
  },
  recurrentcells: {
    rare: true,
    load: () => import('./recurrentcells.ts'),
    ops: since('0.1.0', 'BlockLSTM BlockLSTMV2 GRUBlockCell LSTMBlockCell'),
  },
  sparsematmul: {
    rare: true,
    load: () => import('./sparsematmul.ts'),
    ops: since('0.1.0', 'SparseMatMul'),
  },
  decompositions: {
    rare: true,
    load: () => import('./decompositions.ts'),
    ops: since('0.1.0', 'Lu Qr SelfAdjointEigV2 Svd'),
  },
  tridiagonal: {
    rare: true,
    load: () => import('./tridiagonal.ts'),
    ops: since('0.1.0', 'TridiagonalMatMul TridiagonalSolve'),
  },
  boxes: {
    rare: true,
    load: () => import('./boxes.ts'),
    ops: since(
      '0.1.0',
      `
      NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5
      NonMaxSuppressionWithOverlaps
    `,
    ),
  },
  editdistance: {
    rare: true,
    load: () => import('./editdistance.ts'),
    ops: since('0.1.0', 'EditDistance'),
  },
  ctc: {
    rare: true,
    load: () => import('./ctc.ts'),
    ops: since('0.1.0', 'CTCGreedyDecoder'),
  },
  projection: {
    rare: true,
    load: () => import('./projection.ts'),
    ops: since('0.1.0', 'ImageProjectiveTransformV2 ImageProjectiveTransformV3'),
  },
  bessel: {
    rare: true,
    load: () => import('./bessel.ts'),
    ops: since('0.1.0', 'BesselJ0 BesselJ1 BesselK0 BesselK0e BesselK1 BesselK1e BesselY0 BesselY1'),
  },
  integrals: {
    rare: true,
    load: () => import('./integrals.ts'),
    ops: since('0.1.0', 'Dawsn Expint FresnelCos FresnelSin Polygamma Spence Zeta'),
  },
  quantized: {
    load: () => import('./quantized.ts'),
    ops: since('0.1.0', 'Dequantize QuantizeV2'),
  },
  serialized: {
    load: () => import('./serialized.ts'),
    ops: since('0.1.0', 'ParseTensor SerializeTensor'),
  },
  sequenceexamples: {
    load: () => import('./sequenceexamples.ts'),
    ops: since('0.1.0', 'ParseSequenceExample ParseSequenceExampleV2 ParseSingleSequenceExample'),
  },
  examples: {
    load: () => import('./examples.ts'),
    ops: since('0.1.0', 'DecodeCSV DecodeJSONExample ParseExample ParseExampleV2 ParseSingleExample'),
  },
  sparse: {
    load: () => import('./sparse.ts'),
    ops: since(
      '0.1.0',
      `
      SparseAdd SparseBincount SparseConcat SparseDenseCwiseAdd SparseDenseCwiseDiv SparseDenseCwiseMul
      SparseFillEmptyRows SparseReduceMax SparseReduceMaxSparse SparseReduceSum SparseReduceSumSparse SparseReorder
      SparseReshape SparseSegmentMean SparseSegmentMeanWithNumSegments SparseSegmentSqrtN
      SparseSegmentSqrtNWithNumSegments SparseSegmentSum SparseSegmentSumWithNumSegments SparseSlice SparseSoftmax
      SparseSparseMaximum SparseSparseMinimum SparseSplit SparseTensorDenseAdd SparseTensorDenseMatMul SparseToDense
    `,
    ),
  },
  sets: {
    load: () => import('./sets.ts'),
    ops: since('0.1.0', 'DenseToDenseSetOperation DenseToSparseSetOperation SetSize SparseToSparseSetOperation'),
  },
  ragged: {
    load: () => import('./ragged.ts'),
    ops: since(
      '0.1.0',
      `
      DenseCountSparseOutput RaggedBincount RaggedCountSparseOutput RaggedFillEmptyRows RaggedGather RaggedRange
      RaggedTensorFromVariant RaggedTensorToSparse RaggedTensorToVariant SparseCountSparseOutput
    `,
    ),
  },
  tensorarrays: {
    load: () => import('./tensorarrays.ts'),
    ops: since(
      '0.1.0',
      `
      TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3
      TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3
    `,
    ),
  },
  lists: {
    load: () => import('./lists.ts'),
    ops: since(
      '0.1.0',
      `
      EmptyTensorList TensorListConcat TensorListConcatV2 TensorListElementShape TensorListFromTensor TensorListGather
      TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack TensorListPushBackBatch
      TensorListReserve TensorListResize TensorListScatter TensorListScatterIntoExistingList TensorListScatterV2
      TensorListSetItem TensorListSplit TensorListStack
    `,
    ),
  },
  datasets: {
    load: () => import('./datasets.ts'),
    ops: since(
      '0.1.0',
      `
      BatchDatasetV2 CacheDataset CacheDatasetV2 ConcatenateDataset DatasetToSingleElement DummyMemoryCache FilterDataset MapDataset
      ModelDataset OptionsDataset ParallelMapDataset ParallelMapDatasetV2 PrefetchDataset RangeDataset ReduceDataset
      SkipDataset TakeDataset TensorDataset TensorSliceDataset UnbatchDataset ZipDataset
    `,
    ),
  },
  optionals: {
    load: () => import('./optionals.ts'),
    ops: since('0.1.0', 'OptionalFromValue OptionalGetValue OptionalHasValue OptionalNone'),
  },
  random: {
    load: () => import('./random.ts'),
    ops: since(
      '0.1.0',
      `
      Multinomial RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt StatelessMultinomial
      StatelessRandomGetAlg StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg StatelessRandomNormal
      StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2
      StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessTruncatedNormal
      StatelessTruncatedNormalV2 TruncatedNormal
    `,
    ),
  },
  crosses: {
    rare: true,
    load: () => import('./crosses.ts'),
    ops: since('0.1.0', 'RaggedCross SparseCross SparseCrossHashed SparseCrossV2'),
  },
  raw: {
    load: () => import('./raw.ts'),
    ops: since('0.1.0', 'Bitcast DecodePaddedRaw DecodeRaw'),
  },
  numberstrings: {
    load: () => import('./numberstrings.ts'),
    ops: since('0.1.0', 'AsString StringToNumber'),
  },
  unicode: {
    load: () => import('./unicode.ts'),
    ops: since('0.1.0', 'UnicodeDecode UnicodeDecodeWithOffsets UnicodeEncode UnicodeTranscode'),
  },
  normalization: {
    load: () => import('./normalization.ts'),
    ops: since('0.1.0', 'CaseFoldUTF8 FindSourceOffsets NormalizeUTF8 NormalizeUTF8WithOffsetsMap'),
  },
  tokenizers: {
    load: () => import('./tokenizers.ts'),
    ops: since(
      '0.1.0',
      `
      RegexSplitWithOffsets TFText>ByteSplitByOffsets TFText>ByteSplitWithOffsets TFText>Utf8Binarize
      TFText>WhitespaceTokenizeWithOffsetsV2 WordpieceTokenizeWithOffsets
    `,
    ),
  },
  codepoints: {
    load: () => import('./codepoints.ts'),
    ops: since('0.1.0', 'UnicodeScript UnicodeScriptTokenizeWithOffsets WhitespaceTokenizeWithOffsets'),
  },
  labelled: {
    rare: true,
    load: () => import('./labelled.ts'),
    ops: since('0.1.0', 'SplitMergeTokenizeWithOffsets TokenizerFromLogits'),
  },
  labelling: {
    rare: true,
    load: () => import('./labelling.ts'),
    ops: since('0.1.0', 'ConstrainedSequence'),
  },
  spanning: {
    rare: true,
    load: () => import('./spanning.ts'),
    ops: since('0.1.0', 'MaxSpanningTree'),
  },
  phrases: {
    rare: true,
    load: () => import('./phrases.ts'),
    ops: since('0.1.0', 'PhraseTokenize TFText>PhraseDetokenize'),
  },
  fastbert: {
    load: () => import('./fastbert.ts'),
    ops: since('0.1.0', 'FastBertNormalize FastWordpieceTokenizeWithOffsets TFText>FastWordpieceDetokenize'),
  },
  trimming: {
    rare: true,
    load: () => import('./trimming.ts'),
    ops: since('0.1.0', 'TFText>NgramsStringJoin TFText>RoundRobinGenerateMasks TFText>RoundRobinTrim'),
  },
  scann: {
    load: () => import('./scann.ts'),
    ops: since('0.1.0', 'Scann>ScannSearch Scann>ScannSearchBatched Scann>TensorsToScann'),
  },
  sentencepiece: {
    load: () => import('./sentencepiece.ts'),
    ops: since(
      '0.1.0',
      `
      SentencepieceDetokenizeOp SentencepieceIdToStringOp SentencepieceOp SentencepieceStringToIdOp
      SentencepieceTokenizeOp SentencepieceTokenizeWithOffsetsOp SentencepieceVocabSizeOp
    `,
    ),
  },
  fastsentencepiece: {
    load: () => import('./fastsentencepiece.ts'),
    ops: since('0.1.0', 'TFText>FastSentencepieceDetokenize TFText>FastSentencepieceTokenize'),
  },
  special: {
    load: () => import('./special.ts'),
    ops: since(
      '0.1.0',
      `
      Acos Acosh Asin Asinh Atan Atan2 Atanh Cos Cosh Cross Erf Erfc Lgamma NextAfter Sin Sinh Tan Xdivy Xlog1py Xlogy
    `,
    ),
  },
  bits: {
    load: () => import('./bits.ts'),
    ops: since('0.1.0', 'BitwiseAnd BitwiseOr BitwiseXor Invert LeftShift PopulationCount RightShift'),
  },
  tableinit: {
    load: () => import('./tableinit.ts'),
    ops: since(
      '0.1.0',
      `
      AnonymousHashTable AnonymousMutableDenseHashTable AnonymousMutableHashTable AnonymousMutableHashTableOfTensors HashTable HashTableV2 InitializeTable InitializeTableFromTextFile InitializeTableFromTextFileV2 InitializeTableV2 MutableDenseHashTable MutableDenseHashTableV2 MutableHashTable MutableHashTableOfTensors MutableHashTableOfTensorsV2 MutableHashTableV2
    `,
    ),
  },
  joins: {
    load: () => import('./joins.ts'),
    ops: since('0.1.0', 'ReduceJoin StringJoin StringNGrams UnsortedSegmentJoin'),
  },
  substrings: {
    load: () => import('./substrings.ts'),
    ops: since('0.1.0', 'DecodeBase64 EncodeBase64 StringFormat Substr'),
  },
  shapevectors: {
    load: () => import('./shapevectors.ts'),
    ops: since(
      '0.1.0',
      'BroadcastArgs BroadcastGradientArgs BroadcastTo ConcatOffset EnsureShape InvertPermutation LinSpace Range UnravelIndex',
    ),
  },
  buckets: {
    load: () => import('./buckets.ts'),
    ops: since('0.1.0', 'BoostedTreesBucketize Bucketize HistogramFixedWidth LowerBound UpperBound'),
  },
  int8: {
    load: () => import('./int8.ts'),
    ops: since('0.1.0', 'twotower>DenseInt8'),
  },
  layernorm: {
    load: () => import('./layernorm.ts'),
    ops: since('0.1.0', 'twotower>LayerNorm'),
  },
  splits: {
    load: () => import('./splits.ts'),
    ops: since('0.1.0', 'Slice Split SplitV Unpack'),
  },
  gathernd: {
    load: () => import('./gathernd.ts'),
    ops: since('0.1.0', 'GatherNd'),
  },
  where: {
    load: () => import('./where.ts'),
    ops: since('0.1.0', 'OneHot Where'),
  },
  otherhashes: {
    rare: true,
    load: () => import('./otherhashes.ts'),
    ops: since('0.1.0', 'Fingerprint StringToHashBucket StringToHashBucketStrong'),
  },
}

/**
 * Every family: which module holds which op. A model's graph names its ops, so only the families that it needs are
 * loaded.
 */
export const FAMILIES: Readonly<Record<string, Family>> = {
  ...Object.fromEntries(
    Object.entries(CORE).map(([name, ops]) => [
      name,
      { load: async () => ({ ops }), ops: since('0.1.0', Object.keys(ops).join(' ')) },
    ]),
  ),
  ...LOADED,
}

const FAMILY_OF = new Map(
  Object.entries(FAMILIES).flatMap(([family, { ops }]) => Object.keys(ops).map((op) => [op, family] as const)),
)

/** The family of op `name`, or undefined where twotower has no such op. */
export const familyOf = (name: string): string | undefined => FAMILY_OF.get(name)
