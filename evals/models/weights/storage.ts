/** @file How a checkpoint stores weights: number formats, places in files, and the index by name. */

export type FloatStorage = 'F32' | 'F16' | 'BF16' | 'F64'
/** ggml's blocks of 32 and super-blocks of 256. */
type BlockStorage = 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'IQ4_NL'
type SuperBlockStorage = 'Q2_K' | 'Q3_K' | 'Q4_K' | 'Q5_K' | 'Q6_K' | 'IQ4_XS'
export type StorageType = FloatStorage | BlockStorage | SuperBlockStorage

export interface StoredWeight {
  readonly name: string
  /** In Hugging Face's layout: `[out, in]` for linear layers, `[vocab, hidden]` for embeddings. */
  readonly shape: readonly number[]
  readonly storage: StorageType
  /** Checked to lie inside the file and to overlap no other weight. Offset and length are in bytes. */
  readonly file: string
  readonly offset: number
  readonly bytes: number
  /** Whether a row of the file is a column of `shape`. */
  readonly turned?: true
}

/** Floats in a file in the graph's own layout, row-major, which ONNX Runtime can map. */
export interface WeightPlace extends Pick<StoredWeight, 'file' | 'offset' | 'bytes'> {
  readonly storage: 'F32' | 'F16' | 'BF16'
  /** Whether the path still leads to the opened file, unchanged. */
  isThere(): boolean
}

export type WeightIndex = ReadonlyMap<string, StoredWeight>
