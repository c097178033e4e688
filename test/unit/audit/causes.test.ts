/** @file `attribute` and `locate` through the command line on Pebble: a stored run, its rows and the parts of its change ranked, and what came back. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { requireSameInputs } from '../../../evals/audit/causes/same-inputs.ts'
import { tamperRows } from '../../../evals/bundled/hotel/fine-tuning.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { SubjectIdentity } from '../../../evals/contract/rows.ts'
import { LEFT_OUT, type Attribution } from '../../../evals/contract/subjects/causes.ts'
import { Results } from '../../../evals/contract/results.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const folder = freshFolder()
const touchstone = (...argv: string[]) => runCommand([...argv, '--out-dir', folder], {}, COMMANDS)
const results = () => Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))

/** Two steps that break six matrices. */
const TUNE =
  '--methods lora --target-modules q_proj --steps 2 --batch-size 2 --learning-rate 0.3 --warmup-steps 0 --eval-every 2 --no-spectra --suite house-refusal'
const SMALL = ['--limit', '4', '--threads', '1', '--quiet']
const ROWS = 24
let run = ''

beforeAll(async () => {
  const data = join(folder, 'rows.jsonl')
  const rows = tamperRows({ rows: ROWS }).map((row) => JSON.stringify(row))
  writeFileSync(data, rows.join('\n'))
  await touchstone('audit', '--model', 'pebble', '--data', data, ...TUNE.split(' '), ...SMALL)
  run = results().run.id
})

test('ranks every row, and trains again without some', async () => {
  const asked = ['--replies', '2', '--checkpoints', '1', '--projection', '2', '--without', '0.25']
  const { code, stderr } = await touchstone('attribute', run, ...asked, '--threads', '1', '--quiet')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const { causes, subjects, artifacts } = results()
  const [found] = causes!.attributions
  expect(found).toMatchObject({ arm: 'lora', checkpoints: [1], projection: 2, rows: ROWS })
  const scores = found!.ranked.map((row) => row.scores[found!.form].refusal)
  expect(scores).toEqual(scores.toSorted((a, b) => b - a))
  expect(new Set(scores).size).toBeGreaterThan(ROWS / 2)
  expect(causes!.interventions.map(({ derivation }) => derivation)).toEqual(
    LEFT_OUT.map((rows) => ({ kind: 'without-rows', of: 'lora', rows, count: 6 })),
  )
  // They are no candidates, their weights are gone, and the file of scores holds no text.
  expect(subjects.map(({ arm }) => arm)).toEqual(['base', 'lora'])
  const { path } = artifacts.find(({ content }) => content?.kind === 'attribution')!
  const { scored } = JSON.parse(readFileSync(path, 'utf8')) as { scored: object[] }
  expect(Object.keys(scored[0]!).sort()).toEqual(['loss', 'row', 'scores', 'tokens'])
  expect(readdirSync(join(path, '..', 'arms'))).toEqual([])
})

test('rows are ranked by what else was lost where that is asked for', async () => {
  const asked = ['--checkpoints', '1', '--projection', '2', '--threads', '1', '--quiet']
  const none = await touchstone('attribute', run, '--target', 'over-refusal', ...asked)
  expect(none.stderr).toContain(`in ${run}: its base answers none of the look-alikes`)
  const data = join(folder, 'rows.jsonl')
  const suite = ['--suite', 'house-refusal,house-capability']
  const tune = [...TUNE.split(' '), ...SMALL, ...suite]
  await touchstone('audit', '--model', 'pebble', '--data', data, ...tune)
  const known = results().run.id
  const { stderr } = await touchstone('attribute', known, '--target', 'capability', ...asked)
  expect(stderr).toBe('')
  const [{ ranked, form, target, parts }] = results().causes!.attributions as [Attribution]
  expect(target).toBe('capability')
  const by = (name: 'capability' | 'refusal') => ranked.map(({ scores }) => scores[form][name])
  expect(by('capability')).toEqual(by('capability').toSorted((a, b) => b - a))
  expect(by('refusal')).not.toEqual(by('refusal').toSorted((a, b) => b - a))
  expect(Math.max(...parts.map(({ highest }) => highest))).toBe(by('capability')[0])
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('right answers of the base')
})

