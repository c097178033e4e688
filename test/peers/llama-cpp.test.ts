/** @file llama.cpp reads our GGUF files as we do: the same tokens, and the same greedy tokens after them. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../evals/cli/commands/registry.ts'
import { openCached } from '../../evals/inference/cached-graph.ts'
import { generate } from '../../evals/inference/generate.ts'
import { loadModel } from '../../evals/models/load.ts'
import { chooseDevice } from '../../evals/runtime/device.ts'
import { freshFolder, runCommand } from '../doubles/command-line.ts'
import { FIXTURES } from '../doubles/golden-llama.ts'
import { writeTinyCheckpoint } from '../doubles/tiny-checkpoint.ts'
import { oraclePython } from './smollm2.ts'

const script = fileURLToPath(new URL('llama-cpp.py', import.meta.url))
const hasPackage = spawnSync(oraclePython(), ['-c', 'import llama_cpp']).status === 0
const title = 'llama.cpp gives our tokens and our greedy tokens on a file of ours'
const COUNT = 12

async function oursOn(file: string, text: string): Promise<{ tokens: number[]; greedy: number[] }> {
  const { open, model, weights } = await loadModel(file)
  const session = await openCached({ model, frozen: weights }, chooseDevice('cpu'), 256)
  const tokens = open.tokenizer.encode(text)
  const decoding = { maxNewTokens: COUNT, temperature: 0, seed: 0 }
  const options = { session, varying: {}, decoding, endIds: new Set<number>(), padId: 0 }
  const signal = new AbortController().signal
  const prompts = [{ key: 'text', ids: tokens }]
  let greedy: number[] = []
  for await (const [answer] of generate(prompts, { ...options, batchSize: 2, signal }))
    greedy = answer!.tokenIds
  await session.release()
  await open.close()
  return { tokens, greedy }
}

const llamaCppOn = (file: string, text: string): unknown => {
  const asked = spawnSync(oraclePython(), [script, file, text, String(COUNT)], { encoding: 'utf8' })
  expect(asked.status, asked.stderr.slice(-500)).toBe(0)
  return JSON.parse(asked.stdout)
}

async function exported(model: string): Promise<string> {
  const file = join(freshFolder(), 'model.gguf')
  const argv = ['export-model', '--model', model, '--as', 'gguf-f16', '-o', file]
  expect(await runCommand(argv, {}, COMMANDS)).toMatchObject({ code: 0, stderr: '' })
  return file
}

test.skipIf(!hasPackage)(
  hasPackage ? title : `${title}: needs a Python with llama_cpp`,
  { timeout: 120_000 },
  async () => {
    const shape = { hiddenSize: 64, intermediateSize: 96, tokenizer: 'byte' } as const
    const model = await writeTinyCheckpoint(join(freshFolder(), 'model'), shape)
    const text = '<|im_start|>user\nWhere is the pool, room 12? é 🙂<|im_end|>\n'
    const file = await exported(model)
    expect(llamaCppOn(file, text)).toEqual(await oursOn(file, text))
  },
)

const { cases } = JSON.parse(readFileSync(join(FIXTURES, 'gguf/cases.json'), 'utf8')) as {
  cases: string[]
}
/** llama.cpp passes over Phi-3's window. */
const alike = cases.filter((name) => name !== 'phi3')

test.skipIf(!hasPackage).each(alike)(
  hasPackage ? `${title}: %s` : `${title}: needs a Python with llama_cpp (%s)`,
  async (name) => {
    const file = await exported(join(FIXTURES, 'gguf', `${name}.gguf`))
    expect(llamaCppOn(file, 'HELLO,POOL')).toEqual(await oursOn(file, 'HELLO,POOL'))
  },
)
