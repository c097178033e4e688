/** @file What a run found is kept beside it: read while nothing changed, computed again where something did. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withStore } from '../../../evals/runs/databases.ts'
import { foundIn, keepResults } from '../../../evals/runs/kept-results.ts'
import { storeChange } from '../../doubles/runs/stored-change.ts'

test('is read as it was kept, and computed again where it is damaged or of other rows', async () => {
  const folder = storeChange({ lost: 6 })
  await withStore(folder, async (store) => {
    const runId = store.runs().at(-1)!.id
    const place = { store, folder, runId }
    const file = join(folder, runId, 'found', 'results.json')
    const computed = await foundIn(place)
    expect(existsSync(file)).toBe(true)

    const marked = { ...computed, run: { ...computed.run, title: 'as it was kept' } }
    await keepResults(place, marked)
    expect((await foundIn(place)).run.title).toBe('as it was kept')

    const kept = JSON.parse(readFileSync(file, 'utf8')) as { madeOf: string; results: object }
    writeFileSync(file, JSON.stringify({ ...kept, madeOf: `${kept.madeOf} more` }))
    expect(await foundIn(place)).toEqual(computed)
    const gate = { ...computed.gate!, outcome: 'PASS' }
    const verdict = { ...computed.verdict, outcome: 'PASS' }
    writeFileSync(file, JSON.stringify({ ...kept, results: { ...computed, gate, verdict } }))
    expect(await foundIn(place)).toEqual(computed)
    writeFileSync(file, 'half a file')
    expect(await foundIn(place)).toEqual(computed)
  })
})
