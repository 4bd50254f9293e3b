export { inlineVocabularies, Preprocessor } from './compile.ts'
export { Preprocess, parsePreprocess } from './schema.ts'
