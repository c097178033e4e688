/** @file Arms of an audit that a scheduler runs: the rows of one process, and what is in their journals. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openJournal, replay } from '../../../evals/audit/elsewhere/journal.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { Results } from '../../../evals/contract/results.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const DOUBLE = join(import.meta.dirname, '..', '..', 'doubles', 'runtime', 'slurm')

beforeEach(() => {
  const folder = freshFolder()
  mkdirSync(join(folder, 'queue'))
  vi.stubEnv('SLURM_DOUBLE', folder)
  vi.stubEnv('PATH', `${DOUBLE}${delimiter}${process.env['PATH']}`)
})
afterEach(() => vi.unstubAllEnvs())

const AUDIT = [
  ...[
    'audit',
    '--model',
    'pebble',
    '--data',
    'house-tamper',
    '--methods',
    'lora',
    '--seeds',
    '0,1',
  ],
  ...[
    '--steps',
    '2',
    '--batch-size',
    '2',
    '--limit',
    '2',
    '--suite',
    'house',
    '--threads',
    '1',
    '--no-spectra',
  ],
]

const audit = async (out: string, argv: readonly string[]) =>
  runCommand([...AUDIT, '--out-dir', out, ...argv], {}, COMMANDS)

/** What was measured: everything but who said when. */
const measured = (out: string) => {
  const results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results
  return { ...results, run: null }
}

test('arms on Slurm end in the rows of one machine', async () => {
  const [here, there] = [freshFolder(), freshFolder()]
  const local = await audit(here, [])
  const placed = await audit(there, ['--on', 'slurm'])
  expect(placed.code, placed.stderr).toBe(local.code)
  expect(measured(there)).toEqual(measured(here))
  const work = readdirSync(there, { recursive: true }).map(String)
  expect(work.filter((name) => name.includes('elsewhere'))).toEqual([])
})

test('what an arm said is told once with its replies, and what it failed of is the error', async () => {
  const path = join(freshFolder(), '0.jsonl')
  const journal = await openJournal(path)
  journal.emit({ type: 'log', level: 'info', message: 'while it is opened' })
  journal.begin()
  const subject = { arm: 'lora', seed: 0, step: 2 }
  const event = { type: 'evaluation-end' as const, subject, benchmark: 'house', samples: 2 }
  const sealed = { ...subject, benchmark: 'house', sampleId: 'a', epoch: 0, text: 'a reply' }
  journal.emit(event)
  journal.seal(sealed)
  expect(existsSync(path)).toBe(false)
  await journal.finish({ code: 'training.not-finite', message: 'It diverged.', remedy: 'Slow.' })
  expect(statSync(path).mode & 0o777).toBe(0o600)

  const told: unknown[] = []
  const tell = (each: unknown) => void told.push(each)
  const { signal } = new AbortController()
  const context = { emit: tell, seal: tell, flush: () => undefined, signal, workspace: '' }
  await expect(replay(path, 'lora, seed 0', context)).rejects.toMatchObject({
    code: 'elsewhere.failed',
    message: 'lora, seed 0 failed and said “It diverged.”.',
    remedy: 'Slow.',
  })
  expect(told).toEqual([event, sealed])
})
