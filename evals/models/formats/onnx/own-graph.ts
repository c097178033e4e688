/** @file The forward pass that an ONNX checkpoint brings along. */
import type { GraphFile } from '../../../graph/import/graph-file.ts'
import type { DecoderPorts } from './io.ts'
import type { MatrixOf, NamedWeight } from './names.ts'

export interface OwnGraph {
  readonly path: string
  readonly file: GraphFile
  readonly ports: DecoderPorts
  readonly weights: readonly NamedWeight[]
  readonly matrixOf: MatrixOf
  readonly maxPositions: number
  readonly bytes: () => Promise<Uint8Array>
}
