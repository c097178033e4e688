/** @file What earlier runs were given for a setting, the newest first. */
import type { RunEntry } from '../../evals/contract/calls/runs.ts'

const MOST = 12

export function recentValues(runs: readonly Pick<RunEntry, 'config'>[], name: string): string[] {
  const values = runs.flatMap(({ config }) => {
    const value = (config as Readonly<Record<string, unknown>> | null)?.[name]
    return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string')
  })
  return [...new Set(values)].slice(0, MOST)
}
