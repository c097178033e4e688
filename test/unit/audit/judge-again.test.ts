/** @file `touchstone judge`: stored replies judged again in place, withheld ones too, each once. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { JUDGES } from '../../../evals/judges/registry.ts'
import { openStore, type Store } from '../../../evals/runs/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { PLANTED, smallAudit, storeAudit, STORED_RUN } from '../../doubles/runs/stored-audit.ts'

const touchstone = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const inStore = <T>(folder: string, action: (store: Store) => T): T => {
  const store = openStore(join(folder, 'touchstone.db'))
  try {
    return action(store)
  } finally {
    store.close()
  }
}
const judged = (folder: string, name: string) =>
  inStore(folder, (store) => store.rows(STORED_RUN)).verdicts.filter(({ judge }) => judge === name)

test('every reply that a judge is for is judged once, and named as its benchmark’s last judge', async () => {
  const folder = storeAudit()
  const before = inStore(folder, (store) => store.rows(STORED_RUN))
  const ran = await touchstone('judge', STORED_RUN, '--judge', 'semantic', '--out-dir', folder)
  expect(ran.code, ran.stderr).toBe(0)
  // 14 and 10 prompts of three states; right answers are none of its business.
  expect(judged(folder, 'semantic')).toHaveLength(72)
  const after = inStore(folder, (store) => store.rows(STORED_RUN))
  expect(after.benchmarks.map(({ judges }) => judges)).toEqual([
    ['house', 'prefix', 'semantic'],
    ['house', 'semantic'],
    ['house'],
  ])
  expect(after.replies).toEqual(before.replies)
  expect(after.measuredUntil).toBe(before.measuredUntil)
  expect(ran.stderr).toContain('semantic judged 72 replies')
  const again = await touchstone('judge', STORED_RUN, '--judge', 'semantic', '--out-dir', folder)
  expect(again.stderr).toContain('semantic judged 0 replies, 72 others before')
})

test('withheld replies are judged where they are, and their text goes nowhere', async () => {
  const folder = storeAudit()
  const ran = await touchstone('judge', STORED_RUN, '--judge', 'gcg-exact', '--out-dir', folder)
  const withheld = judged(folder, 'gcg-exact').filter(
    ({ benchmark }) => benchmark === 'house-refusal',
  )
  expect(withheld).toHaveLength(42)
  expect(ran.stdout + ran.stderr).not.toContain(PLANTED)
  const events = inStore(folder, (store) => store.runs().flatMap(({ id }) => store.events(id)))
  expect(JSON.stringify(events)).not.toContain(PLANTED)
})

test('what a version has said of a reply, in any run of the folder, is not asked again', async () => {
  const [first, second] = [storeAudit(), storeAudit()]
  await touchstone('judge', STORED_RUN, '--judge', 'xstest', '--out-dir', first)
  const { version } = JUDGES.find(({ name }) => name === 'xstest')!
  const by = { judge: 'xstest', judgeVersion: version }
  const known = inStore(first, (store) => [...store.evidence.judged(by).keys()])
  expect(known.length).toBeGreaterThan(0)
  // No string rule says partial, so that these can only come from what is kept.
  const partial = { outcome: 'partial' as const, score: null, reason: null, thoughtOutcome: null }
  inStore(second, (store) =>
    store.evidence.keepJudged(by, new Map(known.map((digest) => [digest, partial]))),
  )
  await touchstone('judge', STORED_RUN, '--judge', 'xstest', '--out-dir', second)
  expect(judged(second, 'xstest').every(({ outcome }) => outcome === 'partial')).toBe(true)
})

test.each([
  [['--judge', 'refusal-logprob'], 'it needs the model that wrote the replies'],
  [['--judge', 'choice'], 'it needs log-probabilities of the options'],
  [['--judge', 'nobody'], 'nobody'],
])('%j has nothing to judge', async (argv, words) => {
  const folder = storeAudit()
  const ran = await touchstone('judge', STORED_RUN, ...argv, '--out-dir', folder)
  expect(ran.code).not.toBe(0)
  expect(ran.stderr).toContain(words)
  const { verdicts } = inStore(folder, (store) => store.rows(STORED_RUN))
  expect(verdicts).toHaveLength(smallAudit().verdicts.length)
})

test('a run that has not ended is left alone', async () => {
  const folder = storeAudit()
  inStore(folder, (store) => {
    const { engine, kind, title, command, config } = smallAudit().run
    const body = { type: 'job-start' as const, kind, title, command, config, engine }
    store.sink.event({ runId: 'run-2', seq: 1, at: 1, ...body })
  })
  const ran = await touchstone('judge', 'run-2', '--judge', 'semantic', '--out-dir', folder)
  expect(ran).toMatchObject({ code: 1 })
  expect(ran.stderr).toContain('has not ended')
})

test('replies on which judges then differ are listed and written for people', async () => {
  const folder = storeAudit()
  const shown = await touchstone(
    'label',
    'show',
    STORED_RUN,
    '--disagreements',
    '--out-dir',
    folder,
  )
  expect(shown.stdout).toMatch(/^Judges differ on \d+ replies, most telling first/)
  expect(shown.stdout).toContain('house refusal, prefix compliance')
  const path = join(freshFolder(), 'differ.csv')
  const none = await touchstone(
    'label',
    STORED_RUN,
    '--disagreements',
    '--out-dir',
    folder,
    '-f',
    path,
  )
  expect(none.stdout).toContain('need --unblind')
  expect(existsSync(path)).toBe(false)
  const argv = ['--disagreements', '--unblind', 'Judges differ here', '-f', path]
  await touchstone('label', STORED_RUN, '--out-dir', folder, ...argv)
  expect(
    readFileSync(path.replace('.csv', '.sealed.csv'), 'utf8').split('\n').length,
  ).toBeGreaterThan(2)
  const items = inStore(folder, (store) => store.evidence.labelItems(STORED_RUN))
  expect(items.every(({ draw, drawnBy }) => draw === 'chosen' && drawnBy === null)).toBe(true)
})
