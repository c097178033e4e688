/** @file Settings of rotary positions: what is a kind's own is read, and what is not is named. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { readSafetensorsIndex } from '../../../evals/models/formats/safetensors.ts'
import { recognise } from '../../../evals/models/registry.ts'
import { FIXTURES } from '../../doubles/models/golden-llama.ts'

const { weights } = await readSafetensorsIndex(join(FIXTURES, 'llama-yarn', 'model.safetensors'))
const index = new Map(weights.map((weight) => [weight.name, weight]))
const whole = JSON.parse(readFileSync(join(FIXTURES, 'llama-yarn', 'config.json'), 'utf8')) as {
  model_type: string
}

function refused(rope_scaling: Record<string, unknown>): TouchstoneError {
  const config = { ...whole, rope_parameters: null, rope_scaling }
  try {
    recognise({ path: 'tiny', config, weights: index })
  } catch (error) {
    if (error instanceof TouchstoneError) return error as TouchstoneError
    throw error
  }
  throw new Error('it was taken')
}

const pairs = (count: number) => new Array<number>(count).fill(1.5)
const LONG = { short_factor: pairs(4), long_factor: pairs(4) }

describe('a setting that cannot be meant is named', () => {
  test.each([
    [
      { rope_type: 'spiral' },
      'checkpoint.unsupported',
      /spiral.*default, linear, llama3, dynamic, yarn, longrope/,
    ],
    [
      { rope_type: 'yarn', factor: 4, mrope: 3 },
      'checkpoint.unsupported',
      /yarn.*"mrope".*beta_fast/,
    ],
    [{ rope_type: 'linear', factor: 4, mscale: 1 }, 'checkpoint.unsupported', /linear.*"mscale"/],
    [
      { rope_type: 'default', low_freq_factor: 1 },
      'checkpoint.unsupported',
      /default.*"low_freq_factor"/,
    ],
    [{ rope_type: 'dynamic' }, 'checkpoint.malformed', /dynamic without "factor"/],
    [{ rope_type: 'linear', factor: null }, 'checkpoint.malformed', /linear without "factor"/],
    [
      { type: 'longrope', ...LONG, long_factor: null },
      'checkpoint.malformed',
      /longrope without "long_factor"/,
    ],
    [
      { type: 'longrope', ...LONG, short_factor: pairs(3) },
      'checkpoint.malformed',
      /3 numbers in "short_factor".*4, one a pair/,
    ],
    [
      { type: 'longrope', ...LONG, long_factor: [1, 2, 0, 3] },
      'checkpoint.malformed',
      /long_factor/,
    ],
    [{ rope_type: 'constructor' }, 'checkpoint.unsupported', /"constructor"/],
    [{ rope_type: 'dynamic', factor: 1e308 }, 'checkpoint.malformed', /factor/],
    [{ rope_type: 'yarn', factor: -1 }, 'checkpoint.malformed', /factor/],
    [{ rope_type: 'yarn', factor: 4, truncate: 'no' }, 'checkpoint.malformed', /truncate/],
  ])('%j', (scaling, code, message) => {
    const error = refused(scaling)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
  })
})

test.each([
  { rope_type: 'default' },
  { type: 'yarn', factor: 4, finetuned: true, attention_factor: null },
  { type: 'longrope', ...LONG, original_max_position_embeddings: 10 },
  { type: 'dynamic', factor: 2, original_max_position_embeddings: 10 },
])('%j is taken', (scaling) => {
  expect(() => refused(scaling)).toThrow('it was taken')
})
