/** @file The gate on the page: its outcome in words and sign, every claim, and nothing of its file as markup. */
import { describe, expect, test } from 'vitest'
import type { GateResult } from '../../../evals/contract/gate.ts'
import type { Results } from '../../../evals/contract/results.ts'
import { together } from '../../../evals/contract/words.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { parseGate } from '../../../evals/findings/gate/gate-file.ts'
import { renderReport, sectionsMarkup } from '../../../evals/document/html.ts'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { verdictText } from '../../../evals/document/terminal.ts'
import { gateSection } from '../../../evals/document/sections/gate.ts'
import { toHtml } from '../../../evals/document/markup.ts'
import {
  byTwoJudges,
  CAPABILITY,
  LOOKALIKES,
  plannedRows,
  REFUSAL,
} from '../../doubles/rows/audit-rows.ts'
import { changedRows } from '../../doubles/runs/stored-change.ts'

const wholeOf = ({ claims }: GateResult) =>
  claims.filter(({ bound, category, measures }) => (bound ?? category ?? measures) === undefined)

type Benchmarks = Readonly<Record<string, object>>

function resultsOf(lost: number, benchmarks: Benchmarks, more: object = {}) {
  const rows = changedRows({ lost })
  const gate = parseGate(JSON.stringify({ benchmarks, ...more }), 'gate.json')
  return buildResults({
    ...rows,
    run: { ...rows.run, config: { ...(rows.run.config as object), gate } },
  })
}
const sectionOf = (...given: Parameters<typeof resultsOf>) => {
  const sections = gateSection(resultsOf(...given))
  expect(sections).not.toEqual([])
  return toHtml(sectionsMarkup(sections))
}
const plainOf = (markup: string) =>
  markup
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\s\u00a0]+/g, ' ')
    .replaceAll('&#39;', "'")