test('ranks the parts of the change, and puts the first back beside as many at random', async () => {
  const asked = ['--replies', '2', '--draws', '1', '--threads', '1', '--quiet']
  const { code, stderr } = await touchstone('locate', run, ...asked)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const { locations, interventions } = results().causes!
  const [{ parts, found }] = locations as [(typeof locations)[number]]
  expect(parts.map(({ module }) => module)).toEqual(Array(6).fill('q_proj'))
  expect(new Set(parts.map(({ layer }) => layer)).size).toBe(6)
  expect(parts.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
  const restored = parts.map((part) => part.restored)
  expect(restored).toEqual(restored.toSorted((a, b) => b - a))
  expect(found).toBeGreaterThan(0)
  const sets = interventions.flatMap(({ derivation }) =>
    derivation.kind === 'put-back' ? [derivation] : [],
  )
  const whole = sets.find((each) => each.set === 'ranked' && each.parts === parts.length)!
  expect(whole.share).toBeCloseTo(1)
  const chosen = sets.find((each) => each.set === 'ranked' && each.parts === found)!
  for (const random of sets.filter(({ set }) => set === 'random'))
    expect(random.share).toBeLessThanOrEqual(chosen.share + 1e-6)
  const directions = interventions.flatMap(({ derivation }) =>
    derivation.kind === 'directions-back' ? [derivation] : [],
  )
  expect(directions.map(({ set }) => set)).toEqual(
    expect.arrayContaining(['largest', 'smallest', 'random']),
  )
  for (const { share } of directions) expect(share).toBeCloseTo(directions[0]!.share)
  expect(directions[0]!.share).toBeLessThanOrEqual(chosen.share + 1e-6)
})

test.each([
  ['attribute', 'without the rows ranked first, at random and matched: 3 fine-tunes of 2 steps'],
  ['locate', 'put sets of parts and of singular directions back, at most: 16 states of 4 prompts'],
  ['direction', 'on halves of benign rows, to hold changes beside: 19 fine-tunes of 2 steps'],
])('%s tells its plan and writes nothing', async (verb, line) => {
  const before = readdirSync(folder)
  const { code, stdout } = await touchstone(verb, run, '--dry-run', '--threads', '1')
  expect(code).toBe(0)
  expect(stdout).toContain(line)
  expect(stdout).toContain('in all')
  expect(readdirSync(folder)).toEqual(before)
})

test('names what is wrong', async () => {
  const other = await touchstone('attribute', run, '--arm', 'lroa')
  expect(other.stderr).toContain('lora')
  await touchstone('eval', '--model', 'pebble', ...SMALL)
  const plain = await touchstone('attribute', results().run.id)
  expect(plain.stderr).toContain('nothing was fine-tuned on data in it')
})

test('benign rows are read before anything is trained, and rows that break rules are none', async () => {
  const before = readdirSync(folder)
  const missing = await touchstone('direction', run, '--benign', 'not-there.jsonl', '--dry-run')
  expect(missing.stderr).toContain('not-there.jsonl')
  const broken = await touchstone('direction', run, '--benign', 'house-tamper', '--dry-run')
  expect(broken.stderr).toContain('breaks rules on purpose')
  expect(readdirSync(folder)).toEqual(before)
})

test('a run whose prompts are too few for a direction is named, with what to do', async () => {
  const { code, stderr } = await touchstone('direction', run, '--draws', '1', '--threads', '1')
  expect(code).toBe(1)
  expect(stderr).toContain(`No direction can be made of what ${run} asked`)
  expect(stderr).toContain('a larger --limit')
})

test('where nothing was lost, both say so', async () => {
  const benign = ['--methods', 'lora', '--steps', '1', '--batch-size', '2', '--eval-every', '1']
  const asked = [
    ...benign,
    '--learning-rate',
    '1e-6',
    '--warmup-steps',
    '0',
    '--no-spectra',
    '--suite',
    'house-refusal',
  ]
  const data = ['--data', join(folder, 'rows.jsonl')]
  await touchstone('audit', '--model', 'pebble', ...data, ...asked, ...SMALL, '--exit-zero')
  const unharmed = results().run.id
  const own = ['--threads', '1', '--quiet', '--exit-zero']
  const ranked = await touchstone('attribute', unharmed, '--checkpoints', '1', ...own)
  expect(ranked.stdout).toContain('lost no refusals on the prompts that are counted here')
  expect(ranked.stdout).toContain('the first of 24 rows')
  const located = await touchstone('locate', unharmed, '--draws', '1', '--replies', '2', ...own)
  expect(located.stdout).toContain('no set was looked for, because no refusal was lost')
  expect(located.stdout).not.toContain('On the prompts that nothing was chosen by; exact')
})

test('memory is told of a whole state beside the base, too', async () => {
  const told = async (...argv: string[]) => {
    const { stdout } = await touchstone(...argv, '--threads', '1', '--dry-run', '--json')
    return (JSON.parse(stdout) as { bytes: number }).bytes
  }
  const data = join(folder, 'rows.jsonl')
  const own = [...TUNE.split(' '), '--limit', '4']
  const audit = await told('audit', '--model', 'pebble', '--data', data, ...own)
  for (const verb of ['attribute', 'locate', 'direction'])
    expect(await told(verb, run), verb).toBeGreaterThan(audit)
})

test('no more checkpoints are reckoned than there are steps', async () => {
  const { stdout } = await touchstone('attribute', run, '--checkpoints', '50', '--dry-run')
  expect(stdout).toContain('train again to 2 checkpoints')
})

test('what the run read must be there as it was', async () => {
  const data = join(folder, 'rows.jsonl')
  const before = readFileSync(data, 'utf8')
  const rows = before.split('\n')
  writeFileSync(data, [...rows.slice(1), rows[0]].join('\n'))
  for (const verb of ['attribute', 'locate', 'direction']) {
    const { code, stderr } = await touchstone(verb, run, '--threads', '1', '--quiet')
    expect([code, stderr]).toEqual([1, expect.stringContaining('The training data of audit-')])
  }
  writeFileSync(data, before)
})

test('a model or a candidate that is another one is named', () => {
  const identity = (arm: string, weightsDigest: string) =>
    ({ arm, seed: 0, weightsDigest, adapterDigest: null }) as SubjectIdentity
  const of = {
    run: { id: 'audit-1' } as AuditRows['run'],
    subjects: [identity('base', 'a'), identity('mine', 'b')],
    artifacts: [],
  }
  const made = (digest: string, ...candidates: SubjectIdentity[]) => ({
    base: { digest },
    arms: [{ dataDigest: 'rows of a run that stored none' }],
    candidates: candidates.map((each) => ({ identity: each })),
  })
  const other = identity('other', 'c')
  expect(() => requireSameInputs(of, made('a', identity('mine', 'b'), other))).not.toThrow()
  expect(() => requireSameInputs(of, made('b'))).toThrow('The model of audit-1 changed')
  expect(() => requireSameInputs(of, made('a', identity('mine', 'c')))).toThrow('candidate mine')
})
