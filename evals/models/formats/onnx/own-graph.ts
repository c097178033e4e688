/** @file The forward pass of an ONNX checkpoint. */
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
