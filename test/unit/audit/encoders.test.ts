/** @file An encoder from rows of text and label to a measured fine-tune, through the command line. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { Results } from '../../../evals/contract/results.ts'
import { readPeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { writeGoldenEncoder, writeTinyEncoder } from '../../doubles/models/tiny-encoder.ts'

const folder = freshFolder()
const at = (...names: string[]) => join(folder, ...names)
const touchstone = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const ROWS = [
  ...['where is the pool ?', 'when does it open ?', 'when is breakfast ?', 'where is it ?'].map(
    (text) => [text, 'question'],
  ),
  ...['breakfast was cold', 'the room was dirty and loud', 'it was late', 'the pool was cold'].map(
    (text) => [text, 'complaint'],
  ),
  ...['thank you', 'lovely stay', 'it was great thank you all', 'nice room'].map((text) => [
    text,
    'praise',
  ]),
]
const csv = (rows: readonly (readonly string[])[]) =>
  ['text,label', ...rows.map((row) => row.join(','))].join('\n')
const bare = at('bare')
const data = at('rows.csv')

beforeAll(async () => {
  await writeTinyEncoder(bare)
  await writeFile(data, csv(ROWS))
})

const trained = (method: string, out: string, model = bare, ...more: string[]) =>
  touchstone(
    ...['train', '--model', model, '--data', data, '--methods', method],
    ...(more.includes('--steps') ? [] : ['--steps', '40']),
    ...['--learning-rate', '0.02', '--batch-size', '12', '--threads', '1', '--out-dir', at(out)],
    ...more,
  )

/** The one folder that a run's arm was written to. */
const armIn = (stdout: string) => /\S*\/arms\/\S+-seed0/u.exec(stdout)![0]

async function accuracies(...argv: string[]) {
  const out = at(`eval-${Math.random().toString(36).slice(2)}`)
  const ran = await touchstone(
    'eval',
    ...(argv.includes('--suite') ? [] : ['--suite', data]),
    '--threads',
    '1',
    '--out-dir',
    out,
    ...argv,
  )
  expect(ran.stderr).not.toContain('internal')
  const results = JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as Results
  return new Map(results.evaluations.map(({ arm, rate }) => [arm, rate]))
}

describe.each(['lora', 'full'])('%s', (method) => {
  test('learns a head that a bare encoder lacks, and is measured beside it', async () => {
    const { code, stdout, stderr } = await trained(method, `train-${method}`)
    expect([code, stderr.includes('internal')]).toEqual([0, false])
    const arm = armIn(stdout)
    const rates = await accuracies('--model', bare, '--candidate', arm)
    const [rate] = [...rates.values()]
    expect(rates.size).toBe(1)
    expect(rate).toMatchObject({ successes: 12, n: 12, estimate: 1 })
    // Wilson's interval of 12 of 12: 12 / (12 + 1.96²).
    expect(rate!.lower).toBeCloseTo(12 / (12 + 1.959964 ** 2), 5)
  })
})

test.each(['bert', 'roberta', 'distilbert'])(
  'a %s of another end gets a head with names of its own, which the adapter carries',
  async (family) => {
    const model = await writeGoldenEncoder(at(family), `${family}-classes`)
    const two = at('two.csv')
    await writeFile(two, csv(ROWS.filter(([, label]) => label !== 'complaint')))
    const { stdout, code } = await touchstone(
      ...['train', '--model', model, '--data', two, '--methods', 'lora', '--steps', '1'],
      ...['--threads', '1', '--out-dir', at(`train-${family}`)],
    )
    expect(code).toBe(0)
    const arm = armIn(stdout)
    const { saved } = await readPeftFolder(arm)
    const classifier = family === 'roberta' ? 'classifier.out_proj' : 'classifier'
    expect(saved!.get(`${classifier}.weight`)!.shape).toEqual([2, 32])
    const rates = await accuracies('--model', model, '--candidate', arm, '--suite', two)
    expect([...rates.values()].map(({ n }) => n)).toEqual([8])
  },
)

test.each(['pissa', 'dora', 'lora-ga', 'ba-lora'])(
  '%s starts otherwise, and its adapter carries the head too',
  async (method) => {
    const more = ['--rank', '4', '--steps', '2']
    const { code, stdout } = await trained(method, `train-${method}`, bare, ...more)
    expect(code).toBe(0)
    const { saved } = await readPeftFolder(armIn(stdout))
    expect(saved!.get('classifier.weight')!.shape).toEqual([3, 16])
  },
)

