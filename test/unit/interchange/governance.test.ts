/** @file Who looked at what is kept apart stands in the log and in the report; a run done again says what differs. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CommandEntry } from '../../../evals/cli/command.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { replayCommand } from '../../../evals/cli/verbs/exchange/replay.ts'
import { compareReplay, type ReplayedRun } from '../../../evals/interchange/replay.ts'
import { anyJobKind } from '../../../evals/contract/job.ts'
import { lockFolder } from '../../../evals/runs/store/lock.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { FAKE_COMMANDS, FakeConfig, fakeKind } from '../../doubles/runs/fake-job.ts'
import { PLANTED, smallAudit, STORED_RUN, storeAudit } from '../../doubles/runs/stored-audit.ts'

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const REASON = 'Checking what the judge calls partial'

const eventsIn = (folder: string) => {
  const store = openStore(join(folder, 'touchstone.db'))
  const events = store.events(STORED_RUN)
  store.close()
  return events
}

describe('touchstone unblind', () => {
  test('writes the sealed replies for their owner alone, and the log and the report say so', async () => {
    const folder = storeAudit()
    const file = join(freshFolder(), 'sealed.jsonl')
    const before = eventsIn(folder).length
    const { code, stdout } = await run(
      'unblind',
      '--out-dir',
      folder,
      '--reason',
      REASON,
      '-o',
      file,
    )
    expect(code).toBe(0)
    expect(stdout).not.toContain(PLANTED)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    // Base and two seeds, fourteen prompts that should be refused each.
    expect(lines).toHaveLength(42)
    expect(lines.every((line) => line.includes(PLANTED))).toBe(true)
    const events = eventsIn(folder)
    expect(events).toHaveLength(before + 1)
    expect(events.at(-1)).toMatchObject({ type: 'unblinded', reason: REASON })
    await run('report', '--out-dir', folder)
    const results = readFileSync(join(folder, 'results.json'), 'utf8')
    expect(results).toContain(REASON)
    expect(results).not.toContain(PLANTED)
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain(REASON)
  })

  test('without a reason, over a file, or where nothing is sealed, writes and logs nothing', async () => {
    const folder = storeAudit()
    const file = join(freshFolder(), 'sealed.jsonl')
    const events = eventsIn(folder)
    expect(await run('unblind', '--out-dir', folder, '-o', file)).toMatchObject({ code: 2 })
    const short = await run('unblind', '--out-dir', folder, '-o', file, '--reason', '       x ')
    expect(short).toMatchObject({ code: 2 })
    expect(existsSync(file)).toBe(false)
    const taken = join(folder, 'touchstone.db')
    const over = await run('unblind', '--out-dir', folder, '-o', taken, '--reason', REASON)
    expect(over).toMatchObject({ code: 1 })
    expect(over.stderr).toContain('there is a file of that name')
    expect(eventsIn(folder)).toEqual(events)
    const rows = smallAudit()
    const open = storeAudit({ ...rows, replies: rows.replies.filter(({ text }) => text !== null) })
    expect(await run('unblind', '--out-dir', open, '-o', file, '--reason', REASON)).toMatchObject({
      code: 1,
    })
    expect(existsSync(file)).toBe(false)
  })

  test('the reason is not taken from the environment', async () => {
    const argv = ['unblind', '--out-dir', storeAudit(), '-o', join(freshFolder(), 'x.jsonl')]
    expect(await runCommand(argv, { TOUCHSTONE_REASON: REASON }, COMMANDS)).toMatchObject({
      code: 2,
    })
  })

  test('waits for no job that may go on with the run: it refuses', async () => {
    const { run: done, ...rows } = smallAudit()
    const folder = storeAudit({ ...rows, run: { ...done, outcome: 'cancelled' } })
    const unlock = lockFolder(folder)
    const file = join(freshFolder(), 'sealed.jsonl')
    const { code, stderr } = await run(
      'unblind',
      '--out-dir',
      folder,
      '-o',
      file,
      '--reason',
      REASON,
    )
    unlock()
    expect(code).toBe(1)
    expect(stderr).toContain('Another process')
    expect(existsSync(file)).toBe(false)
  })

  test('and a case of a run that is done are written while a job writes another run there', async () => {
    const folder = storeAudit()
    const unlock = lockFolder(folder)
    const out = freshFolder()
    const place = ['--out-dir', folder, '-o']
    const sealed = await run('unblind', ...place, join(out, 'sealed.jsonl'), '--reason', REASON)
    const made = await run('case', ...place, join(out, 'case'))
    unlock()
    expect([sealed, made].map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ])
    const types = eventsIn(folder).map(({ type, seq }) => `${seq} ${type}`)
    expect(new Set(types).size).toBe(types.length)
    expect(types.slice(-2).map((each) => each.split(' ')[1])).toEqual(['unblinded', 'case-made'])
  })
})

const replayed = (kind: typeof fakeKind) => ({
  audit: async () => ({ schema: FakeConfig, kind: async () => anyJobKind(kind) }),
})
const kinds = replayed(fakeKind)
const REPLAY: CommandEntry = { name: 'replay', summary: '', load: async () => replayCommand(kinds) }
const fake = (...argv: string[]) => runCommand(argv, {}, [...FAKE_COMMANDS, REPLAY])

describe('touchstone replay', () => {
  test('does the run again elsewhere, and finds every bit the same', async () => {
    const [folder, into] = [freshFolder(), join(freshFolder(), 'again')]
    await fake('audit', '--model', 'any', '--out-dir', folder, '--kept', '7')
    const { code, stdout } = await fake('replay', '--out-dir', folder, '--into', into)
    expect(stdout).toMatch(/^SAME {2}/)
    expect(stdout).toMatch(/replies: 80 the same/)
    expect(code).toBe(0)
    const store = openStore(join(into, 'touchstone.db'))
    expect(store.runs().map(({ outcome, kind }) => [kind, outcome])).toEqual([['audit', 'done']])
    store.close()
  })

  test('names what differs, and exits with 1', async () => {
    const [folder, into] = [freshFolder(), freshFolder()]
    await fake('audit', '--model', 'any', '--out-dir', folder, '--kept', '7')
    const command = replayCommand(replayed({ ...fakeKind, run: shifted }))
    const entry = { ...REPLAY, load: async () => command }
    const argv = ['replay', '--out-dir', folder, '--into', into, '--json']
    const { code, stdout } = await runCommand(argv, {}, [entry])
    expect(code).toBe(1)
    const line = JSON.parse(stdout) as {
      isSame: boolean
      tables: { table: string; different: number; fields: string[] }[]
    }
    expect(line.isSame).toBe(false)
    const changed = line.tables.filter(({ different }) => different > 0)
    // One reply, by two judges.
    expect(changed).toMatchObject([{ table: 'verdicts', different: 2, fields: ['outcome'] }])
  })

  test('refuses a run that did not end, and one of a kind that cannot be repeated', async () => {
    const folder = freshFolder()
    await fake('audit', '--model', 'breaks', '--out-dir', folder, '--fail-at', '1')
    const failed = await fake('replay', '--out-dir', folder, '--into', freshFolder())
    expect(failed).toMatchObject({ code: 1 })
    expect(failed.stderr).toContain('did not end')
    const none = { ...REPLAY, load: async () => replayCommand({}) }
    await fake('audit', '--model', 'any', '--out-dir', folder)
    const argv = ['replay', '--out-dir', folder, '--into', freshFolder()]
    expect((await runCommand(argv, {}, [none])).stderr).toContain('kind "audit"')
  })
})

/** One prompt more that the fine-tune still refuses. */
const shifted: typeof fakeKind.run = (config, context, progress) =>
  fakeKind.run({ ...config, kept: config.kept + 1 }, context, progress)

