export * from './dtype.ts'
export * from './half.ts'
export * from './strings.ts'
export * from './tensor.ts'
