/** @file Every architecture. */
import { z } from 'zod'
import { TouchstoneError } from '../errors.ts'
import type { ModelArchitecture, WeightSpec } from './architecture.ts'
import type { Checkpoint } from './checkpoint.ts'
import { llama } from './llama.ts'

export const ARCHITECTURES: readonly ModelArchitecture<never>[] = [
  llama as unknown as ModelArchitecture<never>,
]

/** An architecture with its configuration parsed and its weights found. */
export interface Model {
  readonly architecture: ModelArchitecture<unknown>
  readonly config: unknown
  readonly weights: ReadonlyMap<string, WeightSpec>
}

/** The architecture that reads this checkpoint, or an error that says what was found. */
export function recognise(checkpoint: Pick<Checkpoint, 'path' | 'config' | 'weights'>): Model {
  const { path, config } = checkpoint
  const found = ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(config.model_type))
  if (!found) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: 'the architecture',
      found: config.model_type,
      supported: ARCHITECTURES.flatMap(({ modelTypes }) => modelTypes).join(', '),
    })
  }
  const architecture = found as unknown as ModelArchitecture<unknown>
  const parsed = architecture.config.safeParse(config)
  if (!parsed.success) {
    throw new TouchstoneError('checkpoint.malformed', {
      path: `${path} (config.json)`,
      found: z.prettifyError(parsed.error).replaceAll('\n', ' '),
      expected: `a configuration of ${architecture.name}`,
    })
  }
  const weights = architecture.weights(parsed.data, checkpoint.weights, path)
  return {
    architecture,
    config: parsed.data,
    weights: new Map(weights.map((spec) => [spec.name, spec])),
  }
}
