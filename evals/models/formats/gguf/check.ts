/**
 * @file Checks that a GGUF file with these settings computes the same function: the graph built from the file must equal
 * the model's graph byte for byte. This finds every setting that the format cannot express.
 */
import { z } from 'zod'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { encode } from '../../../graph/encode.ts'
import { createGraph } from '../../../graph/ops/index.ts'
import type { StoredWeight } from '../../weights/storage.ts'
import type { JsonObject } from '../../../files/read-file.ts'
import { ggufConfig } from './config.ts'
import type { GgufFamily } from './family.ts'
import type { GgufValue } from './header.ts'
import { longropeTrained } from './rotary.ts'
import type { GgufField, GgufTensorToWrite } from './write.ts'
import { recognise, type Model } from '../../registry.ts'
import { createScope } from '../../scope.ts'

interface PlannedFile {
  readonly path: string
  readonly model: Model
  readonly family: GgufFamily
  readonly settings: readonly (readonly [key: string, field: GgufField])[]
  readonly extras: readonly GgufTensorToWrite[]
}

export function requireSameComputation(planned: PlannedFile): void {
  const { model, path } = planned
  const again = readAgain(planned)
  if (isSameComputation(model, again)) return
  throw new TouchstoneError('export.unsupported', {
    path,
    form: 'GGUF',
    found: `settings that the file has no place for (${settingsThatDiffer(model, again).join(', ')})`,
    supported: `what llama.cpp takes for granted of ${planned.family.modelType}`,
  })
}

/** Whether two models with the same weights compute the same, whatever their settings are called. */
export function isSameComputation(model: Model, other: Model): boolean {
  const positions = positionsThatTell(model, other)
  const [ours, theirs] = [model, other].map((each) => computationOf(each, positions))
  return Buffer.compare(ours!, theirs!) === 0
}

/** The model as it would be read back from the file. */
function readAgain({ path, model, family, settings, extras }: PlannedFile): Model {
  const weights = new Map(
    [...model.weights.values()].map(({ name, shape, transposed }): [string, StoredWeight] => {
      const stored = transposed ? shape.toReversed() : shape
      const nowhere = { file: path, offset: 0, bytes: 0, storage: 'F32' } as const
      return [name, { ...nowhere, name, shape: stored }]
    }),
  )
  const metadata = new Map<string, GgufValue>([['general.architecture', family.architecture]])
  for (const [key, { type, value }] of settings) {
    const stored = type === 'f32' ? Math.fround(value) : value
    metadata.set(`${family.architecture}.${key}`, stored)
  }
  const read = new Map(extras.map(({ name, data }) => [name, data()]))
  try {
    const config = ggufConfig(path, family, metadata, { weights, extras: read })
    return recognise({ path, config, weights })
  } catch (error) {
    if (!(error instanceof TouchstoneError)) throw error
    throw new TouchstoneError('export.unsupported', {
      path,
      form: 'GGUF',
      found: 'settings of its own',
      supported: (error as Error).message,
    })
  }
}

/** Longer than every window and than longrope's short texts, so that each affects the graph. */
function positionsThatTell(...models: readonly Model[]): number {
  const reaches = models.flatMap(({ config }) => [
    Number((config as JsonObject)['sliding_window'] ?? 0),
    longropeTrained(config as JsonObject),
  ])
  const longest = Math.max(...reaches)
  const limits = models.map(({ architecture, config }) => architecture.maxPositions(config))
  return Math.min(longest + 8, ...limits)
}

/** ONNX bytes that compute the logits of every token. */
function computationOf({ architecture, config, weights }: Model, maxPositions: number): Uint8Array {
  const g = createGraph()
  const scope = createScope(g, weights, { maxPositions })
  const [batch, seq] = ['batch', 'seq'] as const
  const tokens = g.input('tokens', 'int32', [batch, seq])
  const positions = g.input('positions', 'int32', [batch, seq])
  const input = { tokens, positions, attention: { kind: 'causal' }, batch, seq } as const
  const { hiddenStates } = architecture.forward(scope, input, config)
  return encode(g, { logits: architecture.logits(scope, hiddenStates, config) }).bytes
}

/** Settings of the architecture that another has otherwise, as the first has them. */
export function settingsThatDiffer(model: Model, again: Model): string[] {
  const { config: schema } = model.architecture
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  const [ours, theirs] = [model.config as JsonObject, again.config as JsonObject]
  const said = (value: unknown) => JSON.stringify(value ?? null)
  const isOther = (key: string) => said(ours[key]) !== said(theirs[key])
  return known.filter(isOther).map((key) => `${key} ${said(ours[key]).slice(0, 60)}`)
}
