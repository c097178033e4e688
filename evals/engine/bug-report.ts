/** @file A report to send with a bug: versions, settings and how runs ended, without any prompt, reply, path or text of the user. */
import { BUNDLED, SUITES } from '../benchmarks/registry.ts'
import { BUNDLED_DATA } from '../measure/sources.ts'
import { findings } from '../runs/checks/doctor.ts'
import { engineFor } from '../runs/engine-facts.ts'
import { COMPARED_FIELDS } from '../contract/gate/rule.ts'
import { METHODS } from '../finetune/registry.ts'
import { JUDGES } from '../judges/registry.ts'
import type { Home } from './home.ts'

const MOST_RUNS = 20

export async function bugReport(home: Home): Promise<Record<string, unknown>> {
  const { checks, ...machine } = await findings()
  const stores = home.folders().map((folder) => home.store(folder))
  const runs = stores
    .flatMap((store) => store.runs().map((run) => ({ run, store })))
    .sort((a, b) => b.run.startedAt - a.run.startedAt)
    .slice(0, MOST_RUNS)
  return {
    machine,
    engine: engineFor({}),
    checks: checks.map(({ name, status }) => ({ name, status })),
    runs: runs.map(({ run, store }) => ({
      kind: run.kind,
      outcome: run.outcome,
      version: run.engine.version,
      // A message may name files, so only the code is sent.
      error: run.error && { code: run.error.code },
      seconds: run.endedAt === null ? null : (run.endedAt - run.startedAt) / 1000,
      events: store.lastSeq(run.id),
      config: withoutText(run.config),
    })),
  }
}

/** Words of Touchstone's own: they reveal nothing about the user. */
const OURS: ReadonlySet<string> = new Set([
  ...'pebble auto cpu cuda webgpu cosine linear constant leading full'.split(' '),
  ...METHODS.map(({ name }) => name),
  ...BUNDLED.map(({ name }) => name),
  ...Object.keys(SUITES),
  ...JUDGES.map(({ name }) => name),
  ...BUNDLED_DATA,
  ...COMPARED_FIELDS,
])

/** The same shape; text that is not in `OURS` is replaced by its length. Keys may name benchmarks, in gates. */
function withoutText(value: unknown): unknown {
  if (typeof value === 'string') return OURS.has(value) ? value : `(${value.length} characters)`
  if (Array.isArray(value)) return value.map(withoutText)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      /^[a-zA-Z0-9]{1,40}$/u.test(key) || OURS.has(key) ? key : `(${key.length} characters)`,
      withoutText(inner),
    ]),
  )
}
