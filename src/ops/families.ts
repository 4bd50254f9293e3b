import type { Op } from '../graph/index.ts'

interface Family {
  load(): Promise<{ readonly ops: Readonly<Record<string, Op>> }>
  readonly ops: readonly string[]
}

const names = (list: string): string[] => list.trim().split(/\s+/)

/**
 * Which module holds which op. A model's graph names its ops, so only the families that it needs are loaded; a test
 * holds this list against the modules.
 */
export const FAMILIES: Readonly<Record<string, Family>> = {
  math: {
    load: () => import('./math.ts'),
    ops: names(`
      Abs Acos Acosh Add AddN AddV2 Asin Asinh Atan Atan2 Atanh BitwiseAnd BitwiseOr BitwiseXor Cast Ceil Cos Cosh Div
      DivNoNan Equal Erf Erfc Exp Expm1 Floor FloorDiv FloorMod Greater GreaterEqual Inv Invert IsFinite IsInf IsNan Less
      LessEqual Lgamma Log Log1p LogicalAnd LogicalNot LogicalOr Maximum Minimum Mod Mul MulNoNan Neg NotEqual OnesLike
      Pow RealDiv Reciprocal Rint Round Rsqrt Sigmoid Sign Sin Sinh Sqrt Square SquaredDifference Sub Tan Tanh
      TruncateDiv TruncateMod Xdivy Xlog1py Xlogy ZerosLike
    `),
  },
}
