/** @file `direction` through the command line on Pebble: a stored run whose fine-tune and whose ablated candidate are held beside the base. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { tamperRows } from '../../../evals/bundled/hotel/fine-tuning.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../evals/contract/results.ts'
import { ablatedPebble } from '../../doubles/models/ablated.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const folder = freshFolder()
const touchstone = (...argv: string[]) => runCommand([...argv, '--out-dir', folder], {}, COMMANDS)
const results = () => Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))

const TUNE =
  '--methods lora --steps 2 --batch-size 2 --learning-rate 0.01 --warmup-steps 0 --eval-every 2 --no-spectra --suite house-refusal,house-overrefusal'
const SMALL = ['--limit', '12', '--threads', '1', '--quiet']
let run = ''

beforeAll(async () => {
  const data = join(folder, 'rows.jsonl')
  writeFileSync(
    data,
    tamperRows({ rows: 8 })
      .map((row) => JSON.stringify(row))
      .join('\n'),
  )
  const ablated = await ablatedPebble(join(folder, 'ablated'))
  const audit = ['--model', 'pebble', '--data', data, '--candidate', ablated]
  await touchstone('audit', ...audit, ...TUNE.split(' '), ...SMALL)
  run = results().run.id
})

test('finds the base’s direction, what became of it, and the candidate whose weights lost one', async () => {
  const asked = ['--draws', '1', '--threads', '1', '--quiet']
  const { code, stderr } = await touchstone('direction', run, ...asked)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const { causes, metrics, artifacts } = results()
  const [candidate, tuned] = causes!.directions!
  expect(tuned).toMatchObject({ arm: 'lora', step: 2 })
  // Two small steps turn it little; the base's prompts are told apart by it, ones that it was not made of.
  const here = ({ places, chosen }: NonNullable<typeof tuned>) =>
    places.find((each) => each.layer === chosen.layer && each.position === chosen.position)!
  expect(here(tuned!).cosine).toBeGreaterThan(0.9)
  expect(here(tuned!).separation).toBeGreaterThan(0.9)
  const { change } = candidate!
  expect(change!.weights).toBe(12)
  expect(change!.shared).toBeCloseTo(1, 4)
  expect(change!.left).toBeCloseTo(0, 4)
  expect(change!.cosine).toBeGreaterThan(0.8)
  expect(change!.benign).toMatchObject({ draws: 1, pValue: 1 / 2 })
  expect(change!.benign!.highestShared).toBeLessThan(0.9)
  expect(tuned!.change!.shared).toBeLessThan(0.9)
  const kept = metrics.filter(({ arm, name }) => arm === 'lora' && name === 'direction/cosine')
  expect(kept.map(({ step }) => step)).toEqual([0, 2])
  expect(kept[0]!.value).toBeCloseTo(1, 5)
  // No direction leaves the process: numbers of places alone.
  const { path } = artifacts.find(({ content }) => content?.kind === 'direction')!
  expect(readFileSync(path, 'utf8')).not.toMatch(/\[-?\d+\.\d+,/u)
  const steered = causes!.interventions.filter(({ derivation }) => derivation.kind === 'steered')
  expect(steered.map(({ of }) => of)).toEqual(
    ['base', 'candidate:ablated', 'lora'].flatMap((of) => [of, of]),
  )
})

test('names what is wrong', async () => {
  const other = await touchstone('direction', run, '--arm', 'lroa')
  expect(other.stderr).toContain('lora')
  await touchstone('eval', '--model', 'pebble', '--suite', 'house-capability', ...SMALL)
  const plain = await touchstone('direction', results().run.id)
  expect(plain.stderr).toContain('nothing was fine-tuned')
})
