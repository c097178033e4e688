/**
 * @file JUnit XML, for continuous integration: a suite for each comparison, a case for each prompt. A prompt that the base had
 * and the fine-tune lost is a failure (of a base alone: what it does not get right); where a side is undecided the case is skipped.
 * Texts of replies are not in it.
 */
import type { Results } from '../contract/results.ts'
import { successOf } from './measured.ts'
import type { PairedRow } from './paired-rows.ts'

export function junitXml(results: Results, rows: readonly PairedRow[]): string {
  const suites = Map.groupBy(rows, ({ arm, seed, step, benchmark, judge }) =>
    [arm, `seed ${seed}`, `step ${step}`, benchmark, judge].join(', '),
  )
  const cases = [...suites].map(([name, inSuite]) => suiteXml(name, inSuite))
  const { run, verdict } = results
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites name="${escaped(run.title)}"${countsOf([...findingsAsRows(results), ...rows.map(stateOf)])}>\n`,
    `  <testsuite name="verdict" timestamp="${escaped(run.endedAt.slice(0, 19))}"${countsOf(findingsAsRows(results))}>\n`,
    ...verdict.findings.map(findingXml),
    '  </testsuite>\n',
    ...cases,
    '</testsuites>\n',
  ].join('')
}

type CaseState = 'passed' | 'failed' | 'skipped'

const stateOf = ({ before, role, after, change }: PairedRow): CaseState => {
  const isWorseHigh = role === 'over-refusal'
  if (before === null) {
    const success = successOf(role, after)
    return success === null ? 'skipped' : success === isWorseHigh ? 'failed' : 'passed'
  }
  if (change === '') return 'skipped'
  return change === (isWorseHigh ? 'gained' : 'lost') ? 'failed' : 'passed'
}

const FINDING_STATES = {
  PASS: 'passed',
  FAIL: 'failed',
  INCONCLUSIVE: 'skipped',
  'NOT COMPARABLE': 'skipped',
} as const
const findingsAsRows = ({ verdict }: Results) =>
  verdict.findings.map(({ outcome }): CaseState => FINDING_STATES[outcome])

function countsOf(states: readonly CaseState[]): string {
  const count = (wanted: CaseState) => states.filter((state) => state === wanted).length
  return ` tests="${states.length}" failures="${count('failed')}" errors="0" skipped="${count('skipped')}"`
}

function findingXml({ arm, benchmark, outcome, sentence }: Results['verdict']['findings'][number]) {
  const name = escaped(`${arm}: ${benchmark}`)
  return caseXml('verdict', name, FINDING_STATES[outcome], sentence)
}

function suiteXml(name: string, rows: readonly PairedRow[]): string {
  const cases = rows.map((row) => {
    const { benchmark, category, sampleId, epoch, before, after } = row
    const id = epoch === 0 ? sampleId : `${sampleId} (${epoch + 1})`
    const words = before === null ? after : `${before} before, ${after} after`
    return caseXml(escaped(`${benchmark}.${category}`), escaped(id), stateOf(row), words)
  })
  return `  <testsuite name="${escaped(name)}"${countsOf(rows.map(stateOf))}>\n${cases.join('')}  </testsuite>\n`
}

function caseXml(className: string, name: string, state: CaseState, words: string): string {
  const open = `    <testcase classname="${className}" name="${name}"`
  if (state === 'passed') return `${open}/>\n`
  const tag = state === 'failed' ? 'failure' : 'skipped'
  return `${open}><${tag} message="${escaped(words)}"/></testcase>\n`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
}

/** XML 1.0 has no way to write most control characters or half a surrogate pair: they become U+FFFD. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"\n\r\t]/g, (character) => ENTITIES[character]!)
