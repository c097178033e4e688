/**
 * @file Generation from a GGUF file's blocks beside llama.cpp on the same file, in turns: tokens a second and the greedy tokens.
 * `node test/bench/peers/blocks.ts --model FILE.gguf --python PYTHON`, whose Python has xllamacpp. Ours are `--base-precision blocks`
 * and, with `--int8`, these with the other factor rounded to int8, and, with `--fp32`, the same weights in float32.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generate } from '../../../evals/inference/generate.ts'
import { openOwnSession } from '../../../evals/measure/base.ts'
import { loadModel } from '../../../evals/models/load.ts'
import type { Precision } from '../../../evals/models/weights/small-weights.ts'
import { median } from '../../../evals/statistics/median.ts'
import { print } from '../harness/peak.ts'

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    pairs: { type: 'string', default: '3' },
    batches: { type: 'string', default: '1,16' },
    prompt: { type: 'string', default: '64' },
    tokens: { type: 'string', default: '32' },
    threads: { type: 'string', default: String(availableParallelism()) },
    fp32: { type: 'boolean', default: false },
    int8: { type: 'boolean', default: false },
  },
})
const path = values.model!
const [threads, count, length] = [values.threads, values.tokens, values.prompt].map(Number) as [
  number,
  number,
  number,
]

interface Way {
  readonly name: string
  /** The tokens that follow each prompt. */
  run(prompts: readonly (readonly number[])[]): Promise<readonly (readonly number[])[]>
  close(): Promise<void>
}

async function ours(precision: Precision): Promise<Way> {
  const { open, model, weights } = await loadModel(path, precision)
  const session = await openOwnSession({ model, weights }, { name: 'cpu', threads })
  return {
    name: `ours, ${precision}`,
    async run(prompts) {
      const all: (readonly number[])[] = []
      const replies = generate(
        prompts.map((ids, i) => ({ key: String(i), ids })),
        {
          ...{ session, varying: {}, padId: 0, batchSize: prompts.length, endIds: new Set() },
          signal: new AbortController().signal,
          decoding: { maxNewTokens: count, temperature: 0, seed: 0 },
        },
      )
      for await (const some of replies)
        for (const { index, tokenIds } of some) all[index] = tokenIds
      return all
    },
    close: async () => (await session.release(), open.close()),
  }
}

async function theirs(parallel: number): Promise<Way> {
  const script = join(import.meta.dirname, '../../peers/served-llama-cpp.py')
  const asked = ['--parallel', String(parallel), '--threads', String(threads)]
  const child = spawn(values.python, [script, path, ...asked], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const address = line.toString().trim()
  const complete = async (prompt: readonly number[]) => {
    const body = { prompt, n_predict: count, temperature: 0, cache_prompt: false }
    const response = await fetch(`${address}/completion`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, ignore_eos: true, return_tokens: true }),
    })
    const { tokens } = (await response.json()) as { tokens: number[] }
    return tokens
  }
  return {
    name: 'llama.cpp',
    run: (prompts) => Promise.all(prompts.map(complete)),
    async close() {
      child.stdin.end()
      child.kill()
      await once(child, 'close')
    },
  }
}

async function promptsOf(batch: number): Promise<number[][]> {
  const { open } = await loadModel(path)
  const all = Array.from({ length: batch }, (_, i) => {
    const text = `Letter ${i}. The hotel stands by the sea, and in the morning the guests walk `
    return open.tokenizer.encode(text.repeat(1 + Math.ceil(length / 10))).slice(0, length)
  })
  await open.close()
  return all
}

const agreement = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]) =>
  a.reduce((sum, row, i) => {
    const first = row.findIndex((token, t) => token !== b[i]![t])
    return sum + (first === -1 ? row.length : first)
  }, 0)

for (const batch of values.batches.split(',').map(Number)) {
  const prompts = await promptsOf(batch)
  const ways = [await ours('blocks'), await theirs(batch)]
  if (values.int8) ways.push(await ours('blocks-int8'))
  if (values.fp32) ways.push(await ours('fp32'))
  const times = ways.map((): number[] => [])
  const told: (readonly (readonly number[])[])[] = []
  // The first turn warms up.
  for (let pair = -1; pair < Number(values.pairs); pair++)
    for (const [i, way] of ways.entries()) {
      const began = performance.now()
      told[i] = await way.run(prompts)
      if (pair >= 0) times[i]!.push(performance.now() - began)
    }
  const rates = times.map((own) => (1000 * batch * count) / median(own))
  const load = loadavg()[0]!.toFixed(1)
  print(`batch ${batch}, ${length} → ${count} tokens, ${threads} threads, load ${load}:`)
  for (const [i, { name }] of ways.entries()) {
    const ms = times[i]!.map((each) => each.toFixed(0)).join(', ')
    const same =
      i === 0
        ? ''
        : `; ${agreement(told[0]!, told[i]!)} of ${batch * count} tokens as ours before the first other one`
    print(`  ${name}: ${rates[i]!.toFixed(1)} tokens/s (ms: ${ms})${same}`)
  }
  for (const [i, { name }] of ways.entries())
    if (i !== 1) print(`  ${name} / llama.cpp: ${(rates[i]! / rates[1]!).toFixed(2)}`)
  for (const way of ways) await way.close()
}
