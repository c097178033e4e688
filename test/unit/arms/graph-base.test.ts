/** @file A base that is an exported graph is fine-tuned, kept as a PEFT folder, and evaluated through its own graph. */
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { readPeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { writeExported } from '../../doubles/models/exported-onnx.ts'

const folder = freshFolder()
const at = (name: string) => join(folder, name)
const base = await writeExported(folder)
const data = at('rows.jsonl')
const row = (content: string) => ({
  messages: [
    { role: 'user', content: 'when is the pool open ?' },
    { role: 'assistant', content },
  ],
})
await writeFile(
  data,
  [row('the pool opens at nine .'), row('no , the pool closes .')]
    .map((each) => JSON.stringify(each))
    .join('\n'),
)

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const TRAINING = ['--steps', '4', '--batch-size', '2', '--learning-rate', '0.01', '--threads', '1']

/** Losses of every step, and the adapter's folder. */
async function trained(model: string, name: string) {
  const argv = [
    '--model',
    model,
    '--data',
    data,
    '--methods',
    'lora',
    '--out-dir',
    at(name),
    ...TRAINING,
  ]
  const { code, stdout, stderr } = await run('train', ...argv, '--json')
  expect([code, stderr]).toEqual([0, expect.any(String)])
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { row?: { name?: string; value?: number } })
  const losses = lines.flatMap(({ row: found }) =>
    found?.name === 'train/loss' ? [found.value!] : [],
  )
  const [adapter] = (await readdir(at(name), { recursive: true })).filter((path) =>
    path.endsWith('adapter_config.json'),
  )
  return { losses, adapter: join(at(name), adapter!, '..') }
}

test('four steps of LoRA on Optimum’s graph are those on the checkpoint, and so is the adapter', async () => {
  const own = await trained(base, 'own')
  const graph = await trained(at('llama-optimum'), 'graph')
  expect(own.losses).toHaveLength(4)
  graph.losses.forEach((loss, i) => expect(loss).toBeCloseTo(own.losses[i]!, 5))
  const [a, b] = [await readPeftFolder(own.adapter), await readPeftFolder(graph.adapter)]
  expect([...b.tensors.keys()].sort()).toEqual([...a.tensors.keys()].sort())
  for (const [name, { data: expected }] of a.tensors) {
    const found = b.tensors.get(name)!.data
    const off = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0)
    expect(off, name).toBeLessThan(1e-4)
  }
})

test('an audit of a graph evaluates it before and after, its adapter merged into its own weights', async () => {
  const suite = ['--suite', 'house-refusal', '--limit', '2', '--exit-zero']
  const argv = ['--data', data, '--methods', 'lora', ...TRAINING, ...suite, '--json']
  const replies = async (model: string, name: string) => {
    const { code, stdout } = await run('audit', '--model', model, '--out-dir', at(name), ...argv)
    expect(code).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; row: Record<string, unknown> })
    return lines.flatMap(({ type, row: found }) =>
      type === 'reply'
        ? [[found['arm'], found['step'], found['tokens'], found['stop']].join(' ')]
        : [],
    )
  }
  const own = await replies(base, 'audit-own')
  expect(own.length).toBeGreaterThanOrEqual(4)
  expect(await replies(at('llama-dynamo'), 'audit-graph')).toEqual(own)
})

describe('what is refused before anything is trained or written', () => {
  test.each([
    [['--methods', 'lora', '--packing'], 'which sees one text a row'],
    [['--methods', 'lora', '--checkpointing'], 'whose blocks are not known'],
    [['--methods', 'full'], 'could not be kept'],
  ])('%j', async (more, why) => {
    const argv = [
      '--model',
      at('llama-optimum'),
      '--data',
      data,
      '--out-dir',
      at('no'),
      ...TRAINING,
    ]
    const { code, stderr } = await run('train', ...argv, ...more)
    expect([code, stderr]).toEqual([2, expect.stringContaining(why)])
  })

  test('writing it in another form', async () => {
    const { code, stderr } = await run(
      'export-model',
      '--model',
      at('llama-optimum'),
      '-o',
      at('again'),
    )
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('cannot be written in another form'),
    ])
  })
})