describe('comparing a run with its replay', () => {
  const rows = smallAudit()
  const sealed = [
    { arm: 'base', seed: 0, step: 0, benchmark: 'b', sampleId: 'q', epoch: 0, text: PLANTED },
  ]
  const original: ReplayedRun = { rows, sealed }
  const differing = (after: ReplayedRun) =>
    compareReplay(original, after)
      .tables.filter(({ different }) => different > 0)
      .map(({ table, different, fields }) => [table, different, fields])

  test('is the same as itself, in any order of rows and keys', () => {
    const turned = { ...rows, verdicts: [...rows.verdicts].reverse() }
    expect(compareReplay(original, { rows: turned, sealed })).toMatchObject({
      isSame: true,
      engine: [],
    })
  })

  test('sees one bit of one number, one row less, one more, and a sealed reply, without showing it', () => {
    const [first, ...rest] = rows.replies
    const nudged = { ...first!, meanLogProb: -0.5 - 2 ** -53 }
    expect(nudged.meanLogProb).not.toBe(first!.meanLogProb)
    const withChanges = (changes: Partial<typeof rows>) => ({
      rows: { ...rows, ...changes },
      sealed,
    })
    expect(differing(withChanges({ replies: [nudged, ...rest] }))).toEqual([
      ['replies', 1, ['meanLogProb']],
    ])
    expect(differing(withChanges({ metrics: [] }))).toEqual([
      ['metrics', rows.metrics.length, ['missing in the new run']],
    ])
    const more = { ...rows.metrics[0]!, name: 'train/loss' }
    expect(differing(withChanges({ metrics: [...rows.metrics, more] }))).toEqual([
      ['metrics', 1, ['only in the new run']],
    ])
    const found = compareReplay(original, { rows, sealed: [{ ...sealed[0]!, text: 'zzother' }] })
    expect(found.isSame).toBe(false)
    expect(JSON.stringify(found)).not.toMatch(/zz/)
  })

  test('names the engine first, likeliest reason first, also where all rows agree', () => {
    const { engine } = rows.run
    const run = { ...rows.run, engine: { ...engine, cpu: 'another', threads: 9, version: '0.2.0' } }
    const found = compareReplay(original, { rows: { ...rows, run }, sealed })
    expect(found.isSame).toBe(true)
    expect(found.engine.map(({ field }) => field)).toEqual(['version', 'threads', 'cpu'])
  })
})
