/** @file Tasks as job arrays, against a double of Slurm’s commands; the real daemons run in test/peers/slurm.test.ts. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { slurm, type SlurmChoice } from '../../../../evals/runtime/schedulers/slurm.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

const DOUBLES = join(import.meta.dirname, '..', '..', '..', 'doubles', 'runtime')
let folder: string

beforeEach(() => {
  folder = freshFolder()
  mkdirSync(join(folder, 'queue'))
  vi.stubEnv('SLURM_DOUBLE', folder)
  vi.stubEnv('PATH', `${join(DOUBLES, 'slurm')}${delimiter}${process.env['PATH']}`)
})
afterEach(() => vi.unstubAllEnvs())

const lines = (name: string) => {
  const path = join(folder, name)
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
}
const done = (position: number) => join(folder, `${position}.done`)

interface Asked extends Partial<SlurmChoice> {
  readonly count?: number
  readonly signal?: AbortSignal
  readonly onPause?: () => void
}

/** Runs tasks 10, 11, …; resolves to what was told. */
async function run(asked: Asked = {}) {
  const { count = 1, signal = new AbortController().signal, onPause } = asked
  const settled: number[] = []
  const died: (string | number)[][] = []
  const choice = { partition: null, schedulerOptions: [], ...asked }
  const pause = async () => {
    onPause?.()
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await slurm(choice, pause).run({
    script: join(DOUBLES, 'task.js'),
    argument: join(folder, 'plan it’s.jsonl'),
    tasks: Array.from({ length: count }, (_, index) => ({ position: 10 + index })),
    jobs: 2,
    threads: 3,
    signal,
    isSettled: ({ position }) => Promise.resolve(existsSync(done(position))),
    onSettled: ({ position }) => Promise.resolve(void settled.push(position)),
    onDied: ({ position }, how, said) => Promise.resolve(void died.push([position, how, said])),
  })
  return { settled: settled.sort(), died }
}

test('each task runs once, in arrays of the largest size', async () => {
  expect(await run({ count: 5, partition: 'gpu', schedulerOptions: ['mem=4G'] })).toEqual({
    settled: [10, 11, 12, 13, 14],
    died: [],
  })
  const submitted = lines('submitted')
  const sizes = submitted.map((words) => /--array=(\S+)/u.exec(words)?.[1])
  expect(sizes).toEqual(['0-1%2', '0-1%2', '0-0%1'])
  expect(submitted[0]).toMatch(/--requeue .*--cpus-per-task=3 --partition=gpu --mem=4G/u)
})

test('a task that dies is submitted once more, then given up with its last words', async () => {
  writeFileSync(join(folder, '11.dies'), '')
  expect(await run({ count: 2 })).toEqual({
    settled: [10],
    died: [[11, 'FAILED, exit code 7:0', 'position 11 cannot']],
  })
  expect(lines('submitted')).toHaveLength(2)
})

test('tasks that an earlier attempt left in the queue are followed, not submitted again', async () => {
  await run({ count: 1 })
  const [, name] = /--job-name=(\S+)/u.exec(lines('submitted')[0]!)!
  writeFileSync(join(folder, 'queue', `${name}:1_0`), '')
  writeFileSync(join(folder, 'slurm', '0.tasks'), '17\n10\n')
  writeFileSync(join(folder, 'queue', `${name}:1_1`), '')
  rmSync(done(10))
  const { settled } = await run({ onPause: () => writeFileSync(done(10), '') })
  expect(settled).toEqual([10])
  expect(lines('submitted')).toHaveLength(1)
})

test('a stop cancels what is queued', async () => {
  writeFileSync(join(folder, '10.dies'), '')
  const controller = new AbortController()
  const onPause = () => {
    const [, name] = /--job-name=(\S+)/u.exec(lines('submitted')[0]!)!
    writeFileSync(join(folder, 'queue', `${name}:1_0`), '')
    controller.abort(new Error('stopped'))
  }
  await expect(run({ signal: controller.signal, onPause })).rejects.toThrow('stopped')
  expect(lines('cancelled')).toContain('1')
})

describe('is an error with a remedy', () => {
  test('no Slurm on this machine', async () => {
    vi.stubEnv('PATH', folder)
    await expect(run()).rejects.toMatchObject({ code: 'slurm.missing' })
  })

  test('what sbatch refuses', async () => {
    const refused = run({ schedulerOptions: ['bad'] })
    await expect(refused).rejects.toMatchObject({
      code: 'slurm.refused',
      message: 'Slurm’s sbatch failed and said “sbatch: error: invalid option”.',
    })
  })
})
