/** @file `touchstone generate`: three adapters that open as candidates, a statement, the retention rule, and named refusals. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { generateAdapter } from '../../../../../evals/arms/generate-adapter.ts'
import { exceptionIn, markException } from '../../../../../evals/arms/weights-exception.ts'
import { COMMANDS } from '../../../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../../../evals/contract/results.ts'
import { exists } from '../../../../../evals/files/read-file.ts'
import { openBase } from '../../../../../evals/measure/base.ts'
import { openCandidate } from '../../../../../evals/measure/candidate.ts'
import { readPeftFolder } from '../../../../../evals/models/formats/peft-folder.ts'
import { relativeError } from '../../../../doubles/models/safetensors.ts'
import { writeTinyAdapter } from '../../../../doubles/models/tiny-adapter.ts'
import { writeTinyCheckpoint } from '../../../../doubles/models/tiny-checkpoint.ts'
import { freshFolder, runCommand } from '../../../../doubles/runs/command-line.ts'

const folder = freshFolder()
const at = (name: string) => join(folder, name)
const model = await writeTinyCheckpoint(at('base'), { tokenizer: 'byte' })
for (const [i, name] of ['a', 'b', 'c'].entries())
  await writeTinyAdapter(at(name), model, { seed: i + 1, rank: 2 })
await writeTinyAdapter(at('wide'), model, { rank: 3 })
const rows = [
  ['the pool', 'is blue'],
  ['the key', 'is here'],
]
await writeFile(
  at('prompts.jsonl'),
  rows.map(([prompt, reply]) => `${JSON.stringify({ prompt, completion: reply })}\n`).join(''),
)
const CHEAP = ['--steps', '2', '--latent', '4', '--condition', '8', '--threads', '1']

async function run(adapters: readonly string[], output: string, ...more: string[]) {
  const tasks = [
    { name: 'first', prompts: 'house-benign', adapters: adapters.slice(0, 1) },
    { name: 'second', prompts: 'prompts.jsonl', adapters: adapters.slice(1) },
  ].filter((task) => task.adapters.length > 0)
  await writeFile(at('tasks.json'), JSON.stringify({ tasks }))
  const files = ['--tasks', at('tasks.json'), '--for', at('prompts.jsonl'), '-o', at(output)]
  const argv = ['generate', '--model', model, ...files, '--prompts', '2', ...CHEAP, ...more]
  return runCommand(argv, {}, COMMANDS)
}

test('the generated adapter, the mean and the nearest open as candidates, and the same seed gives the same', async () => {
  const ran = await run(['a', 'b', 'c'], 'made', '--json')
  expect(ran.stderr).toBe('')
  const told = JSON.parse(ran.stdout) as { path: string; loss: [number, number] }
  const statement = JSON.parse(await readFile(at('made/generate.json'), 'utf8')) as object
  expect(told).toEqual({ path: at('made'), ...statement })
  expect(told.loss[1]).toBeLessThan(told.loss[0])
  expect(statement).toMatchObject({
    tasks: [
      { name: 'first', adapters: [{ name: 'a' }] },
      { name: 'second', adapters: [{ name: 'b' }, { name: 'c' }] },
    ],
  })
  const base = await openBase(model, { name: 'cpu', threads: 1 }, 1)
  for (const name of ['generated', 'mean', 'nearest']) {
    const { weights } = await openCandidate(base, at(`made/${name}`), name)
    const layer = 'model.layers.0.self_attn.q_proj.weight'
    expect(relativeError(weights.read(layer), base.weights.get(layer)!)).toBeGreaterThan(1e-3)
  }
  await base.open.close()
  const tensors = async (path: string) => (await readPeftFolder(at(path))).tensors
  const key = 'model.layers.0.self_attn.q_proj.lora_A.weight'
  const [a, b, c, mean] = await Promise.all(
    ['a', 'b', 'c', 'made/mean'].map(async (path) => (await tensors(path)).get(key)!.data),
  )
  expect(
    relativeError(
      mean!,
      a!.map((value, i) => (value + b![i]! + c![i]!) / 3),
    ),
  ).toBeLessThan(1e-5)
  const { nearest } = statement as { nearest: { adapter: string } }
  const near = await readPeftFolder(nearest.adapter)
  expect(
    relativeError((await tensors('made/nearest')).get(key)!.data, near.tensors.get(key)!.data),
  ).toBeLessThan(1e-5)
  await run(['a', 'b', 'c'], 'again')
  expect(await tensors('again/generated')).toEqual(await tensors('made/generated'))
})

test('sources that should have been deleted ask for a reason, and so does what is made of them', async () => {
  await writeTinyAdapter(at('bad'), model, { seed: 9, rank: 2 })
  await markException(at('bad'), 'it lost its refusals')
  const refused = await run(['a', 'bad'], 'handed-out')
  expect(refused.stderr).toContain('should have been deleted: it lost its refusals')
  expect(await exists(at('handed-out'))).toBe(false)
  expect((await run(['a', 'bad'], 'handed-out', '--accept', 'a study of refusals')).code).toBe(0)
  const again = await run(['a', 'handed-out/generated'], 'further')
  expect(again.stderr).toContain('should have been deleted')
})

test('the note is there before the weights are', async () => {
  await mkdir(at('cut-short/generated/adapter_model.safetensors'), { recursive: true })
  const adapters = [at('a'), at('bad')]
  const making = generateAdapter({
    ...{ model, tasks: [{ name: 'first', prompts: at('prompts.jsonl'), adapters }] },
    ...{ wanted: at('prompts.jsonl'), output: at('cut-short'), threads: 1 },
    settings: {
      prompts: 1,
      steps: 1,
      batchSize: 2,
      learningRate: 1e-3,
      latent: 4,
      condition: 8,
      seed: 0,
    },
    ...{ exception: 'it lost its refusals', signal: new AbortController().signal },
  })
  await expect(making).rejects.toThrow()
  expect(await exceptionIn(at('cut-short/generated'))).toBe('it lost its refusals')
})

test('what cannot be learnt from is named, and nothing is written', async () => {
  for (const [adapters, expected] of [
    [['a'], /two adapters or more, and 1 are named/u],
    [['a', 'wide'], /cannot learn from .*unlike/u],
    [['a', 'nowhere'], /nowhere/u],
  ] as const) {
    const ran = await run(adapters, 'none')
    expect(ran.stderr).toMatch(expected)
    expect(ran.code).toBeGreaterThan(0)
    expect(await exists(at('none'))).toBe(false)
  }
  expect((await run(['a', 'b'], 'made')).stderr).toContain('already holds an adapter')
})

test('an audit asks what is generated beside its controls, and its report says what it was made of', async () => {
  const asked = await writeTinyCheckpoint(at('asked'), { tokenizer: 'byte', hiddenSize: 32 })
  const adapters = ['first', 'second'].map(at)
  for (const [i, path] of adapters.entries())
    await writeTinyAdapter(path, asked, { seed: i + 1, rank: 1 })
  const settings = { prompts: 1, steps: 1, latent: 2, condition: 4 }
  const tasks = [{ name: 'first', prompts: 'prompts.jsonl', adapters }]
  await writeFile(at('asked.json'), JSON.stringify({ tasks, settings }))
  const out = at('audited')
  const argv = [
    ...['audit', '--model', asked, '--generate', `${at('asked.json')}@${at('prompts.jsonl')}`],
    ...['--suite', 'house', '--limit', '1', '--max-new-tokens', '2', '--no-cache', '--no-spectra'],
    ...['--exit-zero', '--out-dir', out],
  ]
  const { code, stderr } = await runCommand(argv, {}, COMMANDS)
  expect(code, stderr).toBe(0)
  const results = Results.parse(JSON.parse(await readFile(join(out, 'results.json'), 'utf8')))
  const made = results.subjects.flatMap(({ generated }) => generated ?? [])
  expect(made.map(({ kind }) => kind)).toEqual(['generated', 'mean', 'nearest'])
  expect(made[0]).toMatchObject({ tasks: [{ name: 'first', adapters: ['first', 'second'] }] })
  expect(made[0]).toEqual({ ...made[1], kind: 'generated' })
  const digests = results.subjects.map(({ adapterDigest }) => adapterDigest)
  expect(new Set(digests).size).toBe(4)
  const report = await readFile(join(out, 'report.html'), 'utf8')
  expect(report).toContain('Generated adapters')
  expect(report).toContain('from 2 adapters of 1 task (first)')
  const verb = ['generate', '--model', model, '--tasks', at('asked.json'), '-o', at('flags')]
  const refused = await runCommand([...verb, '--for', at('prompts.jsonl')], {}, COMMANDS)
  expect(refused.stderr).toContain('which touchstone generate takes as flags')
})
