/** @file The tiny Llamas of test/golden/fixtures, opened, and their oracle's batch in our form. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Batch } from '../../../evals/finetune/method.ts'
import { namedViews } from '../../../evals/finetune/training/parameters.ts'
import type { TrainingSession } from '../../../evals/finetune/training/session.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import type { WeightIndex } from '../../../evals/models/weights/storage.ts'
import { recognise, type Model } from '../../../evals/models/registry.ts'
import { readSafetensorsIndex } from '../../../evals/models/formats/safetensors.ts'
import { createScope } from '../../../evals/models/scope.ts'
import { openFiles, readStored } from '../../../evals/models/weights/stored-weights.ts'
import { asComputed } from '../../../evals/models/weight-list.ts'
import { createRunner } from '../../../evals/runtime/session.ts'
import { floats, integers, readOracle, type OracleTensor } from './safetensors.ts'
import { lanes } from '../training/lanes.ts'

export const FIXTURES = join(import.meta.dirname, '../../golden/fixtures')

/** Tiny encoders of transformers: with a head that names classes, and without one. */
export const GOLDEN_ENCODERS = JSON.parse(
  readFileSync(join(FIXTURES, 'encoders.json'), 'utf8'),
) as { readonly classes: readonly string[]; readonly bare: readonly string[] }
const encoders = new Set([...GOLDEN_ENCODERS.classes, ...GOLDEN_ENCODERS.bare])

/** The tiny decoders of transformers that test/golden holds, but for heads that the cache cannot read and twins in all but their configuration. */
export const GOLDEN_FAMILIES = readdirSync(FIXTURES).filter(
  (name) =>
    existsSync(join(FIXTURES, name, 'model.safetensors')) &&
    !['llama-headdim', 'qwen2-other-head', 'gemma3-capped', 'smollm3-untold'].includes(name) &&
    !encoders.has(name),
)

export interface GoldenModel {
  readonly model: Model
  readonly weights: Map<string, Float32Array>
  readonly expected: Map<string, OracleTensor>
}

export async function openGolden(name: string, root = FIXTURES): Promise<GoldenModel> {
  const folder = join(root, name)
  const file = join(folder, 'model.safetensors')
  const { weights: stored } = await readSafetensorsIndex(file)
  const index: WeightIndex = new Map(stored.map((weight) => [weight.name, weight]))
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as {
    model_type: string
  }
  const files = await openFiles([file])
  const read = (name: string) => readStored(files, index.get(name)!)
  const model = recognise({ path: folder, config, weights: index, read })
  const weights = new Map<string, Float32Array>()
  for (const spec of model.weights.values())
    weights.set(spec.name, asComputed(read(spec.stored ?? spec.name), spec))
  await files.close()
  return { model, weights, expected: readOracle(join(folder, 'expected.safetensors')) }
}

/** 0 on a text, −1 behind it. */
export function segmentsOf(expected: ReadonlyMap<string, OracleTensor>): Int32Array {
  const [batch, seq] = expected.get('tokens')!.shape as [number, number]
  const segments = new Int32Array(batch * seq).fill(-1)
  integers(expected, 'attention_lengths').forEach((length, b) =>
    segments.fill(0, b * seq, b * seq + length),
  )
  return segments
}

/** The oracle's batch in our form: labels there stand on the labelled token itself. */
export function batchOf(expected: ReadonlyMap<string, OracleTensor>): Batch {
  const [batch, seq] = expected.get('tokens')!.shape as [number, number]
  const labels = integers(expected, 'labels')
  const rows = labels.flatMap((label, i) => (label !== -100 && i % seq !== 0 ? [i - 1] : []))
  return {
    tokens: Int32Array.from(integers(expected, 'tokens')),
    ...lanes(batch, seq),
    segments: segmentsOf(expected),
    rows: Int32Array.from(rows),
    labels: Int32Array.from(rows, (row) => labels[row + 1]!),
    weights: new Float32Array(rows.length).fill(1 / rows.length),
  }
}

/** Logits `[batch, seq, vocab]` of the model as it is. */
export async function goldenLogits(
  { model, weights }: GoldenModel,
  batch: Batch,
): Promise<Float32Array> {
  const g = createGraph()
  const scope = createScope(g, model.weights, { maxPositions: batch.seq })
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const attention = {
    kind: 'packed',
    segments: g.input('segments', 'int32', ['batch', 'seq']),
  } as const
  const { hiddenStates } = model.architecture.forward(
    scope,
    { tokens, positions, attention, batch: 'batch', seq: 'seq' },
    model.config,
  )
  const logits = model.architecture.logits(scope, hiddenStates, model.config)
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(g, { logits }, { device, purpose: 'generate', frozen: weights })
  const dims = [batch.batch, batch.seq]
  const position = Int32Array.from({ length: batch.batch * batch.seq }, (_, i) => i % batch.seq)
  const results = await runner.run({
    tokens: { data: batch.tokens, dims },
    positions: { data: position, dims },
    segments: { data: batch.segments, dims },
  })
  await runner.release()
  return results.logits!.data as Float32Array
}

/** Largest |a − b| over the rows that are not padding, relative to the largest |b|. */
export function worstLogit(
  ours: Float32Array,
  expected: ReadonlyMap<string, OracleTensor>,
): number {
  const reference = floats(expected, 'logits')
  const [, seq, vocab] = expected.get('logits')!.shape as [number, number, number]
  let worst = 0
  integers(expected, 'attention_lengths').forEach((length, row) => {
    for (let i = row * seq * vocab; i < (row * seq + length) * vocab; i++) {
      worst = Math.max(worst, Math.abs(ours[i]! - reference[i]!))
    }
  })
  return worst
}

interface Adapted {
  readonly golden: GoldenModel
  readonly session: TrainingSession
}

/** All logits `[batch, seq, vocab]` of the adapted model with the session's parameters. */
export async function adaptedLogits(
  { golden, session }: Adapted,
  { tokens, batch, seq }: Batch,
): Promise<Float32Array> {
  const { model } = golden
  const g = createGraph()
  const { attach } = session.method
  const scope = createScope(g, model.weights, { maxPositions: seq, attach })
  const input = {
    tokens: g.input('tokens', 'int32', ['batch', 'seq']),
    positions: g.input('positions', 'int32', ['batch', 'seq']),
    attention: { kind: 'causal' },
    batch: 'batch',
    seq: 'seq',
  } as const
  const { hiddenStates } = model.architecture.forward(scope, input, model.config)
  const logits = model.architecture.logits(scope, hiddenStates, model.config)
  const frozen = new Map(session.weights)
  for (const [name, { data }] of namedViews(session.table, session.parameters))
    frozen.set(name, data)
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(g, { logits }, { device, purpose: 'generate', frozen })
  const dims = [batch, seq]
  const positions = Int32Array.from({ length: batch * seq }, (_, i) => i % seq)
  const results = await runner.run({
    tokens: { data: tokens, dims },
    positions: { data: positions, dims },
  })
  await runner.release()
  return results.logits!.data as Float32Array
}

/** Of logits `[batch, seq, vocab]`, what does not stand on padding. */
export function realRows(logits: Float32Array, { expected }: GoldenModel, seq: number): number[] {
  const lengths = integers(expected, 'attention_lengths')
  const vocab = logits.length / (lengths.length * seq)
  return lengths.flatMap((length, row) =>
    Array.from(logits.subarray(row * seq * vocab, (row * seq + length) * vocab)),
  )
}
