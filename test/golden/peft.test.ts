/** @file Is a candidate adapter the model that PEFT makes of it? Each form of LoRA that PEFT saves (test/golden/make-peft.py). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Base } from '../../evals/measure/base.ts'
import { openCandidate } from '../../evals/measure/candidate.ts'
import {
  batchOf,
  FIXTURES,
  goldenLogits,
  openGolden,
  worstLogit,
} from '../doubles/models/golden-llama.ts'
import { readOracle } from '../doubles/models/safetensors.ts'

const TOLERANCE = 1e-4
const { cases } = JSON.parse(readFileSync(join(FIXTURES, 'peft.json'), 'utf8')) as {
  readonly cases: Readonly<Record<string, string>>
}
const logits = readOracle(join(FIXTURES, 'peft', 'expected.safetensors'))

test.each(Object.entries(cases))('%s of %s: logits are PEFT’s within 1e-4', async (name, of) => {
  const golden = await openGolden(of)
  // The tiny checkpoints have no tokenizer, and none is asked here.
  const text = { digest: '' }
  const open = { checkpoint: { config: golden.model.config }, tokenizer: text, template: text }
  const base = { ...golden, path: of, digest: of, parameters: 0, open } as unknown as Base
  const candidate = await openCandidate(base, join(FIXTURES, 'peft', name), 'candidate')
  const { model } = candidate.base
  const read = (weight: string) => candidate.weights.read(weight)
  const weights = new Map([...model.weights.keys()].map((weight) => [weight, read(weight)]))
  const found = await goldenLogits({ ...golden, model, weights }, batchOf(golden.expected))
  const expected = new Map([...golden.expected, ['logits', logits.get(name)!]])
  expect(worstLogit(found, expected)).toBeLessThan(TOLERANCE)
})
