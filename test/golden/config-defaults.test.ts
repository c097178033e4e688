/**
 * @file What a configuration leaves out is what transformers' class of the family sets (make-config-defaults.py), and no key of
 * these classes is unknown here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { requireKnownKeys } from '../../evals/models/config-keys.ts'
import { ARCHITECTURES, recognise } from '../../evals/models/registry.ts'
import { FIXTURES } from '../doubles/models/golden-llama.ts'

type Config = Record<string, unknown>
const classes = JSON.parse(readFileSync(join(FIXTURES, 'config-defaults.json'), 'utf8')) as Record<
  string,
  Config
>

const architectureOf = (type: string) =>
  ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(type))
const known = Object.entries(classes).filter(([type]) => architectureOf(type))

const SIZES = `hidden_size intermediate_size num_hidden_layers num_attention_heads vocab_size
  n_embd n_layer n_head dim hidden_dim n_layers n_heads`.split(/\s+/u)
/** Follow from sizes and weights where they are left out. */
const DERIVED = ['num_key_value_heads', 'layer_types', 'no_rope_layers', 'rope_parameters']
/** Null there means the family's own activation; a window is used where `use_sliding_window` is set. */
const ALIKE = ['hidden_act', 'hidden_activation', '_sliding_window_pattern', 'pad_token_id']

function parsed(type: string, defaults: Config): Config {
  const sizes = Object.fromEntries(Object.entries(defaults).filter(([key]) => SIZES.includes(key)))
  const { config } = architectureOf(type)!
  return (config as z.ZodType<Config>).parse({ model_type: type, ...sizes })
}

const rope = (config: Config) => {
  const { rope_parameters: found } = config as {
    rope_parameters?: { rope_theta?: number; full_attention?: { rope_theta: number } }
  }
  return found?.rope_theta ?? found?.full_attention?.rope_theta
}

describe.each(known)('%s', (type, defaults) => {
  const ours = parsed(type, defaults)

  test('every key that is read has transformers’ default', () => {
    const found = Object.entries(ours).filter(
      ([key]) => key in defaults && !DERIVED.includes(key) && !ALIKE.includes(key),
    )
    expect(found.length).toBeGreaterThan(5)
    const isUnused = (key: string) =>
      key === 'sliding_window' && defaults['use_sliding_window'] === false
    for (const [key, value] of found)
      if (!isUnused(key)) expect([key, value]).toEqual([key, defaults[key]])
  })

  test('the base of rotary positions is transformers’', () => {
    const theta = ours['rope_theta'] ?? ours['rotary_emb_base']
    expect(theta).toBe(rope(defaults))
  })

  test('no key of the class is unknown', () => {
    const { config } = architectureOf(type)!
    expect(() => requireKnownKeys(defaults, config, 'model')).not.toThrow()
  })
})

describe('a key that no family reads', () => {
  const config = { ...classes['llama'], model_type: 'llama', rope_parameters: null }
  const opened = (more: Config) => () =>
    recognise({ path: 'model', config: { ...config, ...more }, weights: new Map() })
  const unsupported = expect.objectContaining({ code: 'checkpoint.unsupported' }) as Error

  test.each([
    ['changes the model, for all that is known', { attn_temperature_tuning: 4 }],
    ['is a value of another model', { hidden_act: 'relu2' }],
  ])('is refused where it %s', (_, more) => {
    expect(opened(more)).toThrow(unsupported)
  })

  test.each([
    ['off', { attn_temperature_tuning: null, use_mrope: false }],
    ['about training', { neftune_noise_alpha: 5 }],
  ])('is passed over where it is %s', (_, more) => {
    expect(opened(more)).not.toThrow(unsupported)
  })

  test('a broken value is still called damaged', () => {
    const damaged = expect.objectContaining({ code: 'checkpoint.malformed' }) as Error
    expect(opened({ hidden_size: -4 })).toThrow(damaged)
  })

  test.each([
    ['that attends in both directions, not run as causal', { use_bidirectional_attention: true }],
    ['whose capped scores transformers passes over', { attn_logit_softcapping: 50 }],
  ])('Gemma 3 %s is refused', (_, more) => {
    const gemma = { ...classes['gemma3_text'], model_type: 'gemma3_text' }
    const config = { ...gemma, ...more }
    expect(() => recognise({ path: 'model', config, weights: new Map() })).toThrow(unsupported)
  })
})
