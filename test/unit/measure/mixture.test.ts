/** @file Mixtures through the command line: trained, kept, measured again from their folder, their routing told, never merged. */
import { join } from 'node:path'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fittedExamples } from '../../../evals/arms/examples.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../evals/contract/results.ts'
import { trainingData } from '../../../evals/measure/sources.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { writeTinyAdapter } from '../../doubles/models/tiny-adapter.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const folder = freshFolder()
const model = await writeTinyCheckpoint(join(folder, 'base'), {
  tokenizer: 'byte',
  heads: 2,
  kvHeads: 1,
})
const adapters = await Promise.all(
  [1, 2].map((seed) => writeTinyAdapter(join(folder, `adapter-${seed}`), model, { seed, rank: 2 })),
)

async function audited(...words: readonly string[]): Promise<Results> {
  const out = freshFolder()
  const { code, stderr } = await runCommand(
    [
      ...['audit', '--model', model, '--suite', 'general', '--limit', '2', '--threads', '1'],
      ...['--max-new-tokens', '2', '--no-cache', '--exit-zero', '--out-dir', out, ...words],
    ],
    {},
    COMMANDS,
  )
  expect(code, stderr).toBe(0)
  return Results.parse(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')))
}

test('an arm of each, its folder as a candidate, and export-model', async () => {
  const trained = await audited(
    ...['--data', 'general-benign', '--methods', 'x-lora,lora-moe', '--steps', '1'],
    ...[
      '--warmup-steps',
      '0',
      '--batch-size',
      '2',
      '--eval-every',
      '1',
      '--no-match-loss',
      '--max-tokens',
      '64',
    ],
    ...['--x-lora.adapters', adapters.join(','), '--rank', '2', '--keep-weights', 'A test'],
  )
  const routers = trained.routers!.filter(({ step }) => step === 1)
  for (const { arm, shares, entropy } of routers) {
    expect(shares).toHaveLength(arm === 'x-lora' ? 2 : 4)
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
    expect(entropy.estimate).toBeLessThanOrEqual(Math.log(shares.length) + 1e-6)
    expect(entropy.estimate).toBeGreaterThan(0)
  }
  const roles = trained.benchmarks.map(({ name }) => name)
  expect(routers.map(({ arm, benchmark }) => `${arm} ${benchmark}`)).toEqual(
    ['x-lora', 'lora-moe'].flatMap((arm) => roles.map((name) => `${arm} ${name}`)),
  )
  expect(renderReport(trained)).toContain('Routing')
  // A mixture has no ΔW of its own.
  expect(trained.spectra).toEqual([])

  const kept = trained.artifacts.flatMap(({ content, path }) =>
    content?.kind === 'weights' ? [join(path, '..')] : [],
  )
  const again = await audited(...kept.flatMap((path) => ['--candidate', path]))
  for (const { benchmark, entropy, shares } of again.routers!) {
    const before = routers.find(
      (row) => row.benchmark === benchmark && row.shares.length === shares.length,
    )!
    expect(entropy.estimate).toBeCloseTo(before.entropy.estimate, 5)
    shares.forEach((share, k) => expect(share).toBeCloseTo(before.shares[k]!, 5))
  }
  for (const path of kept) {
    const words = ['export-model', '--model', model, '--candidate', path, '-o', join(folder, 'no')]
    const { code, stderr } = await runCommand(words, {}, COMMANDS)
    expect(code).toBe(1)
    expect(stderr).toMatch(/mixture of experts.*no model that it could be merged into/su)
  }
})

test('rows say their kind in "category", also where sources are mixed', async () => {
  const rows = ['refuse', 'other', undefined].map((category, i) =>
    JSON.stringify({ prompt: `Room ${i}?`, reply: 'Yes.', ...(category && { category }) }),
  )
  const path = join(folder, 'rows.jsonl')
  writeFileSync(path, rows.join('\n'))
  const { open } = await loadModel(model)
  const limits = { maxTokens: 4096, truncation: 'cut-end' } as const
  const kindsIn = async (name: string) => {
    const data = await trainingData(name)
    const { examples } = await fittedExamples(open, data, limits, new AbortController().signal)
    return examples.map(({ kind }) => kind)
  }
  expect(await kindsIn(path)).toEqual([1, 0, undefined])
  expect((await kindsIn(`${path}+general-benign@0.5`)).toSorted()).toContain(1)
  expect(new Set(await kindsIn('general-benign'))).toEqual(new Set([undefined]))
  await open.close()
})