describe('a fine-tune', () => {
  let arm: string
  let merged: string
  beforeAll(async () => {
    arm = armIn((await trained('lora', 'train-again')).stdout)
    merged = at('merged')
    const written = ['--candidate', arm, '--as', 'f32', '-o', merged]
    expect(await touchstone('export-model', '--model', bare, ...written)).toMatchObject({ code: 0 })
  })

  test('is a PEFT folder: the head is saved whole, and named layers are the blocks’ alone', async () => {
    const { config, saved } = await readPeftFolder(arm)
    expect(new Set(saved!.keys())).toEqual(new Set(['classifier.weight', 'classifier.bias']))
    expect(config.targetModules).toContain('attention.output.dense')
    expect(config.targetModules).not.toContain('dense')
    const classes: unknown = JSON.parse(await readFile(join(arm, 'classes.json'), 'utf8'))
    expect(classes).toEqual({ id2label: { 0: 'complaint', 1: 'praise', 2: 'question' } })
  })

  test('answers the same as a folder of its own, which can be fine-tuned on and says its classes', async () => {
    const rates = await accuracies('--model', bare, '--candidate', arm, '--candidate', merged)
    expect([...rates.values()].map(({ successes, n }) => [successes, n])).toEqual([
      [12, 12],
      [12, 12],
    ])
    const { stdout } = await touchstone('inspect', merged)
    expect(stdout).toMatch(/classes +complaint, praise, question\n/u)
    expect(stdout).toMatch(/problems +none/u)
    const on = await trained('lora', 'train-on', merged, '--target-modules', 'query,value')
    expect(on.code).toBe(0)
    const { config } = await readPeftFolder(armIn(on.stdout))
    expect(config.targetModules).toEqual(['query', 'value'])
  })

  test('has spectra of each matrix of the blocks, dense layers apart', async () => {
    const out = at('spectra')
    const ran = await touchstone('spectral', bare, arm, '--no-cache', '--out-dir', out)
    expect(ran.code).toBe(0)
    const { spectra } = JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as Results
    expect(spectra).toHaveLength(12)
    expect(new Set(spectra.map(({ layer, module }) => `${layer} ${module}`)).size).toBe(12)
    expect(spectra.every(({ relativeChange }) => relativeChange > 0)).toBe(true)
  })
})

describe('refused in one sentence', () => {
  const wrote = async (name: string, rows: readonly (readonly string[])[]) => {
    await writeFile(at(name), csv(rows))
    return at(name)
  }
  const refusal = async (...argv: string[]) => {
    const out = at('refused')
    const { code, stderr } = await touchstone(...argv, '--threads', '1', '--out-dir', out)
    expect([code, existsSync(join(out, 'report.html'))]).toEqual([1, false])
    return stderr
  }
  const train = (file: string, model = bare) =>
    refusal('train', '--model', model, '--data', file, '--methods', 'lora', '--steps', '1')

  test('what only a model that writes can do', async () => {
    const audited = ['audit', '--model', bare, '--data', data, '--methods', 'lora']
    const sentence = 'is an encoder: it names the class of a text and writes no reply'
    expect(await refusal(...audited)).toContain(sentence)
    expect(await refusal('eval', '--model', bare)).toContain(sentence)
    expect(await refusal('eval', '--model', bare, '--suite', 'general')).toContain(sentence)
    const shown = await touchstone('data', data, '--model', bare)
    expect([shown.code, shown.stderr.includes(sentence)]).toEqual([1, true])
  })

  test('naming a class without a head', async () => {
    const asked = await refusal('eval', '--model', bare, '--suite', data)
    expect(asked).toContain('without a classification head')
  })

  test('rows that teach no classes', async () => {
    const one = await wrote('one.csv', [
      ['where is it', 'question'],
      ['when is it', 'question'],
    ])
    expect(await train(one)).toContain('found one label, "question"; expected two or more')
    const chat = at('chat.jsonl')
    const turns = ['user', 'assistant', 'user', 'assistant'].map((role) => ({ role, content: 'x' }))
    await writeFile(chat, JSON.stringify({ messages: turns }))
    expect(await train(chat)).toContain('in row 1 the turns user, assistant, user, assistant')
  })

  test('labels that the head does not know, by row', async () => {
    const named = await writeTinyEncoder(at('named'), { classes: ['praise', 'question'] })
    expect(await train(data, named)).toMatch(/rows\.csv, row 5: the label "complaint" is none/u)
    const asked = await refusal('eval', '--model', named, '--suite', data)
    expect(asked).toContain('the label "complaint" is none of the model’s classes')
  })

  test('a head of another size than its names', async () => {
    const wrong = await writeTinyEncoder(at('wrong'), { classes: ['a', 'b'] })
    const config = join(wrong, 'config.json')
    const text = await readFile(config, 'utf8')
    await writeFile(config, text.replace('"1": "b"', '"1": "b", "2": "c"'))
    expect(await train(data, wrong)).toMatch(/"classifier\.weight" has shape \[2, 16\]/u)
  })
})

test('texts that are too long lose their end, and the end token stays', async () => {
  const long = at('long.csv')
  await writeFile(long, csv([...ROWS, ['the pool '.repeat(40), 'praise']]))
  const { code, stderr, stdout } = await touchstone(
    ...['train', '--model', bare, '--data', long, '--methods', 'lora', '--steps', '1'],
    ...['--threads', '1', '--out-dir', at('long')],
  )
  expect([code, stderr]).toEqual([0, expect.stringContaining('1 of 13 texts lost their end')])
  const [arm, out] = [armIn(stdout), at('long-eval')]
  const asked = ['--model', bare, '--candidate', arm, '--suite', long]
  const told = await touchstone('eval', ...asked, '--threads', '1', '--out-dir', out)
  expect(told.stderr).toContain('1 of 13 prompts are too long and were cut')
  const { limits } = JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as Results
  // 32 positions hold 30 tokens of a text of 80.
  expect(limits.join('\n')).toContain('1 of the 13 prompts of Texts and their classes')
  expect(limits.join('\n')).toContain('were cut, by up to 50 tokens')
})