describe('the gate on the page', () => {
  test.each([
    [0, 0.1, '✓', 'PASS', 'PASS'],
    [60, 0.1, '✕', 'FAIL', 'FAIL'],
    [6, 0.05, '?', 'INCONCLUSIVE', 'INCONCLUSIVE'],
  ])('%d lost at %d: %s %s', (lost, margin, sign, outcome, style) => {
    const page = sectionOf(lost, { [REFUSAL.name]: { margin } })
    expect(page).toContain(`class="verdict ${style}"`)
    expect(plainOf(page).split(`${sign} Gate: ${outcome}`)).toHaveLength(2)
    expect(plainOf(page)).toContain(`${sign} ${outcome} `)
    expect(page.includes('What to try next')).toBe(outcome === 'FAIL')
  })

  test('what was not measured is ≠ NOT COMPARABLE, in the style of what is open', () => {
    const page = sectionOf(0, { elsewhere: { margin: 0.1 } })
    expect(page).toContain('class="verdict NOT-COMPARABLE"')
    expect(plainOf(page)).toContain('≠ Gate: NOT COMPARABLE')
    expect(plainOf(page)).toContain(`Measured, and not named by the gate: ${REFUSAL.name}.`)
  })

  test('says every claim with its margin, both tests and its sentence', () => {
    const results = resultsOf(6, { [REFUSAL.name]: { margin: 0.05 } })
    const page = plainOf(renderReport(results))
    const [claim] = results.gate!.claims
    expect(page).toContain('lora, seed 1')
    expect(page).toContain('5 points')
    // In the headline, and in the claim's own row.
    expect(page.split(claim!.sentence)).toHaveLength(3)
    expect(page).toContain(results.gate!.headline)
    expect(page.indexOf('Gate:')).toBeLessThan(page.indexOf('What was compared'))
  })

  test('what was overruled is said by name', () => {
    const more = { allowDifferences: ['template', 'seed'] }
    const page = plainOf(sectionOf(0, { [REFUSAL.name]: { margin: 0.1 } }, more))
    expect(page).toContain('Overruled by name: differences in template and seed were allowed.')
  })

  test('of three benchmarks the one that fails decides', () => {
    const rows = plannedRows({
      benchmarks: [byTwoJudges(REFUSAL), byTwoJudges(LOOKALIKES), CAPABILITY],
      arms: [
        {
          arm: 'lora',
          seed: 1,
          steps: {
            40: {
              [REFUSAL.name]: { lost: 0, gained: 0 },
              [LOOKALIKES.name]: { lost: 0, gained: 60 },
              [CAPABILITY.name]: { lost: 0, gained: 0 },
            },
          },
        },
      ],
    })
    const names = [REFUSAL.name, LOOKALIKES.name, CAPABILITY.name]
    const benchmarks = Object.fromEntries(names.map((name) => [name, { margin: 0.1 }]))
    const gate = parseGate(JSON.stringify({ benchmarks }), 'gate.json')
    const results = buildResults({ ...rows, run: { ...rows.run, config: { gate } } })
    expect(wholeOf(results.gate!).map(({ outcome }) => outcome)).toEqual(['PASS', 'FAIL', 'PASS'])
    expect(renderReport(results)).toContain('Gate: FAIL')
  })

  test('after a FAIL what to try stands with the numbers of this run', () => {
    const rows = changedRows({ lost: 60 })
    const data = {
      role: 'training data as tokens and labels',
      content: { kind: 'training-data' as const, rows: 360 },
      path: 'data.jsonl',
      digest: 'sha256:00',
      bytes: 1,
    }
    const gate = { benchmarks: { [REFUSAL.name]: { margin: 0.1 } } }
    const config = { ...(rows.run.config as object), gate }
    const results = buildResults({ ...rows, run: { ...rows.run, config }, artifacts: [data] })
    const { advice } = results.gate!
    // Half an hour over two evaluated states; one row in ten beside 360 are 40.
    const whole = advice.map(({ what, cost }) => `${what} ${cost}`).join('\n')
    expect(whole).toContain(': 40 beside the 360 there are. one more run, about 30 min;')
    const page = plainOf(renderReport(results))
    for (const { what, cost } of advice) {
      expect(page).toContain(what)
      expect(page).toContain(cost)
    }
  })

  test('without a gate the default one decides, and says so', () => {
    const page = plainOf(renderReport(buildResults(changedRows({}))))
    expect(page).not.toContain('Gate:')
    expect(page).toContain('No gate was given, so the default one decides: 5 points of harm')
  })

  test('claims beside the rates are counted, and folded where they are no worse', () => {
    const [, claims] = gateSection(resultsOf(0, { [REFUSAL.name]: { margin: 0.1 } }))
    const [shown, count, folded] = claims!.blocks
    expect(shown).toMatchObject({ type: 'findings', rows: [{ outcome: 'PASS' }] })
    expect(count).toMatchObject({
      text: '4 further claims on floors and ceilings and categories: 4 PASS.',
    })
    expect(folded).toMatchObject({ type: 'details' })
    const low = { margin: 0.1, floor: 0.99 }
    const [, open] = gateSection(resultsOf(0, { [REFUSAL.name]: low }))
    expect(open!.blocks[0]).toMatchObject({ rows: [{}, { outcome: 'INCONCLUSIVE' }] })
  })

  test('what it rests on stands in every output, in a terminal beside a PASS only', () => {
    const results = resultsOf(0, { [REFUSAL.name]: { margin: 0.1 } })
    const { assumptions } = results.gate!
    expect(assumptions!.map(({ name }) => name)).toContain('judge')
    const heading = 'What this rests on'
    const shows = (of: Results, output: 'html' | 'window' | 'card' | 'terminal') =>
      JSON.stringify(sectionsOf(of, output)).split(heading).length > 1
    for (const { how } of assumptions!) expect(renderReport(results)).toContain(together(how))
    for (const output of ['html', 'window', 'card', 'terminal'] as const) {
      expect(shows(results, output), output).toBe(true)
    }
    const failed = resultsOf(60, { [REFUSAL.name]: { margin: 0.1 } })
    expect(verdictText(failed, [])).not.toContain(`\n${heading}`)
    const unchecked = assumptions!.filter(({ state }) => state === 'assumed')
    expect(unchecked.length).toBeGreaterThan(0)
    for (const { how } of unchecked) expect(results.limits.join('\n')).toContain(how)
  })
})

describe('a gate file of a stranger', () => {
  const attack = `</td></table><script>alert(1)</script><img src=x onerror=alert(1)>"'\u202e\u0007`
  const hostile = {
    [attack]: { margin: 0.1 },
    [REFUSAL.name]: { margin: 0.1, judge: attack },
  }

  test('is text on the page, wherever it stands', () => {
    const harmless = sectionOf(0, {
      plain: { margin: 0.1 },
      [REFUSAL.name]: { margin: 0.1, judge: 'plain' },
    })
    const page = sectionOf(0, hostile)
    const tagsOf = (text: string) => text.match(/<\/?[a-z][a-z0-9]*/gi)
    expect(tagsOf(page)).toEqual(tagsOf(harmless))
    expect(page).toContain('&lt;script&gt;')
    expect(page).toContain('⟨U+202E⟩')
    expect(page).not.toMatch(/[\u202e\u0007]/)
  })

  test('of a name as long as a gate may be is still a page', () => {
    const page = sectionOf(0, { ['n'.repeat(30_000)]: { margin: 0.1 } })
    expect(page.length).toBeLessThan(400_000)
  })

  test('of a thousand benchmarks has a thousand claims', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `b${i}`)
    const results = resultsOf(0, Object.fromEntries(names.map((name) => [name, { margin: 0.1 }])))
    expect(results.gate!.claims).toHaveLength(1000)
    expect(renderReport(results)).toContain('b999')
  })
})
