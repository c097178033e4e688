/** @file The page as a whole: self-contained, without script, complete, and safe whatever the models wrote. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import type { Results } from '../../../evals/contract/results.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { plannedAudit, plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'

let results: Results
let page: string
beforeAll(() => {
  results = buildResults(plannedAudit())
  page = renderReport(results)
})

/** Tags that are left open or closed in the wrong order. */
function unbalanced(markup: string): string[] {
  const open: string[] = []
  const wrong: string[] = []
  for (const [, close, name, attributes] of markup.matchAll(/<(\/?)([a-z][a-z0-9]*)([^>]*)>/gi)) {
    if (attributes!.endsWith('/') || name === 'meta') continue
    if (!close) open.push(name!)
    else if (open.pop() !== name) wrong.push(name!)
  }
  return [...wrong, ...open]
}

describe('the page', () => {
  test('is one well-formed document', () => {
    expect(page.startsWith('<!doctype html>')).toBe(true)
    expect(page).toContain('<meta charset="utf-8"')
    expect(unbalanced(page)).toEqual([])
  })

  test('forbids everything but its own style', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`)
  })

  test('has no script and asks for nothing from anywhere', () => {
    expect(page).not.toMatch(/<script|javascript:|\son[a-z]+=|<iframe|<object|<embed|<link|<base/i)
    expect(page).not.toMatch(/https?:\/\/|\ssrc=|\shref="(?!#appendix)|url\(|@import/i)
  })

  test('holds no number that is none', () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/)
  })

  test('comes out the same from the same results', () => {
    expect(renderReport(structuredClone(results))).toBe(page)
  })

  test('keeps a signer’s order', () => {
    const order = [
      'id="verdict"',
      'Primary claims',
      'Replies by outcome',
      'What was compared',
      'Along the training',
      'Lost by category',
      'What this rests on',
      'What this does not show',
      'Exceptions',
      'Signature',
      'id="contents"',
      'What to try next',
      'Every claim',
      'Before and after',
      'Over the course of training',
      'Prompts whose outcome changed',
      'By category',
      'Where in the weights',
      'What was forgotten',
      'Spread between seeds',
      'How to get this again',
      'Digests',
      'How to read this appendix',
    ].map((heading) => page.indexOf(heading.startsWith('id=') ? heading : `>${heading}`))
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  test('says the headline, every finding that is no PASS, every limit, the command and every digest', () => {
    const text = page.replaceAll('\u00a0', ' ').replaceAll('&lt;', '<').replaceAll('&quot;', '"')
    const { verdict, limits, run, subjects, artifacts } = results
    const needed = [
      verdict.headline,
      ...verdict.findings.flatMap(({ outcome, sentence }) => (outcome === 'PASS' ? [] : sentence)),
      ...verdict.notes,
      ...limits,
      run.command,
      ...subjects.map(({ weightsDigest }) => weightsDigest),
      ...artifacts.map(({ digest }) => digest),
    ]
    expect(needed.filter((sentence) => !text.includes(sentence))).toEqual([])
  })

  test('gives every chart as a table too', () => {
    // Three benchmarks, the first of them in front too, and the loss on neutral text.
    expect(page.match(/<figure>/g)).toHaveLength(3 + 1 + 1)
    // Two arms' spectra by place and over k and ε, and the categories, are tables themselves.
    expect(page.match(/<table class="heat">/g)).toHaveLength(2 * 2 + 1)
    expect(page.match(/The same as numbers<\/summary/g)).toHaveLength(3 + 2 + 1)
    expect(page).toContain('All 24 matrices')
  })

  test('ends every claim with the place where it stands in results.json', () => {
    const ids = [...page.matchAll(/<td class="id">(\d+)<\/td>/g)]
    expect(ids.length).toBeGreaterThan(results.gate!.claims.length)
    expect(page).toContain('gate/claims/')
  })

  test('shows planted counts and the change with its sign', () => {
    // lora, seed 3: 94 of 96 before, 94 − 93 + 1 after.
    expect(page).toMatch(/97\.9\s%[\s\S]{0,200}2\.1\s%[\s\S]{0,200}−95\.8/)
    expect(page).toContain('refusal → compliance 267')
  })
})

test('replies to prompts that should be refused are withheld', () => {
  const flips = results.flips.filter(({ benchmark }) => benchmark === 'house-refusal').length
  expect(flips).toBeGreaterThan(0)
  expect(page).toContain('withheld')
})

describe('hostile input', () => {
  const attack = `</style></td><script>alert(1)</script><img src=x onerror=alert(1)>"'\u202e\u0000`

  /** Every string that a stranger could have written, in every place there is. */
  function poisoned<T>(value: T): T {
    if (typeof value === 'string') return `${value}${attack}` as T
    if (Array.isArray(value)) return value.map(poisoned) as T
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        // Closed sets and dates are not a stranger's to choose.
        ['outcome', 'role', 'schemaVersion', 'startedAt', 'endedAt'].includes(key)
          ? (inner as unknown)
          : poisoned(inner as unknown),
      ]),
    ) as T
  }

  test('in every string at once adds no tag', () => {
    const tagsOf = (text: string) => new Set(text.match(/<\/?[a-z][a-z0-9]*/gi))
    const hostile = renderReport(poisoned(results))
    expect(tagsOf(hostile)).toEqual(tagsOf(page))
    expect(unbalanced(hostile)).toEqual([])
    expect(hostile).not.toMatch(/\u202e|\u0000/)
    expect(hostile).toContain('⟨U+202E⟩')
    expect(hostile.match(/<style/g)).toHaveLength(1)
  })

  test('a reply of a megabyte does not swamp the page', () => {
    const text = 'x'.repeat(1_000_000)
    const flips = results.flips.map((flip) => ({ ...flip, after: { ...flip.after, text } }))
    const big = renderReport({ ...results, flips })
    expect(big.length).toBeLessThan(page.length + 2000 * flips.length)
    expect(big).toContain('more characters are in results.json')
  })

  test('thousands of flips are cut, and said to be', () => {
    const [flip] = results.flips
    const flips = Array.from({ length: 5000 }, (_, n) => ({ ...flip!, sampleId: `q${n}` }))
    const many = renderReport({ ...results, flips })
    expect(many).toContain('4800 more are in results.json')
    expect(many.match(/<tr>/g)!.length).toBeLessThan(1000)
  })
})

describe('little measured', () => {
  test.each([
    ['nothing', plannedRows({ benchmarks: [], arms: [] })],
    ['the base alone', plannedRows({ benchmarks: [REFUSAL], arms: [] })],
    [
      'one state without a single decided reply',
      plannedRows({
        benchmarks: [{ ...REFUSAL, n: 3, base: 3 }],
        arms: [
          {
            arm: 'lora',
            seed: 1,
            steps: { 1: { [REFUSAL.name]: { lost: 0, gained: 0, undecided: 3 } } },
          },
        ],
      }),
    ],
  ])('%s is still a page', (_, rows) => {
    const small = renderReport(buildResults(rows))
    expect(unbalanced(small)).toEqual([])
    expect(small).not.toMatch(/NaN|Infinity|undefined/)
    expect(small).toContain('INCONCLUSIVE')
  })
})
