/** @file Runs of tasks for findings: the command's results, some at once, and how numbers over seeds are written. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Results } from '../../../evals/contract/results.ts'
import { studentQuantile } from '../../../evals/statistics/student.ts'
import { meanAndSd } from '../../../evals/statistics/summary.ts'

export const root = join(import.meta.dirname, '..', '..', '..')
export const BASE_SEEDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
/** Commands that run side by side, one thread each. */
const SIDE_BY_SIDE = 2

/** Where runs and numbers are kept. */
export const work = join(root, 'out', 'task-findings')

/** Numbers that take long; those of an earlier run are taken as they are. */
export async function kept(name: string, make: () => Promise<number[]>): Promise<number[]> {
  const path = join(work, `${name}.json`)
  if (existsSync(path)) return z.array(z.number()).parse(JSON.parse(readFileSync(path, 'utf8')))
  const found = await make()
  mkdirSync(work, { recursive: true })
  writeFileSync(path, JSON.stringify(found))
  return found
}

/** Results of a command; those of an earlier, finished run are taken as they are, and a stopped one goes on. */
export async function ran(name: string, argv: readonly string[]): Promise<Results> {
  const own = join(work, name.replaceAll('/', '-'))
  const path = join(own, 'results.json')
  if (!existsSync(path)) {
    const rest = ['--threads', '1', '--exit-zero', '--quiet', '--out-dir', own]
    if (existsSync(own)) rest.push('--resume')
    const command = [join(root, 'evals', 'bin', 'cli.ts'), 'task', ...argv, ...rest]
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] })
    const code = await new Promise((resolve) => child.on('close', resolve))
    if (code !== 0) throw new Error(`${name} ended with exit code ${String(code)}`)
  }
  return Results.parse(JSON.parse(readFileSync(path, 'utf8')))
}

/** Jobs in order, some at once. */
export async function all<T>(jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results = new Array<T>(jobs.length)
  const waiting = [...jobs.entries()]
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      results[next[0]] = await next[1]()
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
  return results
}

/** Mean, and lowest to highest of several. */
export const spread = (values: readonly number[], digits: number): string => {
  const show = (value: number) => value.toFixed(digits).replace('-', '−')
  if (values.length === 1) return show(values[0]!)
  return `${show(meanAndSd(values).mean)} (${show(Math.min(...values))} to ${show(Math.max(...values))})`
}

/** Mean with its 95 % interval of Student's t over seeds. */
export function meanWithInterval(values: readonly number[], digits = 1): string {
  const { mean, sd } = meanAndSd(values)
  const half = (studentQuantile(0.975, values.length - 1) * (sd ?? NaN)) / Math.sqrt(values.length)
  const show = (value: number) => value.toFixed(digits).replace('-', '−')
  return `${show(mean)} (${show(mean - half)} to ${show(mean + half)})`
}
