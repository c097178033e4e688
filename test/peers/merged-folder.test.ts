/** @file transformers loads our merged folder, sharded and in every type, with our tokens and our logits. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { emptyCache, openCached } from '../../evals/inference/cached-graph.ts'
import { countingPositions, int32 } from '../../evals/inference/feeds.ts'
import { loadModel } from '../../evals/models/load.ts'
import { chooseDevice } from '../../evals/runtime/device.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'
import { writeTinyAdapter } from '../doubles/models/tiny-adapter.ts'
import { writeTinyCheckpoint } from '../doubles/models/tiny-checkpoint.ts'
import { oraclePython } from './smollm2.ts'

const script = fileURLToPath(new URL('merged-folder.py', import.meta.url))
const hasPackage = spawnSync(oraclePython(), ['-c', 'import torch, transformers']).status === 0
const title = 'transformers loads our merged folder in'
const TEXT = 'Where is the pool, room 12?'

async function oursOn(path: string): Promise<{ ids: number[]; logits: Float32Array }> {
  const { open, model, weights } = await loadModel(path)
  const session = await openCached({ model, frozen: weights }, chooseDevice('cpu'), 256)
  const messages = [{ role: 'user', content: TEXT }]
  const rendered = await open.template.render(messages, { addGenerationPrompt: true })
  const ids = open.tokenizer.encode(rendered)
  const { past, present } = emptyCache(session.cache, 2, ids.length)
  const feeds = {
    ...past,
    tokens: int32([...ids, ...ids], [2, ids.length]),
    positions: countingPositions(2, ids.length),
    last: int32([ids.length - 1, ids.length - 1]),
    total: int32([ids.length]),
    rows: int32([ids.length - 1, ids.length - 1]),
  }
  const { logits } = await session.run('sampled', feeds, present)
  const data = (logits!.data as Float32Array).slice(0, logits!.dims[1])
  await session.release()
  await open.close()
  return { ids, logits: data }
}

test.skipIf(!hasPackage).each([
  ['f32', 'torch.float32'],
  ['f16', 'torch.float16'],
  ['bf16', 'torch.bfloat16'],
])(
  hasPackage ? `${title} %s` : `${title} %s: needs a Python with torch and transformers`,
  { timeout: 120_000 },
  async (form, dtype) => {
    const folder = freshFolder()
    const shape = { hiddenSize: 64, intermediateSize: 96, tokenizer: 'byte' } as const
    const model = await writeTinyCheckpoint(join(folder, 'model'), shape)
    const adapter = await writeTinyAdapter(join(folder, 'adapter'), model)
    const merged = join(folder, 'merged')
    const written = ['--as', form, '--shard-size', '0.1', '-o', merged]
    const argv = ['export-model', '--model', model, '--candidate', adapter, ...written]
    expect(await runCommand(argv, {}, COMMANDS)).toMatchObject({ code: 0, stderr: '' })
    const asked = spawnSync(oraclePython(), [script, merged, TEXT], { encoding: 'utf8' })
    expect(asked.status, asked.stderr.slice(-800)).toBe(0)
    const theirs = JSON.parse(asked.stdout) as { dtype: string; ids: number[]; logits: number[] }
    const ours = await oursOn(merged)
    expect([theirs.dtype, theirs.ids]).toEqual([dtype, ours.ids])
    expect(theirs.logits).toHaveLength(ours.logits.length)
    const off = Math.max(...theirs.logits.map((x, i) => Math.abs(x - ours.logits[i]!)))
    expect(off / Math.max(...theirs.logits.map(Math.abs))).toBeLessThan(1e-5)
  },
)
