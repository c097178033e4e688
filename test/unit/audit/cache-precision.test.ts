/** @file `--cache-precision`: replies near those of float32, told as approximate in every place, not compared with others unless asked. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { APPROXIMATE, approximationOf } from '../../../evals/contract/approximate.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { killAndCompare, undisturbed } from '../../doubles/runs/kill-campaign.ts'
import { makeKillBench } from '../../doubles/runs/kill-runs.ts'
import { writeExported } from '../../doubles/models/exported-onnx.ts'
import { writeTinyEncoder } from '../../doubles/models/tiny-encoder.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const ASK = ['eval', '--model', 'pebble', '--limit', '6', '--threads', '2', '--out-dir']
const WHAT = 'Replies and scores are approximate (--cache-precision int8)'
const run = (...words: string[]) => runCommand(words, {}, COMMANDS)

interface Written {
  readonly limits: readonly string[]
  readonly subjects: readonly { readonly cachePrecision?: string }[]
}
const resultsIn = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Written

/** Log-probabilities and texts of every shown reply. */
function repliesIn(folder: string) {
  const store = openStore(join(folder, 'touchstone.db'))
  const { replies } = store.rows(store.runs()[0]!.id)
  store.close()
  return replies.map(({ sampleId, meanLogProb, text }) => [sampleId, meanLogProb, text] as const)
}

test('a run that was killed goes on with it, to the same bits', async () => {
  const bench = await makeKillBench(undefined, ['--cache-precision', 'int8'], 'lora')
  const kills = ['half a file #1', 'before rename settled #1'].map((point) => ({ point }))
  expect(await killAndCompare(bench, await undisturbed(bench), kills)).toBe(kills.length)
})

describe('an evaluation with keys and values in int8', () => {
  const folders = { exact: freshFolder(), small: freshFolder(), again: freshFolder() }
  let said = ''
  beforeAll(async () => {
    const { exact, small, again } = folders
    expect((await run(...ASK, exact)).code).toBe(0)
    const told = await run(...ASK, small, '--cache-precision', 'int8', '--json')
    expect(told.code, told.stderr).toBe(0)
    said = told.stdout
    expect((await run(...ASK, again, '--cache-precision', 'int8')).code).toBe(0)
  })

  test('is told as approximate in its log, its results, its report and its subjects', () => {
    expect(said).toContain(WHAT)
    const results = resultsIn(folders.small)
    expect(results.limits.filter((line) => line.startsWith(WHAT))).toHaveLength(1)
    expect(results.subjects.map(({ cachePrecision }) => cachePrecision)).toEqual(['int8'])
    const report = readFileSync(join(folders.small, 'report.html'), 'utf8')
    expect(report.split(WHAT)).toHaveLength(3)
    const exact = resultsIn(folders.exact)
    expect(exact.limits.filter((line) => line.includes('--cache-precision'))).toEqual([])
    expect('cachePrecision' in exact.subjects[0]!).toBe(false)
  })

  test('gives other numbers than float32, the same ones twice, and here the same replies', () => {
    const [exact, small, again] = [folders.exact, folders.small, folders.again].map(repliesIn)
    expect(small!.length).toBeGreaterThan(5)
    expect(again).toEqual(small)
    expect(small).not.toEqual(exact)
    const tokens = (rows: ReturnType<typeof repliesIn>) => rows.map(([id, , text]) => [id, text])
    expect(tokens(small!)).toEqual(tokens(exact!))
  })

  test('is not compared with one in float32, unless that is allowed by name', async () => {
    const { exact, small, again } = folders
    const refused = await run('compare', exact, small)
    expect(refused.code).toBe(102)
    expect(refused.stdout).toContain('cache-precision (float32 and int8)')
    expect((await run('compare', small, again)).code).toBe(0)
    const allowed = await run('compare', exact, small, '--allow-differences', 'cache-precision')
    expect(allowed.code).toBe(0)
    expect(allowed.stdout).toContain('cache-precision')
  })
})

test('the plan says it', async () => {
  const { stdout } = await run(...ASK, freshFolder(), '--cache-precision', 'int8', '--dry-run')
  expect(stdout).toContain(WHAT)
})

test.each(['int4', 'fp16', ''])('"%s" is no such precision', async (value) => {
  const { code, stderr } = await run(...ASK, freshFolder(), '--cache-precision', value)
  expect(code).toBe(2)
  expect(stderr).toContain('--cache-precision')
  expect(stderr).toMatch(/float32.*float16.*int8/u)
})

test('models that keep no cache of ours are refused it, in a plan and in a run', async () => {
  const folder = freshFolder()
  await writeExported(folder)
  const encoder = freshFolder()
  await writeTinyEncoder(encoder, {})
  const asked = ['--limit', '1', '--cache-precision', 'float16', '--out-dir']
  for (const [model, why] of [
    [join(folder, 'llama-optimum'), /exported graph/u],
    [encoder, /encoder/u],
  ] as const)
    for (const more of [[], ['--dry-run']]) {
      const { code, stderr } = await run('eval', '--model', model, ...asked, freshFolder(), ...more)
      expect([code, stderr]).toEqual([1, expect.stringMatching(why)])
      expect(stderr).toContain('--cache-precision')
    }
})

test('a candidate that keeps none is refused too, in a plan and in a run', async () => {
  const folder = freshFolder()
  const base = await writeExported(folder)
  const asked = ['--model', base, '--candidate', join(folder, 'llama-optimum'), '--limit', '1']
  for (const more of [['--dry-run'], []]) {
    const argv = ['eval', ...asked, '--cache-precision', 'int8', '--out-dir', freshFolder()]
    const { code, stderr } = await run(...argv, ...more)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/exported graph/u)])
  }
})

test('verbs that ask nothing do not have it', async () => {
  const { code, stderr } = await run('train', '--model', 'pebble', '--cache-precision', 'int8')
  expect([code, stderr]).toEqual([2, expect.stringContaining('--cache-precision')])
})

test('where training is approximate too, evaluation is not called exact', () => {
  const both = { forward: 'int8', methods: [1], cachePrecision: 'int8' }
  expect(approximationOf({ ...both, cachePrecision: 'float32' })).toBe(APPROXIMATE)
  expect(APPROXIMATE).toContain('Evaluation and export are exact')
  expect(approximationOf(both)).not.toContain('Evaluation')
})
