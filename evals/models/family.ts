/** @file A family: its architecture, and the table by which GGUF files store it. */
import type { ModelArchitecture } from './architecture.ts'
import type { GgufFamily } from './formats/gguf/family.ts'

export interface ModelFamily {
  /** Its configuration's type is erased: it receives only what its own schema has parsed. */
  readonly architecture: ModelArchitecture
  /** Absent for encoders, which llama.cpp's tables here do not cover. */
  readonly gguf?: GgufFamily
}
