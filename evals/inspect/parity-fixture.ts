/** @file The tiny Llama of the parity self-test, and PyTorch's numbers for it (`bundled/parity.safetensors`). */
import { join } from 'node:path'
import type { Conversed } from '../finetune/training/dataset.ts'
import { recognise, type Model } from '../models/registry.ts'
import { readSafetensorsIndex } from '../models/formats/safetensors.ts'
import { openFiles, readStored } from '../models/weights/stored-weights.ts'
import { asComputed } from '../models/weight-list.ts'

export const PARITY_FILE = join(import.meta.dirname, '..', 'bundled', 'parity.safetensors')

export interface ParityFixture {
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly examples: readonly Conversed[]
  readonly prompts: readonly { readonly key: string; readonly ids: readonly number[] }[]
  readonly newTokens: number
  /** PyTorch's numbers, by the names explained in test/golden/README.md. */
  readonly numbers: ReadonlyMap<string, Float32Array>
}

const WEIGHT = 'weight:'

export async function openParityFixture(path = PARITY_FILE): Promise<ParityFixture> {
  const { weights: stored, metadata } = await readSafetensorsIndex(path)
  const config = JSON.parse(metadata.get('config')!) as { model_type: string }
  const ofModel = stored.filter(({ name }) => name.startsWith(WEIGHT))
  const index = new Map(ofModel.map((each) => [each.name.slice(WEIGHT.length), each]))
  const model = recognise({ path, config, weights: index })
  const files = await openFiles([path])
  const numbers = new Map<string, Float32Array>()
  for (const each of stored) numbers.set(each.name, readStored(files, each))
  await files.close()
  const weights = new Map(
    [...model.weights.values()].map((spec) => {
      return [spec.name, asComputed(numbers.get(`${WEIGHT}${spec.stored ?? spec.name}`)!, spec)]
    }),
  )
  const rows = rowsOf(numbers, 'tokens', 'attention_lengths')
  const labels = rowsOf(numbers, 'labels', 'attention_lengths')
  const prompts = rowsOf(numbers, 'greedy.prompts', 'greedy.prompt_lengths')
  return {
    model,
    weights,
    examples: rows.map((ids, i) => ({ ids, labelled: labels[i]!.map((label) => label >= 0) })),
    prompts: prompts.map((ids, i) => ({ key: String(i), ids })),
    newTokens: numbers.get('greedy.tokens')!.length / prompts.length,
    numbers,
  }
}

/** The rows of `[rows, width]` without their padding. */
function rowsOf(
  numbers: ReadonlyMap<string, Float32Array>,
  name: string,
  lengthsName: string,
): number[][] {
  const lengths = [...numbers.get(lengthsName)!]
  const all = numbers.get(name)!
  const width = all.length / lengths.length
  return lengths.map((length, i) => [...all.subarray(i * width, i * width + length)])
}
