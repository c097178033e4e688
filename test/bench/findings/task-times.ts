/**
 * @file How long tasks take from nothing to their report, as the command runs them: `node test/bench/findings/task-times.ts NAME…`,
 * all by default. Writes test/bench/results/task-times.json, and keeps there what it was not asked for.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { findTask, TASKS } from '../../../evals/audit/tasks/registry.ts'
import { machine } from '../harness/machine.ts'
import { processorSeconds } from '../harness/measure.ts'
import { root } from './task-runs.ts'

const Time = z.object({
  date: z.string(),
  processor: z.string(),
  cores: z.int(),
  wallSeconds: z.number(),
  /** User and system time of all threads; null where the system has no /proc. */
  processorSeconds: z.number().nullable(),
})

const path = join(root, 'test', 'bench', 'results', 'task-times.json')
const Times = z.record(z.string(), Time)
const times = existsSync(path) ? Times.parse(JSON.parse(readFileSync(path, 'utf8'))) : {}

const LOOK_MS = 200
const tenths = (seconds: number) => Math.round(10 * seconds) / 10

async function timed(name: string): Promise<z.infer<typeof Time>> {
  const folder = mkdtempSync(join(tmpdir(), 'task-times-'))
  const argv = ['task', name, '--exit-zero', '--quiet', '--out-dir', join(folder, 'run')]
  const { processor, cores } = machine()
  const started = performance.now()
  const child = spawn(process.execPath, [join(root, 'evals', 'bin', 'cli.ts'), ...argv], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let used: number | null = null
  const look = setInterval(() => (used = processorSeconds(child.pid!) ?? used), LOOK_MS)
  const code = await new Promise((resolve) => child.on('close', resolve))
  clearInterval(look)
  rmSync(folder, { recursive: true })
  if (code !== 0) throw new Error(`${name} ended with exit code ${String(code)}`)
  return {
    date: new Date().toISOString(),
    processor,
    cores,
    wallSeconds: tenths((performance.now() - started) / 1000),
    processorSeconds: used === null ? null : tenths(used),
  }
}

const asked = process.argv.slice(2)
for (const name of asked.length > 0 ? asked : TASKS.map((task) => task.name)) {
  times[findTask(name).name] = await timed(name)
  writeFileSync(path, `${JSON.stringify(times, null, 2)}\n`)
  const { wallSeconds, processorSeconds: used } = times[name]!
  process.stdout.write(`${name}: ${wallSeconds} s, ${used ?? '?'} s of processor time\n`)
}
