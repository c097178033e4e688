/** @file ONNX Runtime GenAI reads the folder that we write for it, with our logits and our greedy tokens; SmolLM2 too, where it is there. */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openUnchanged } from '../../evals/inference/open-state.ts'
import { emptyCache } from '../../evals/inference/cached-graph.ts'
import { prefill } from '../../evals/inference/feeds.ts'
import { generate } from '../../evals/inference/generate.ts'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { loadModel } from '../../evals/models/load.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'
import { writeTinyCheckpoint } from '../doubles/models/tiny-checkpoint.ts'
import { findSmolLm2, oraclePython, SMOLLM2_MISSING } from './smollm2.ts'

const script = fileURLToPath(new URL('onnx-genai.py', import.meta.url))
const hasPackage = spawnSync(oraclePython(), ['-c', 'import onnxruntime_genai']).status === 0
const needs = 'needs a Python with onnxruntime-genai'
const COUNT = 24
/** Of a logit: two programs, each in float32, over the layers of SmolLM2. */
const TOLERANCE = 1e-3

/** Ours, through the cache: logits after the prompt, and what is written greedily. */
async function ours(path: string, text: string) {
  const { open, model, weights } = await loadModel(path)
  const session = await openUnchanged({ model, weights }, { name: 'cpu', threads: 2 }, 256)
  const rendered = await open.template.render([{ role: 'user', content: text }], {
    addGenerationPrompt: true,
  })
  const ids = open.tokenizer.encode(rendered)
  const { past, present } = emptyCache(session.cache, 2, ids.length)
  const { logits } = await session.run(
    'sampled',
    { ...past, ...prefill([{ ids }, { ids }], ids.length, 0) },
    present,
  )
  const options = {
    ...{ session, varying: {}, padId: 0, batchSize: 1 },
    decoding: { maxNewTokens: COUNT, temperature: 0, seed: 0 },
    endIds: new Set(open.tokenizer.endIds),
    signal: new AbortController().signal,
  }
  const written: number[] = []
  for await (const [answer] of generate([{ key: 'one', ids }], options))
    written.push(...answer!.tokenIds)
  await session.release()
  await open.close()
  return {
    ids,
    logits: Array.from((logits!.data as Float32Array).slice(0, logits!.dims[1])),
    written,
  }
}

async function expectSame(model: string, text: string) {
  const folder = join(freshFolder(), 'genai')
  const argv = ['export-model', '--model', model, '--as', 'ort-genai', '-o', folder]
  expect(await runCommand(argv, {}, COMMANDS)).toMatchObject({ code: 0 })
  const { ids, logits, written } = await ours(model, text)
  const asked = spawnSync(oraclePython(), [script, folder, JSON.stringify(ids), String(COUNT)], {
    encoding: 'utf8',
  })
  expect(asked.stderr).toBe('')
  const said = JSON.parse(asked.stdout) as { logits: number[]; tokens: number[] }
  expect(said.logits).toHaveLength(logits.length)
  const off = logits.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - said.logits[i]!)),
    0,
  )
  expect(off).toBeLessThan(TOLERANCE)
  // The token that ends a reply is not in what GenAI gives back.
  expect(said.tokens.slice(0, written.length)).toEqual(written)
  return { off, written }
}

test.skipIf(!hasPackage)(hasPackage ? 'a tiny Llama' : `a tiny Llama: ${needs}`, async () => {
  const shape = { hiddenSize: 64, intermediateSize: 96, tokenizer: 'byte' } as const
  const model = await writeTinyCheckpoint(join(freshFolder(), 'model'), shape)
  const { written } = await expectSame(model, 'Where is the pool?')
  expect(written.length).toBeGreaterThan(4)
})

const smol = findSmolLm2()
test.skipIf(!hasPackage || smol === undefined)(
  hasPackage
    ? smol === undefined
      ? `SmolLM2: ${SMOLLM2_MISSING}`
      : 'SmolLM2'
    : `SmolLM2: ${needs}`,
  async () => {
    const { written } = await expectSame(smol!, 'What is the capital of France?')
    expect(written.length).toBeGreaterThan(4)
  },
  600_000,
)

const BUILDER = 'onnxruntime_genai.models.builder'
const hasBuilder = spawnSync(oraclePython(), ['-c', `import torch, ${BUILDER}`]).status === 0

test.skipIf(!hasBuilder)(
  `a folder of GenAI’s own builder passes, and its fused operators are named where it is to be trained${hasBuilder ? '' : `: ${needs}`}`,
  async () => {
    const folder = freshFolder()
    const shape = { hiddenSize: 64, intermediateSize: 96, tokenizer: 'byte' } as const
    const model = await writeTinyCheckpoint(join(folder, 'model'), shape)
    const built = join(folder, 'built')
    const places = ['-i', model, '-o', built, '-c', join(folder, 'cache')]
    const environment = { ...process.env, HF_HUB_OFFLINE: '1' }
    const argv = ['-m', BUILDER, ...places, '-p', 'fp32', '-e', 'cpu']
    expect(spawnSync(oraclePython(), argv, { env: environment }).status).toBe(0)
    const run = (...words: string[]) => runCommand(words, {}, COMMANDS)
    const named = ['--model', model, '--artefact', built, '--limit', '2']
    expect(await run('certify', ...named)).toMatchObject({ code: 0, stderr: '' })
    const data = join(folder, 'rows.jsonl')
    const messages = [
      { role: 'user', content: 'Where is the pool?' },
      { role: 'assistant', content: 'On the roof.' },
    ]
    await writeFile(data, JSON.stringify({ messages }))
    const out = ['--data', data, '--methods', 'lora', '--out-dir', join(folder, 'out')]
    const { code, stderr } = await run('train', '--model', built, ...out)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /No gradient here for: com\.microsoft:GroupQueryAttention \(2, first "[^"]+"\); com\.microsoft:SkipSimplifiedLayerNormalization \(4, /,
    )
  },
  300_000,
)
