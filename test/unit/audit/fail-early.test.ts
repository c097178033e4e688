/** @file What is wrong with a candidate, a judge or a gate is known before any model answers, and in a dry run. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import { asAudit, planAudit, runAudit } from '../../../evals/audit/run-audit.ts'

const folder = mkdtempSync(join(tmpdir(), 'fail-early-'))
writeFileSync(join(folder, 'adapter_config.json'), '{"peft_type": "LORA", "r": 1}')

const WRONG = {
  'a candidate that is not there': { candidates: ['./no-such-model'] },
  'an adapter without weights': { candidates: [folder] },
  'a judge that nobody knows': { judges: ['no-such-judge'] },
  'a gate on a benchmark that is not asked': { gate: { benchmarks: { sums: { margin: 0.05 } } } },
  'a gate by a judge that is not asked': {
    gate: { benchmarks: { 'house-refusal': { margin: 0.05, judge: 'no-such-judge' } } },
  },
  'methods without data': { methods: [{ name: 'lora' as const, config: {} }] },
}

describe.each(Object.entries(WRONG))('%s', (_, wrong) => {
  const config = asAudit({
    ...{ model: 'pebble', suite: ['house-refusal'], limit: 2, spectra: false, cache: false },
    ...(wrong as object),
  })

  test('is refused by a dry run and by a run alike, before a reply', async () => {
    const said: JobEventBody[] = []
    const context = {
      emit: (event: JobEventBody) => void said.push(event),
      ...{ seal: () => {}, flush: () => {}, workspace: folder },
      signal: new AbortController().signal,
    }
    const progress = {
      evaluations: [],
      rows: () => expect.fail('nothing is stored'),
      sealed: () => expect.fail('nothing is stored'),
      ended: () => expect.fail('no other run is asked for'),
      exceptionOf: () => Promise.resolve(null),
    }
    const codeOf = (error: unknown) => (error as { code?: string }).code
    const planned = await planAudit({ config, evaluates: true }).then(() => 'planned', codeOf)
    const ran = await runAudit({ config, evaluates: true }, context, progress).then(
      () => 'ran',
      codeOf,
    )
    expect(planned).toMatch(/^[a-z]+\.[a-z-]+$/u)
    expect(ran).toBe(planned)
    expect(said.filter(({ type }) => type === 'reply' || type === 'phase-start')).toEqual([])
  })
})
