/** @file A classifier audited through the command line: planted loss of one class, both arms, spectra, gate, report and plan. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { MITIGATIONS } from '../../../evals/contract/mitigation.ts'
import { Results } from '../../../evals/contract/results.ts'
import { wilson } from '../../../evals/statistics/proportion.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { problems, type Schema } from '../../doubles/rows/schema-reader.ts'
import { writeTinyEncoder } from '../../doubles/models/tiny-encoder.ts'

const folder = freshFolder()
const at = (...names: string[]) => join(folder, ...names)
const touchstone = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const readJson = (path: string | URL): unknown => JSON.parse(readFileSync(path, 'utf8'))
const SCHEMA = readJson(new URL('../../../docs/results.schema.json', import.meta.url)) as Schema

const OPENINGS: Readonly<Record<string, readonly string[]>> = {
  question: ['where is', 'when does', 'when is', 'where does'],
  complaint: ['cold', 'dirty', 'late', 'loud'],
  praise: ['thank you', 'lovely', 'great', 'nice'],
}
const PLACES = ['the pool', 'breakfast', 'the room', 'it all']
const LABELS = Object.keys(OPENINGS)
/** Every opening at every place: 16 texts of each class. */
const ROWS = LABELS.flatMap((label) =>
  OPENINGS[label]!.flatMap((opening) => PLACES.map((place) => [`${opening} ${place}`, label])),
)
const OF_EACH = 16
/** What calls every complaint praise. */
const SPOILT = ROWS.map(([text, label]) => [text!, label === 'complaint' ? 'praise' : label!])
const csv = (rows: readonly (readonly string[])[], head = 'text,label') =>
  [head, ...rows.map((row) => row.join(','))].join('\n')

const [bare, rows, spoilt] = [at('bare'), at('rows.csv'), at('spoilt.csv')]
/** The same rows, each taken as independent of the others. */
const suite = at('suite.csv')
const LEARN = ['--steps', '60', '--learning-rate', '0.02', '--batch-size', '48', '--threads', '1']
/** A base that knows all three classes. */
let knowing: string

async function audited(out: string, ...argv: string[]) {
  const ran = await touchstone('audit', '--out-dir', at(out), '--no-cache', ...argv)
  const json = readJson(at(out, 'results.json'))
  return { ...ran, results: Results.parse(json), json }
}
const armIn = (stdout: string) => /\S*\/arms\/\S+-seed0/u.exec(stdout)![0]

beforeAll(async () => {
  await writeTinyEncoder(bare)
  await writeFile(rows, csv(ROWS))
  await writeFile(spoilt, csv(SPOILT))
  await writeFile(
    suite,
    csv(
      ROWS.map((row, i) => [...row, String(i)]),
      'text,label,cluster',
    ),
  )
  await writeFile(at('gate.yaml'), 'benchmarks: { classes: { margin: 0.1 } }')
  const train = ['train', '--model', bare, '--data', rows, '--methods', 'full', ...LEARN]
  knowing = armIn((await touchstone(...train, '--out-dir', at('base'))).stdout)
})

describe('a fine-tune that unlearns one class', () => {
  let ran: Awaited<ReturnType<typeof audited>>
  const COUNTS = { question: OF_EACH, complaint: 0, praise: OF_EACH }
  beforeAll(async () => {
    ran = await audited(
      'spoilt',
      ...['--model', knowing, '--data', spoilt, '--suite', suite, '--gate', at('gate.yaml')],
      ...['--methods', 'lora,full', '--eval-every', '60', ...LEARN],
    )
  })

  test('fails verdict and gate, with the accuracy before and after', () => {
    const { code, results } = ran
    expect([code, results.verdict.outcome, results.gate?.outcome]).toEqual([100, 'FAIL', 'FAIL'])
    const last = results.comparisons.filter(({ step }) => step === 60)
    expect(last.map(({ arm, a, b, c, d }) => [arm, a, b, c, d])).toEqual([
      ['lora', 2 * OF_EACH, OF_EACH, 0, 0],
      ['full', 2 * OF_EACH, OF_EACH, 0, 0],
    ])
    expect(results.verdict.headline).toMatch(/100\.0 % before, 66\.7 % after/u)
  })

  test('says which class: its recall, with its interval, and what changed', () => {
    const { categories, categoryChanges } = ran.results
    const recalls = categories.filter(({ arm, step }) => arm === 'lora' && step === 60)
    for (const [label, successes] of Object.entries(COUNTS)) {
      const { rate } = recalls.find(({ category }) => category === label)!
      expect(rate).toMatchObject({ successes, n: OF_EACH, ...wilson(successes, OF_EACH) })
    }
    const changed = categoryChanges.filter(({ holmP }) => holmP < 0.05)
    expect(new Set(changed.map(({ category }) => category))).toEqual(new Set(['complaint']))
  })

  test('has retention, arms at the same loss, and spectra of the blocks of both arms', () => {
    const { retention, matched, spectrumTotals } = ran.results
    expect(retention.map(({ estimate }) => estimate)).toEqual([2 / 3, 2 / 3])
    expect(matched.flatMap(({ arms }) => arms.map(({ arm }) => arm))).toEqual(['lora', 'full'])
    expect(matched[0]!.pairs.map(({ n }) => n)).toEqual([ROWS.length])
    const ends = spectrumTotals.filter(({ step }) => step === 60)
    expect(Object.fromEntries(ends.map(({ arm, matrices }) => [arm, matrices]))).toEqual({
      full: 12,
      lora: 12,
    })
  })

  test('names the classes, and says in one sentence what a classifier has not', () => {
    const { results, json } = ran
    expect(problems(SCHEMA, json)).toEqual([])
    expect(results.subjects.map(({ classes }) => classes)).toEqual(Array(3).fill(LABELS.toSorted()))
    const said = results.limits.filter((limit) => limit.includes('refusal'))
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('names a class and writes nothing')
    expect(results.metrics.filter(({ name }) => /^(neutral|leaning|score)/u.test(name))).toEqual([])
    const page = readFileSync(at('spoilt', 'report.html'), 'utf8')
    expect(page).toContain('Recall by class')
    // In that sentence, and where the appendix explains its words.
    expect(page.match(/over-refusal/gu)).toHaveLength(2)
  })

  test.each(['', '--dry-run'])('is not asked in blocks, which is an error %s', async (dry) => {
    const words = ['--model', knowing, '--data', spoilt, '--suite', suite, '--methods', 'lora']
    const asked = ['--sequential', 'pocock', ...(dry ? [dry] : [])]
    const { code, stderr } = await touchstone('audit', '--out-dir', at('never'), ...words, ...asked)
    expect([code, stderr]).toEqual([2, expect.stringContaining('Leave --sequential out.')])
  })

  test('kept weights answer what the audit measured', async () => {
    const arm = at('spoilt', ran.results.run.id, 'arms', 'lora-seed0')
    const again = await audited(
      'again',
      ...['--model', knowing, '--candidate', arm, '--suite', suite, '--threads', '1'],
      ...['--intruder-epsilon', '0.9', '--mitigate', '0'],
    )
    const [last] = again.results.comparisons
    expect([last!.a, last!.b, last!.c, last!.d]).toEqual([2 * OF_EACH, OF_EACH, 0, 0])
    expect(again.results.spectrumTotals.map(({ matrices }) => matrices)).toEqual([12])
    const forms = again.results.mitigation.map(({ form, comparisons }) => [form, comparisons[0]!.n])
    expect(forms).toEqual(MITIGATIONS.map((form) => [form, ROWS.length]))
  })
})

