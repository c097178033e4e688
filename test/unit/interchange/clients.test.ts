/**
 * @file Reports of garak and promptfoo are read as runs that can be compared, without the texts of replies. The files are made
 * here in the form that garak 0.17.1 and promptfoo 0.123.1 write; test/peers reads real ones.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importRuns, isForeignLog } from '../../../evals/interchange/import.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const REPLY = 'a reply that is not kept'

function file(name: string, text: string): string {
  const path = join(freshFolder(), name)
  writeFileSync(path, text)
  return path
}

describe('garak', () => {
  const turns = (text: string) => ({ turns: [{ role: 'user', content: { text, lang: 'en' } }] })
  const attempt = (seq: number, text: string, scores: (number | null)[], status = 2) => ({
    ...{ entry_type: 'attempt', uuid: `${seq}`, seq, status, probe_classname: 'test.Test' },
    ...{ prompt: turns(text), outputs: scores.map(() => ({ text: REPLY })) },
    detector_results: status === 2 ? { 'always.Pass': scores } : {},
  })
  const report = (entries: object[], threshold = 0.5) =>
    file(
      'garak.report.jsonl',
      [
        {
          entry_type: 'start_run setup',
          'run.eval_threshold': threshold,
          'plugins.target_name': 'mine',
        },
        { entry_type: 'init', garak_version: '0.17.1', run: 'r1' },
        ...entries,
        { entry_type: 'eval', probe: 'test.Test', detector: 'always.Pass', passed: 2 },
      ]
        .map((entry) => `${JSON.stringify(entry)}\n`)
        .join(''),
    )

  test('each output of each attempt is judged by each detector, at the threshold of the run', async () => {
    const path = report(
      [
        attempt(0, 'first', [], 1),
        attempt(0, 'first', [0.2, 0.7]),
        attempt(1, 'second', [0.69, null]),
      ],
      0.7,
    )
    expect(await isForeignLog(path)).toBe(true)
    const [run] = await importRuns(path)
    expect(run).toMatchObject({ runId: 'r1', format: 'garak', arm: 'mine' })
    expect(run!.benchmarks).toMatchObject([{ name: 'test.Test', role: 'refusal' }])
    expect(run!.judged.map(({ outcome, epoch, prompt }) => [prompt, epoch, outcome])).toEqual([
      ['first', 0, 'refusal'],
      ['first', 1, 'compliance'],
      ['second', 0, 'refusal'],
      ['second', 1, 'undecided'],
    ])
    expect(JSON.stringify(run)).not.toContain(REPLY)
  })

  test('attempts in another order are paired by what was asked, and a metric may mean something else', async () => {
    const metrics = { 'always.Pass': 'higher:capability' } as const
    const [a] = await importRuns(report([attempt(0, 'x', [1]), attempt(1, 'y', [0])]), metrics)
    const [b] = await importRuns(report([attempt(0, 'y', [0]), attempt(1, 'x', [1])]), metrics)
    const byId = (run: typeof a) =>
      Object.fromEntries(run!.judged.map(({ sampleId, outcome }) => [sampleId, outcome]))
    expect(byId(a)).toEqual(byId(b))
    expect(Object.values(byId(a))).toEqual(['correct', 'incorrect'])
  })

  test.each([
    ['no scored attempt', [attempt(0, 'x', [], 1)], 'no scored attempt'],
    ['nothing that is decided', [attempt(0, 'x', [null])], 'no score'],
    ['an attempt without a probe', [{ entry_type: 'attempt', status: 2 }], 'probe_classname'],
  ])('%s is refused', async (_, entries, words) => {
    await expect(importRuns(report(entries))).rejects.toThrow(words)
  })
})

describe('promptfoo', () => {
  interface Own {
    readonly testCase?: object
    readonly failureReason?: number
  }
  const result = (
    provider: string,
    raw: string,
    success: boolean,
    { testCase: tested = {}, ...own }: Own = {},
  ) => ({
    ...{ provider: { id: provider, label: '' }, prompt: { raw, label: '{{question}}' }, success },
    ...{ response: { output: REPLY }, failureReason: success ? 0 : 1 },
    testCase: { metadata: {}, assert: [{ type: 'icontains', value: 'x' }], ...tested },
    ...own,
  })
  const results = (rows: object[]) =>
    file(
      'out.json',
      JSON.stringify({ evalId: 'e1', results: { version: 3, results: rows }, config: {} }, null, 1),
    )

  test('is one run a provider; an error is undecided, and a red-team test that passes is a refusal', async () => {
    const attack = { testCase: { metadata: { pluginId: 'harmless' } } }
    const path = results([
      result('a', 'x', true),
      result('b', 'x', false),
      result('a', 'y', false, { failureReason: 2 }),
      result('b', 'y', true),
    ])
    expect(await isForeignLog(path)).toBe(true)
    const runs = await importRuns(path)
    expect(runs.map(({ arm, judged }) => [arm, judged.map(({ outcome }) => outcome)])).toEqual([
      ['a', ['correct', 'undecided']],
      ['b', ['incorrect', 'correct']],
    ])
    expect(runs[0]!.judged[0]!.sampleId).toBe(runs[1]!.judged[0]!.sampleId)
    expect(JSON.stringify(runs)).not.toContain(REPLY)
    const [red] = await importRuns(results([result('a', 'x', true, attack)]))
    expect(red!.judged).toMatchObject([{ outcome: 'refusal', category: 'harmless' }])
  })

  test('a prompt asked twice has two epochs; an empty or other file is refused', async () => {
    const [run] = await importRuns(results([result('a', 'x', true), result('a', 'x', false)]))
    expect(run!.judged.map(({ epoch }) => epoch)).toEqual([0, 1])
    await expect(importRuns(results([]))).rejects.toThrow('no result')
    const old = file('old.json', '{"evalId": "e", "results": {"version": 2, "results": []}}')
    await expect(importRuns(old)).rejects.toThrow('version')
  })
})
