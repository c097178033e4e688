/** @file Jobs that look into a run, killed with -9 again and again, end in what undisturbed ones found, to the last digit. */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { beforeAll, expect, test } from 'vitest'
import { benignRows, tamperRows } from '../../evals/bundled/hotel/fine-tuning.ts'
import { Results } from '../../evals/contract/results.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'

const CLI = join(import.meta.dirname, '..', '..', 'evals', 'bin', 'cli.ts')
const folder = freshFolder()
const TASK = join(folder, 'task.jsonl')
const JOBS = {
  attribute: ['--replies', '4', '--checkpoints', '1', '--without', '0.25'],
  locate: ['--replies', '4', '--draws', '1'],
  direction: ['--draws', '4'],
  mitigate: [
    '--remedy',
    'scale:values=0.9/0.5,early-stop,mix:values=0.1/0.2,leave-out:values=0.25:replies=4,reset:values=2:replies=4,first-tokens:values=2,intruders:values=0.5',
    ...['--task', TASK, '--keep-mended'],
  ],
}
const KILLS = 6
let run = ''

const resultsIn = (out: string) =>
  Results.parse(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')))

/** Without what names the folder and the time. */
function foundIn(out: string) {
  const { causes, metrics, remedies, artifacts } = resultsIn(out)
  const kept = artifacts.flatMap(({ content, digest }) =>
    content?.kind === 'weights' ? [[content.arm, digest]] : [],
  )
  const named = metrics.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
  return { causes, remedies, kept, metrics: named }
}

const asLines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n')

beforeAll(() => {
  if (!process.env['TOUCHSTONE_LONG']) return
  const data = join(folder, 'rows.jsonl')
  writeFileSync(data, asLines(tamperRows({ rows: 24 })))
  writeFileSync(TASK, asLines(benignRows({ rows: 24, seed: 1 })))
  const training = '--methods lora --steps 12 --batch-size 4 --learning-rate 0.01 --eval-every 4'
  const asking = '--no-spectra --suite house-refusal,house-overrefusal --limit 24 --threads 1'
  const words = ['audit', '--model', 'pebble', '--data', data, ...training.split(' ')]
  const argv = [
    CLI,
    ...words,
    ...asking.split(' '),
    '--margin',
    '0.9',
    '--exit-zero',
    '--out-dir',
    folder,
  ]
  expect(spawnSync(process.execPath, argv).status).toBe(0)
  run = readdirSync(folder).find((name) => name.startsWith('audit-'))!
})

test.runIf(process.env['TOUCHSTONE_LONG']).for(Object.entries(JOBS))(
  '%s, killed, ends the same',
  { timeout: 1_200_000 },
  async ([verb, flags]) => {
    const argv = [CLI, verb, run, ...flags, '--threads', '1', '--out-dir']
    const [calm, out] = [freshFolder(), freshFolder()]
    for (const copy of [calm, out]) cpSync(folder, copy, { recursive: true })
    const plan = spawnSync(process.execPath, [...argv, calm, '--dry-run'], { encoding: 'utf8' })
    expect(plan.stdout).toMatch(/ (prompts|steps) /u)
    const begun = performance.now()
    expect(spawnSync(process.execPath, [...argv, calm]).status).toBe(0)
    const undisturbed = performance.now() - begun
    // It is in the database before it has a folder.
    const hasBegun = () => {
      const db = new Database(join(out, 'touchstone.db'))
      const begun = db.prepare("SELECT 1 FROM run WHERE id LIKE ? || '-%'").get(verb)
      db.close()
      return begun !== undefined
    }
    let kills = 0
    for (let i = 0; i < KILLS; i++) {
      const again = hasBegun() ? ['--resume'] : []
      const child = spawn(process.execPath, [...argv, out, ...again], { stdio: 'ignore' })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      await Promise.race([ended, sleep(undisturbed * (0.25 + 0.05 * i))])
      kills += child.exitCode === null ? 1 : 0
      child.kill('SIGKILL')
      await ended
      if (child.exitCode !== null) break
    }
    expect(kills).toBeGreaterThan(1)
    spawnSync(process.execPath, [...argv, out, '--resume'])
    expect(foundIn(out)).toEqual(foundIn(calm))
  },
)
