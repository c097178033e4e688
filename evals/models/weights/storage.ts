/** @file How a checkpoint stores weights: number formats, places in files, and the index by name. */

export type FloatStorage = 'F32' | 'F16' | 'BF16' | 'F64'
/** ggml's blocks of 32, and its super-blocks of 256. */
type BlockStorage = 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'IQ4_NL'
type SuperBlockStorage = 'Q2_K' | 'Q3_K' | 'Q4_K' | 'Q5_K' | 'Q6_K' | 'IQ4_XS'
export type StorageType = FloatStorage | BlockStorage | SuperBlockStorage

export interface StoredWeight {
  readonly name: string
  /** As Hugging Face lays it out: `[out, in]` for linear layers, `[vocab, hidden]` for embeddings. */
  readonly shape: readonly number[]
  readonly storage: StorageType
  /** File, byte offset and byte length: checked to lie inside the file and to overlap no other weight. */
  readonly file: string
  readonly offset: number
  readonly bytes: number
}

/** Numbers of a float type that lie in a file as a graph computes with them, row-major: ONNX Runtime maps them. */
export interface WeightPlace extends Pick<StoredWeight, 'file' | 'offset' | 'bytes'> {
  readonly storage: 'F32' | 'F16' | 'BF16'
  /** Whether the path still leads to the file that was opened, unchanged. */
  isThere(): boolean
}

export type WeightIndex = ReadonlyMap<string, StoredWeight>
