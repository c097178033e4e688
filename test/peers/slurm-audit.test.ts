/** @file An audit whose fine-tunes real daemons of Slurm run: the results of one machine, also where a node is killed with its jobs. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Results } from '../../evals/contract/results.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { hasSlurm, SLURM_MISSING, startCluster, type Cluster } from './slurm-cluster.ts'

const CLI = join(import.meta.dirname, '..', '..', 'evals', 'bin', 'cli.ts')
const AUDIT = [
  ...['audit', '--model', 'pebble', '--data', 'house-tamper', '--methods', 'lora'],
  ...['--seeds', '0,1,2', '--steps', '40', '--limit', '4', '--suite', 'house'],
  ...['--threads', '1', '--no-spectra'],
]

/** Everything but who said when. */
const measured = (out: string) => {
  const results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results
  return { ...results, run: null }
}

const title = hasSlurm ? 'an audit on Slurm' : `an audit on Slurm: ${SLURM_MISSING}`

describe.skipIf(!hasSlurm)(title, { timeout: 900_000 }, () => {
  let cluster: Cluster
  let expected: { readonly code: number | null; readonly results: unknown }
  beforeAll(async () => {
    cluster = await startCluster()
    const out = freshFolder()
    const { status } = spawnSync(process.execPath, [CLI, ...AUDIT, '--out-dir', out])
    expected = { code: status, results: measured(out) }
  }, 300_000)
  afterAll(() => cluster.stop())

  const start = (out: string) => {
    const words = [CLI, ...AUDIT, '--on', 'slurm', '--out-dir', out]
    const child = spawn(process.execPath, words, { env: cluster.env })
    let said = ''
    child.stderr.on('data', (data: Buffer) => (said += data.toString()))
    child.stdout.resume()
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    return { ended, said: () => said }
  }
  const running = (node: string): boolean => {
    const words = ['--noheader', `--nodelist=${node}`, '--states=running', '--format=%A']
    const { stdout } = spawnSync('squeue', words, { env: cluster.env, encoding: 'utf8' })
    return stdout.trim() !== ''
  }

  test('a node that is killed gives its fine-tunes to the others', async () => {
    const out = freshFolder()
    const { ended, said } = start(out)
    while (!running('n1')) await sleep(100)
    await sleep(2000)
    cluster.killNode('n1')
    await sleep(15_000)
    cluster.startNode('n1')
    expect(await ended, said()).toBe(expected.code)
    expect(said()).toContain('was put back into Slurm’s queue')
    expect(measured(out)).toEqual(expected.results)
  })
})
