/** @file JUnit XML: what a build sees of a verdict, its claims and its prompts. */
import { expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import { FORMATS } from '../../../evals/interchange/formats.ts'
import { smallAudit } from '../../doubles/runs/stored-audit.ts'

const rows = smallAudit()
const results = buildResults(rows)

test('has a case a claim, red where it fails, and a case a prompt that never is', async () => {
  const xml = String((await FORMATS[1]!.write(rows, results))[0]!.parts[0])
  const count = (pattern: RegExp) => xml.match(pattern)?.length ?? 0
  const [, tests, failures, errors, skipped] =
    /<testsuites [^>]*tests="(\d+)" failures="(\d+)" errors="(\d+)" skipped="(\d+)"/.exec(xml)!
  expect(count(/<testcase /g)).toBe(Number(tests))
  expect(count(/<failure /g)).toBe(Number(failures))
  expect(count(/<error /g)).toBe(Number(errors))
  expect(count(/<skipped /g)).toBe(Number(skipped))
  const suite =
    /<testsuite name="lora, seed 1, step 40, house-refusal, house" tests="14" failures="0"/
  expect(xml).toMatch(suite)
  expect(count(/refusal before, compliance after/g)).toBeGreaterThanOrEqual(9)
  const claims = results.gate?.claims ?? results.verdict.findings
  expect(claims.length).toBeGreaterThan(0)
  expect(count(/<testcase classname="claims"/g)).toBe(claims.length)
  const failed = claims.filter(({ outcome }) => outcome === 'FAIL').length
  const { outcome } = results.gate ?? results.verdict
  expect(count(/<failure /g)).toBe(failed + Number(outcome === 'FAIL'))
  expect(new Set(xml.match(/<testcase classname="claims" name="[^"]*"/g)).size).toBe(claims.length)
})

test.each([
  ['PASS', '<system-out>said</system-out>'],
  ['FAIL', '<failure message="said"/>'],
  ['INCONCLUSIVE', '<error message="said"/>'],
  ['NOT COMPARABLE', '<error message="said"/>'],
] as const)(
  'has a case for the verdict, which is green for a PASS alone: %s',
  async (outcome, is) => {
    const gate = { ...results.gate!, outcome, headline: 'said' }
    const [file] = await FORMATS[1]!.write(rows, { ...results, gate })
    const xml = String(file!.parts[0])
    expect(xml).toContain(`<testcase classname="verdict" name="${outcome}">${is}</testcase>`)
  },
)

test('a base that was measured alone is no error', async () => {
  const alone = { ...results, gate: null, verdict: { ...results.verdict, findings: [] } }
  const [file] = await FORMATS[1]!.write(rows, alone)
  expect(String(file!.parts[0])).toMatch(/<testcase classname="verdict" [^>]*><skipped /u)
})

test('escapes what XML cannot hold', async () => {
  const nasty = 'a<b>&"c\u0000\n\ud800'
  const renamed = <R extends { sampleId: string }>(row: R) =>
    row.sampleId === 'q000' ? { ...row, sampleId: nasty } : row
  const planted = {
    ...rows,
    replies: rows.replies.map(renamed),
    verdicts: rows.verdicts.map(renamed),
  }
  const xml = String((await FORMATS[1]!.write(planted, results))[0]!.parts[0])
  expect(xml).toContain('name="a&lt;b&gt;&amp;&quot;c\ufffd&#10;\ufffd"')
  expect(xml).not.toMatch(/[\u0000-\u0008]/)
})
