/** @file An interrupted run: found again, gone on with, or told apart from what was asked. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../evals/runs/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { asked } from '../../doubles/runs/fake-job.ts'

beforeEach(() => {
  asked.length = 0
})

const runsIn = (folder: string) => {
  const store = openStore(join(folder, 'touchstone.db'))
  const runs = store.runs().map((run) => ({ ...run, seq: store.lastSeq(run.id) }))
  store.close()
  return runs
}

const eventsOf = (folder: string, runId: string) => {
  const store = openStore(join(folder, 'touchstone.db'))
  const events = store.events(runId)
  store.close()
  return events
}

/** Fails once, after the base was measured. */
const BREAKS = ['--fail-at', '1']
const audit = (folder: string, ...words: string[]) =>
  runCommand(['audit', '--model', 'any', '--out-dir', folder, ...BREAKS, ...words])

describe('a run that was interrupted', () => {
  test('says the command that goes on with it', async () => {
    const folder = freshFolder()
    const { code, stderr } = await audit(folder)
    expect(code).toBe(1)
    expect(stderr).toContain(
      `touchstone audit --model any --fail-at 1 --out-dir ${folder} --resume\n`,
    )
  })

  test('is not begun again without --resume', async () => {
    const folder = freshFolder()
    await audit(folder)
    const { code, stderr } = await audit(folder)
    expect(code).toBe(1)
    expect(stderr).toContain('already holds a run')
    expect(stderr).toContain('--resume')
    expect(runsIn(folder)).toHaveLength(1)
  })

  test.each([
    ['the same command', ['--model', 'any', ...BREAKS]],
    ['no settings at all', []],
  ])('with --resume and %s goes on, and nothing is measured twice', async (_, words) => {
    const folder = freshFolder()
    await audit(folder)
    const [before] = runsIn(folder)
    const { code } = await runCommand(['audit', '--out-dir', folder, ...words, '--resume'])
    expect(code).toBe(0)
    expect(asked.filter((arm) => arm === 'base')).toHaveLength(1)
    const runs = runsIn(folder)
    expect(runs).toMatchObject([{ id: before!.id, outcome: 'done', command: before!.command }])
    const events = eventsOf(folder, before!.id)
    expect(events[before!.seq]).toMatchObject({ type: 'job-resume', seq: before!.seq + 1 })
  })

  test('ends in the same results as one that was not interrupted', async () => {
    const [broken, whole] = [freshFolder(), freshFolder()]
    await audit(broken)
    await audit(broken, '--resume')
    await audit(whole)
    const resultsIn = (folder: string) => {
      const text = readFileSync(join(folder, 'results.json'), 'utf8')
      return { ...(JSON.parse(text) as object), run: undefined }
    }
    expect(resultsIn(broken)).toEqual(resultsIn(whole))
  })

  test('of a model whose files changed since is refused, and nothing is measured', async () => {
    const folder = freshFolder()
    const model = join(folder, 'model')
    const argv = ['audit', '--model', model, '--out-dir', folder, ...BREAKS]
    writeFileSync(model, 'the weights')
    await runCommand(argv)
    writeFileSync(model, 'other weights')
    const { code, stderr } = await runCommand([...argv, '--resume'])
    expect(code).toBe(1)
    expect(stderr).toContain('The model changed since')
    expect(asked.filter((arm) => arm === 'lora')).toEqual([])
    writeFileSync(model, 'the weights')
    expect((await runCommand([...argv, '--resume'])).code).toBe(0)
  })

  test('can be named', async () => {
    const folder = freshFolder()
    await audit(folder)
    const { id } = runsIn(folder)[0]!
    expect((await runCommand(['audit', '--out-dir', folder, '--resume', id])).code).toBe(0)
  })

  test('with other settings is refused, naming the first that differs', async () => {
    const folder = freshFolder()
    await audit(folder)
    const { code, stderr } = await audit(folder, '--steps', '99', '--resume')
    expect(code).toBe(1)
    expect(stderr).toContain('training.steps = 10, and this run asks for 99')
  })

  test('does not stand in the way of other settings', async () => {
    const folder = freshFolder()
    await audit(folder)
    expect((await audit(folder, '--steps', '99')).code).toBe(0)
    expect(runsIn(folder)).toHaveLength(2)
  })

  test('that failed before it measured anything is simply begun again', async () => {
    const folder = freshFolder()
    const words = ['audit', '--model', 'any', '--out-dir', folder, '--fail-at', '0']
    const first = await runCommand(words)
    expect(first.code).toBe(1)
    expect(first.stderr).not.toContain('--resume')
    expect((await runCommand(words)).code).toBe(0)
  })

  test('whose report could not be written writes it when resumed, and measures nothing', async () => {
    const folder = freshFolder()
    const blocked = join(folder, 'file.json', 'card.json')
    await runCommand([
      'audit',
      '--model',
      'other',
      '--out-dir',
      folder,
      '-o',
      join(folder, 'file.json'),
    ])
    asked.length = 0
    const first = await runCommand(['audit', '--model', 'any', '--out-dir', folder, '-o', blocked])
    expect(first.code).toBe(1)
    expect(first.stderr).toContain('cannot be written')
    rmSync(join(folder, 'file.json'))
    const again = await runCommand(['audit', '--out-dir', folder, '-o', blocked, '--resume'])
    expect(again.code).toBe(0)
    expect(asked).toEqual(['base', 'lora'])
    expect(readFileSync(blocked, 'utf8')).toContain('"model": "any"')
  })
})

