/** @file The edges of a graph: named tensor types whose dimensions are numbers or symbols such as `batch*seq`. */

export type Dtype =
  'float32' | 'float64' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'bool' | 'int8' | 'uint8'

/** A size, or a product of symbols and numbers (`batch`, `batch*seq`, `3*seq`) whose value is known at run time. */
export type Dim = number | string
export type Shape = readonly Dim[]

export interface ValueType {
  readonly dtype: Dtype
  readonly shape: Shape
}

/** One edge, identified by object identity. */
export interface Value extends ValueType {
  readonly name: string
}

export const isFloat = (dtype: Dtype): boolean => dtype.includes('float')
