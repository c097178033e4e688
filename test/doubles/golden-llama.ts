/** @file The tiny Llamas of test/golden/fixtures, opened, and their oracle's batch in our form. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Batch } from '../../evals/finetune/method.ts'
import type { WeightIndex } from '../../evals/models/checkpoint.ts'
import { recognise, type Model } from '../../evals/models/registry.ts'
import { readSafetensorsIndex } from '../../evals/models/safetensors.ts'
import { openFiles, readStoredWeight } from '../../evals/models/stored-weights.ts'
import { integers, readOracle, type OracleTensor } from './safetensors.ts'

export const FIXTURES = join(import.meta.dirname, '../golden/fixtures')

export interface GoldenModel {
  readonly model: Model
  readonly weights: Map<string, Float32Array>
  readonly expected: Map<string, OracleTensor>
}

export async function openGolden(name: string): Promise<GoldenModel> {
  const folder = join(FIXTURES, name)
  const file = join(folder, 'model.safetensors')
  const { weights: stored } = await readSafetensorsIndex(file)
  const index: WeightIndex = new Map(stored.map((weight) => [weight.name, weight]))
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as {
    model_type: string
  }
  const model = recognise({ path: folder, config, weights: index })
  const weights = new Map<string, Float32Array>()
  const files = await openFiles([file])
  for (const weight of stored) weights.set(weight.name, await readStoredWeight(files, weight))
  await files.close()
  return { model, weights, expected: readOracle(join(folder, 'expected.safetensors')) }
}

/** The oracle's batch in our form: labels there stand on the labelled token itself. */
export function batchOf(expected: ReadonlyMap<string, OracleTensor>): Batch {
  const [batch, seq] = expected.get('tokens')!.shape as [number, number]
  const labels = integers(expected, 'labels')
  const rows = labels.flatMap((label, i) => (label !== -100 && i % seq !== 0 ? [i - 1] : []))
  return {
    tokens: Int32Array.from(integers(expected, 'tokens')),
    batch,
    seq,
    rows: Int32Array.from(rows),
    labels: Int32Array.from(rows, (row) => labels[row + 1]!),
    weights: new Float32Array(rows.length).fill(1 / rows.length),
  }
}