describe('nothing to resume', () => {
  test.each([[['--resume']], [['--model', 'any', '--resume']]])('%j says so', async (words) => {
    const folder = freshFolder()
    await runCommand(['audit', '--model', 'any', '--out-dir', folder])
    const { code, stderr } = await runCommand(['audit', '--out-dir', folder, ...words])
    expect(code).toBe(1)
    expect(stderr).toContain('cannot be resumed')
  })

  test('a run that is done, or unknown, cannot be resumed by name', async () => {
    const folder = freshFolder()
    await runCommand(['audit', '--model', 'any', '--out-dir', folder])
    const { id } = runsIn(folder)[0]!
    const done = await runCommand(['audit', '--out-dir', folder, '--resume', id])
    expect(done.stderr).toContain('it is done')
    const unknown = await runCommand(['audit', '--out-dir', folder, '--resume', 'audit-0'])
    expect(unknown.stderr).toContain('There is no run "audit-0"')
    expect([done.code, unknown.code]).toEqual([1, 1])
  })
})

describe('quickstart', () => {
  const quickstart = (folder: string, ...words: string[]) =>
    runCommand(['quickstart', '--out-dir', folder, ...words])

  test('goes on by itself, and its verdict does not fail the command', async () => {
    const folder = freshFolder()
    expect((await quickstart(folder, ...BREAKS)).code).toBe(1)
    const { code, stdout, stderr } = await quickstart(folder, ...BREAKS)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^FAIL/)
    expect(stderr).not.toContain('--resume')
    expect(runsIn(folder)).toHaveLength(1)
    expect(asked.filter((arm) => arm === 'base')).toHaveLength(1)
  })

  test('over a finished one begins a new run in the same database and replaces the report', async () => {
    const folder = freshFolder()
    await quickstart(folder)
    const before = readFileSync(join(folder, 'results.json'), 'utf8')
    await quickstart(folder)
    const runs = runsIn(folder)
    expect(runs.map(({ outcome }) => outcome)).toEqual(['done', 'done'])
    const after = readFileSync(join(folder, 'results.json'), 'utf8')
    const ids = [before, after].map((text) => (JSON.parse(text) as { run: { id: string } }).run.id)
    expect(ids).toEqual(runs.map(({ id }) => id))
  })

  test('is recorded as the short command, with what differs from the preset', async () => {
    const folder = freshFolder()
    await quickstart(folder, '--kept', '20')
    expect(runsIn(folder)[0]).toMatchObject({
      command: `touchstone quickstart --kept 20 --out-dir ${folder}`,
      config: { model: 'preset', training: { steps: 30 } },
    })
  })
})
