/** @file What one fine-tune takes of memory, roughly. */

/** Node, ONNX Runtime and their code, measured on Pebble. */
const PROCESS_BYTES = 300e6
/** Weights, the packed copy that generation makes, and activations; a full fine-tune adds gradients and two moments. */
const COPIES = { adapter: 4, full: 8 } as const
const BYTES_PER_PARAMETER = 4

export interface TrainingSize {
  /** 0 for a testbed. */
  readonly parameters: number
  readonly trainsWhole: boolean
}

export function bytesNeeded({ parameters, trainsWhole }: TrainingSize): number {
  const copies = trainsWhole ? COPIES.full : COPIES.adapter
  return PROCESS_BYTES + copies * BYTES_PER_PARAMETER * parameters
}
