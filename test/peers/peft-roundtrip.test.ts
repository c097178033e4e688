/**
 * @file Does PEFT read our adapters as we mean them: each method's export on a tiny Llama, opened by
 * `PeftModel.from_pretrained`, must answer with our logits, unmerged and merged.
 */
import { bind } from '../../evals/finetune/method.ts'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namedViews } from '../../evals/finetune/training/parameters.ts'
import { bindMethod, METHODS } from '../../evals/finetune/registry.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { writePeftFolder } from '../../evals/models/formats/peft-folder.ts'
import { randomStream } from '../../evals/statistics/random.ts'
import {
  adaptedLogits,
  batchOf,
  FIXTURES,
  openGolden,
  realRows,
} from '../doubles/models/golden-llama.ts'
import { floats, readOracle, relativeError } from '../doubles/models/safetensors.ts'
import { oraclePython } from './smollm2.ts'

const BASE = 'llama-untied-gqa'
const TOLERANCE = 1e-4
const SCRIPT = join(import.meta.dirname, 'peft_roundtrip.py')
const asked = spawnSync(oraclePython(), ['-c', 'import peft'], { encoding: 'utf8' })
const isReady = asked.status === 0
const title = isReady
  ? 'PEFT reads'
  : 'PEFT reads (needs Python with peft: name it in TOUCHSTONE_PYTHON)'

const names = METHODS.filter((method) => bind(method, {}).toPeft).map(({ name }) => name)

describe.skipIf(!isReady)(title, { timeout: 120_000 }, () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'touchstone-roundtrip-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each(names)('%s as we mean it', async (name) => {
    const patterns = { rankPattern: ['layers.1.mlp.down_proj=2'], alphaPattern: ['q_proj=9'] }
    const method = bindMethod({ name, config: { rank: 3, alpha: 6, ...patterns } })
    const golden = await openGolden(BASE)
    const batch = batchOf(golden.expected)
    const data = {
      examples: [{ ids: [3, 4, 5, 6], labelled: [false, true, true, true] }],
      padId: 0,
    }
    const { model, weights } = golden
    const session = await openTraining({
      model,
      weights,
      method,
      data,
      ...{ seed: 0, maxPositions: 16, device: { name: 'cpu', threads: 1 } },
    })
    const { normal } = randomStream(41, name)
    session.parameters.forEach((_, i) => (session.parameters[i]! += 0.05 * normal()))
    const views = namedViews(session.table, session.parameters)
    const adapter = join(folder, name)
    await writePeftFolder(adapter, method.toPeft!(views, BASE, session.prepared))
    const out = join(folder, `${name}.safetensors`)
    const run = spawnSync(oraclePython(), [SCRIPT, join(FIXTURES, BASE), adapter, out], {
      encoding: 'utf8',
    })
    expect(run.status, run.stderr).toBe(0)
    const theirs = readOracle(out)
    const ours = realRows(await adaptedLogits({ golden, session }, batch), golden, batch.seq)
    const rows = (tensor: string) => realRows(floats(theirs, tensor), golden, batch.seq)
    expect(relativeError(rows('logits'), ours)).toBeLessThan(TOLERANCE)
    expect(relativeError(rows('merged_logits'), ours)).toBeLessThan(TOLERANCE)
    expect(relativeError(rows('base_logits'), ours)).toBeGreaterThan(0.01)
    await session.release()
  })
})