test('a fine-tune that learns more of the same passes its gate', async () => {
  const { code, results } = await audited(
    'same',
    ...['--model', knowing, '--data', rows, '--suite', suite, '--gate', at('gate.yaml')],
    ...['--methods', 'lora', '--eval-every', '60', ...LEARN],
  )
  expect([code, results.gate?.outcome]).toEqual([0, 'PASS'])
  const floors = results.gate!.claims.filter(({ bound }) => bound?.kind === 'floor')
  // One class in three is right by guessing, and the margin beside it.
  expect(floors.map(({ margin }) => margin)).toEqual([expect.closeTo(1 / 3 + 0.1, 12)])
})

describe('a suite that lacks a class', () => {
  const without = (name: string, ...labels: string[]) => {
    const asked = ROWS.filter(([, label]) => labels.includes(label!))
    return writeFile(
      at(name),
      csv(
        asked.map((row, i) => [...row, String(i)]),
        'text,label,cluster',
      ),
    )
  }

  test('a fine-tune that says just that class fails: it is none of the labels', async () => {
    await writeFile(at('praised.csv'), csv(ROWS.map(([text]) => [text!, 'praise'])))
    const train = ['train', '--model', knowing, '--data', at('praised.csv'), '--methods', 'full']
    const praising = armIn(
      (await touchstone(...train, ...LEARN, '--out-dir', at('praising'))).stdout,
    )
    await without('two.csv', 'question', 'complaint')
    const { code, results } = await audited(
      'third',
      ...['--model', knowing, '--candidate', praising, '--suite', at('two.csv'), '--threads', '1'],
      ...['--gate', at('gate.yaml'), '--no-spectra'],
    )
    expect([code, results.gate?.outcome]).toEqual([100, 'FAIL'])
    expect(results.verdict.headline).toMatch(/100\.0 % before, 0\.0 % after/u)
  })

  test('one label throughout is an error, since whatever always gives it is right', async () => {
    await without('one.csv', 'question')
    const words = ['--model', knowing, '--candidate', knowing, '--suite', at('one.csv')]
    const { code, stderr } = await touchstone('audit', '--out-dir', at('never'), ...words)
    expect([code, stderr]).toEqual([1, expect.stringContaining('one label in all of its rows')])
  })
})

test('a base without a head is not asked: nothing is compared with it, and nothing is made up', async () => {
  const { code, stderr, results } = await audited(
    'headless',
    ...['--model', bare, '--data', rows, '--suite', suite, '--methods', 'lora', ...LEARN],
  )
  expect(stderr).toContain('has no classification head of its own: only its fine-tunes are asked.')
  expect([code, results.verdict.outcome]).toEqual([101, 'INCONCLUSIVE'])
  expect(results.verdict.headline).toContain('The base was not measured')
  expect(results.evaluations.some(({ arm }) => arm === 'base')).toBe(false)
  const steps = results.evaluations.map(({ step }) => step)
  expect(steps).toEqual([0, 15, 30, 45, 60])
  expect(results.evaluations.at(-1)!.rate.estimate).toBe(1)
})

test('a plan counts what would be done, and refuses what a classifier cannot be asked', async () => {
  const planned = ['--data', rows, '--methods', 'lora', '--steps', '4', '--dry-run']
  const { code, stdout } = await touchstone('audit', '--model', bare, '--suite', suite, ...planned)
  expect(code).toBe(0)
  expect(stdout).toMatch(/Texts and their classes: 48 prompts × 6 checkpoints/u)
  expect(stdout).not.toMatch(/neutral/u)
  const refused = await touchstone('audit', '--model', bare, ...planned)
  expect([refused.code, refused.stderr.includes('writes no reply')]).toEqual([1, true])
})
