/**
 * @file The real SmolLM2-135M-Instruct (GGUF Q4_1) against transformers' own GGUF loader: logits with and without the cache,
 * and greedy answers. `python test/peers/smollm2_oracle.py` writes what the oracle says into test/peers/.cache.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { openCached, type CachedSession } from '../../evals/inference/cached-graph.ts'
import { countingPositions, int32 } from '../../evals/inference/feeds.ts'
import { generate } from '../../evals/inference/generate.ts'
import { scoreTexts } from '../../evals/inference/score.ts'
import { loadModel, type LoadedModel } from '../../evals/models/load.ts'
import { createScope } from '../../evals/models/scope.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import { floats, integers, readOracle } from '../doubles/models/safetensors.ts'
import { findSmolLm2, SMOLLM2_MISSING } from './smollm2.ts'

const cache = join(import.meta.dirname, '.cache')
const path = findSmolLm2()
const ready = path !== undefined && existsSync(join(cache, 'greedy.safetensors'))
const why = path === undefined ? SMOLLM2_MISSING : 'run test/peers/smollm2_oracle.py first'
const device = { name: 'cpu', threads: 2 } as const
const signal = new AbortController().signal
const TOLERANCE = 1e-3

type Prompts = readonly { tokens: number[] }[]

describe.skipIf(!ready)(ready ? 'SmolLM2' : `SmolLM2 (${why})`, { timeout: 600_000 }, () => {
  let loaded: LoadedModel
  let session: CachedSession
  let prompts: Prompts
  beforeAll(async () => {
    loaded = await loadModel(path!)
    session = await openCached({ model: loaded.model, frozen: loaded.weights }, device, 512)
    prompts = JSON.parse(readFileSync(join(cache, 'prompts.json'), 'utf8')) as Prompts
  })
  afterAll(async () => {
    await session.release()
    await loaded.open.close()
  })

  test('logits at every position, without the cache, are within 1e-3', async () => {
    const oracle = readOracle(join(cache, 'logits.safetensors'))
    const { model, weights } = loaded
    const g = createGraph()
    const scope = createScope(g, model.weights, { maxPositions: 256 })
    const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
    const positions = g.input('positions', 'int32', ['batch', 'seq'])
    const input = {
      tokens,
      positions,
      attention: { kind: 'causal' },
      batch: 'batch',
      seq: 'seq',
    } as const
    const { hiddenStates } = model.architecture.forward(scope, input, model.config)
    const logits = model.architecture.logits(scope, hiddenStates, model.config)
    const runner = await createRunner(
      g,
      { logits },
      { device, purpose: 'generate', frozen: weights },
    )
    for (let i = 0; oracle.has(`tokens.${i}`); i++) {
      const ids = integers(oracle, `tokens.${i}`)
      const dims = [1, ids.length]
      const result = await runner.run({
        tokens: int32(ids, dims),
        positions: countingPositions(1, ids.length),
      })
      const ours = result.logits!.data as Float32Array
      const reference = floats(oracle, `logits.${i}`)
      expect(ours.length).toBe(reference.length)
      const worst = reference.reduce(
        (max, value, j) => Math.max(max, Math.abs(value - ours[j]!)),
        0,
      )
      expect(worst, `prompt ${i}`).toBeLessThan(TOLERANCE)
    }
    await runner.release()
  })

  test('log-probabilities through the cache are within 1e-3', async () => {
    const oracle = readOracle(join(cache, 'logits.safetensors'))
    for (let i = 0; oracle.has(`tokens.${i}`); i++) {
      const ids = integers(oracle, `tokens.${i}`)
      const [ours] = await scoreTexts([{ key: String(i), ids, from: 1 }], {
        session,
        varying: {},
        padId: 0,
        batchSize: 2,
        signal,
      })
      const reference = floats(oracle, `logits.${i}`)
      const vocab = reference.length / ids.length
      ids.slice(1).forEach((id, t) => {
        const row = reference.subarray(t * vocab, (t + 1) * vocab)
        const max = row.reduce((a, b) => Math.max(a, b), -Infinity)
        const expected =
          row[id]! - max - Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0))
        expect(Math.abs(ours![t]! - expected), `prompt ${i}, token ${t + 1}`).toBeLessThan(
          TOLERANCE,
        )
      })
    }
  })

  test('greedy answers are the same tokens; where not, the oracle was at a near-tie', async () => {
    const oracle = readOracle(join(cache, 'greedy.safetensors'))
    const [count, width] = oracle.get('tokens')!.shape as [number, number]
    const reference = integers(oracle, 'tokens')
    const gaps = floats(oracle, 'gaps')
    const asked = prompts.map(({ tokens }, i) => ({ key: String(i), ids: tokens }))
    expect(asked.length).toBe(count)
    const options = {
      session,
      varying: {},
      decoding: { maxNewTokens: width, temperature: 0, seed: 0 },
      endIds: new Set(loaded.open.tokenizer.endIds),
      padId: loaded.open.tokenizer.padId,
      batchSize: 8,
      signal,
    }
    const differences: string[] = []
    for await (const batch of generate(asked, options)) {
      for (const { index, tokenIds } of batch) {
        const expected = reference.slice(index * width, (index + 1) * width)
        const length = expected.findIndex((id) => id === -1 || options.endIds.has(id))
        const end = length === -1 ? width : length
        const at = Array.from({ length: end }, (_, t) => t).find((t) => tokenIds[t] !== expected[t])
        if (at === undefined && tokenIds.length === end) continue
        const gap = gaps[index * width + (at ?? end)]
        differences.push(`prompt ${index}, token ${at ?? end}: the oracle's gap was ${gap}`)
        expect(gap, differences.at(-1)).toBeLessThan(1e-3)
      }
    }
    process.stdout.write(
      `greedy: ${count} prompts, ${differences.length} differences at near-ties\n${differences.join('\n')}\n`,
    )
  })
})
