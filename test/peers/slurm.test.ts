/** @file A sweep on real daemons of Slurm: the rows of one machine, also where a node or the command itself is killed on the way. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Results } from '../../evals/contract/results.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { hasSlurm, SLURM_MISSING, startCluster, type Cluster } from './slurm-cluster.ts'

const CLI = join(import.meta.dirname, '..', '..', 'evals', 'bin', 'cli.ts')
const SWEEP = [
  ...['sweep', '--model', 'pebble', '--data', 'house-tamper', '--methods', 'lora', '--steps', '60'],
  ...['--axis', 'rank=1,2,4', '--seeds', '0..1', '--limit', '8'],
]

const measured = (out: string) =>
  (JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results)
    .sweep!.cells.map(({ seconds: _, ...cell }) => cell)
    .sort((a, b) => a.position - b.position)

const resultsIn = (out: string): number => {
  const sweeps = join(out, 'sweeps')
  const [id] = existsSync(sweeps) ? readdirSync(sweeps) : []
  const cells = join(sweeps, id ?? '', 'cells')
  if (!existsSync(cells)) return 0
  return readdirSync(cells).filter((name) => name.endsWith('.json')).length
}

const title = hasSlurm ? 'a sweep on Slurm' : `a sweep on Slurm: ${SLURM_MISSING}`

describe.skipIf(!hasSlurm)(title, { timeout: 900_000 }, () => {
  let cluster: Cluster
  let expected: unknown
  beforeAll(async () => {
    cluster = await startCluster()
    const out = freshFolder()
    spawnSync(process.execPath, [CLI, ...SWEEP, '--out-dir', out])
    expected = measured(out)
  }, 300_000)
  afterAll(() => cluster.stop())

  const start = (out: string, more: readonly string[] = []) => {
    const words = [CLI, ...SWEEP, '--on', 'slurm', '--out-dir', out, ...more]
    const child = spawn(process.execPath, words, { env: cluster.env })
    let said = ''
    child.stderr.on('data', (data: Buffer) => (said += data.toString()))
    child.stdout.resume()
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    return { child, ended, said: () => said }
  }
  const untilResults = async (out: string, count: number) => {
    while (resultsIn(out) < count) await sleep(50)
  }

  test('ends in the rows of one machine', async () => {
    const out = freshFolder()
    const { ended, said } = start(out)
    expect(await ended, said()).toBe(0)
    expect(measured(out)).toEqual(expected)
  })

  test('a node that is killed gives its cells to the others', async () => {
    const out = freshFolder()
    const { ended, said } = start(out)
    await untilResults(out, 1)
    await sleep(1500)
    cluster.killNode('n1')
    await sleep(15_000)
    cluster.startNode('n1')
    expect(await ended, said()).toBe(0)
    expect(said()).toContain('was put back into Slurm’s queue')
    expect(measured(out)).toEqual(expected)
  })

  test('the command that is killed follows its jobs when it is resumed', async () => {
    const out = freshFolder()
    const { child, ended } = start(out)
    await untilResults(out, 1)
    child.kill('SIGKILL')
    await ended
    const resumed = start(out, ['--resume'])
    expect(await resumed.ended, resumed.said()).toBe(0)
    expect(measured(out)).toEqual(expected)
    const [id] = readdirSync(join(out, 'sweeps'))
    const arrays = readdirSync(join(out, 'sweeps', id!, 'slurm'))
    expect(arrays.filter((name) => name.endsWith('.tasks'))).toEqual(['0.tasks'])
  })
})
