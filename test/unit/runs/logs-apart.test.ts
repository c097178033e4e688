/** @file Logs that a gate refuses since a reply may be that of the other side's model, and what is listed where it does not. */
import { expect, test } from 'vitest'
import { parseGate } from '../../../evals/findings/gate/gate-file.ts'
import { importRuns } from '../../../evals/interchange/import.ts'
import { gateOf } from '../../../evals/runs/gate-compared.ts'
import { anotherModel, saidBy } from '../../doubles/rows/own-words.ts'
import { rawPromptfoo } from '../../doubles/rows/raw-logs.ts'
import { unlike } from '../../doubles/rows/unlike.ts'

const GATE = parseGate('{ margin: 0.05 }', 'gate.yaml')
const NOTHING = { allow: [], reference: undefined, under: undefined, looked: 0 }

/** Of a provider by its name, so many replies of which came from the cache. */
async function promptfoo(id: string, cached: number) {
  const model = anotherModel()
  const rows = Array.from({ length: 200 }, (_, i) => ({
    ...{ provider: { id }, prompt: { raw: unlike(i) }, success: i < 190 },
    testCase: { assert: [{ type: 'contains', value: '42' }] },
    response: { output: saidBy(model, i), cached: i < cached },
  }))
  return (await importRuns(rawPromptfoo(rows)))[0]!
}
const gated = (
  [before, after]: readonly Awaited<ReturnType<typeof promptfoo>>[],
  reference?: Awaited<ReturnType<typeof promptfoo>>,
) => gateOf([[before!, after!]], GATE, { ...NOTHING, reference })

test('replies of a cache under two names are listed, and refused under one', async () => {
  const [base, other, again] = [
    await promptfoo('openai:chat:pebble', 3),
    await promptfoo('openai:chat:mine', 7),
    await promptfoo('openai:chat:pebble', 0),
  ]
  const { outcome, assumptions } = gated([base, other])
  expect(outcome).toBe('PASS')
  const { how, state } = assumptions!.find(({ name }) => name === 'another-model')!
  expect(state).toBe('assumed')
  expect(how).toContain('replies of a cache (3 before and 7 after) are those of whatever stood')
  expect(() => gated([base, again])).toThrow(
    /^3 replies of .*out\.json came, or may have come, from a cache, and both sides name "openai:chat:pebble"/,
  )
  expect(() => gated([other, again], base)).toThrow('3 replies')
  const unsaid = gated([other, again]).assumptions!.find(({ name }) => name === 'another-model')!
  expect(unsaid.how).toContain('replies of a cache (7 before)')
})

test('epochs and attempts of one log may bear one id, and a reference is held against too', async () => {
  const id = '0b54b3a4-1f0a-4d5e-9a51-2d3f0a7a9c11'
  const base = await promptfoo('openai:chat:pebble', 0)
  const marked = async (name: string, own: string) => ({
    ...(await promptfoo(name, 0)),
    rowIds: () => new Map([[own, 'breakfast']]),
  })
  const tuned = await marked('openai:chat:mine', id)
  expect(gated([base, tuned]).outcome).toBe('PASS')
  const release = await marked('openai:chat:release', id)
  expect(() => gated([base, tuned], release)).toThrow(`such as ${id} (breakfast)`)
  expect(() => gated([base, tuned], release)).toThrow(/^1 row of /)
})
