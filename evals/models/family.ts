/** @file A family: its architecture, and the table by which GGUF files store it. */
import type { ModelArchitecture } from './architecture.ts'
import type { GgufFamily } from './formats/gguf/family.ts'

export interface ModelFamily {
  readonly architecture: ModelArchitecture<unknown>
  /** Absent where llama.cpp has no name for the family, and for encoders. */
  readonly gguf?: GgufFamily
}

/** Erases the type of the configuration: the registry passes an architecture only what its own schema has parsed. */
export const family = <C>(architecture: ModelArchitecture<C>, gguf?: GgufFamily): ModelFamily => ({
  architecture: architecture as unknown as ModelArchitecture<unknown>,
  ...(gguf && { gguf }),
})
