export { inlineVocabularies, Preprocessor, rowValue, shaped } from './compile.ts'
export { stepsOf } from './expand.ts'
export { type Declared, Preprocess, parsePreprocess, type Step, type Typed } from './schema.ts'
export { compileStep, type Run, type Value } from './steps.ts'
