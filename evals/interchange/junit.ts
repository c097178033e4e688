/**
 * @file JUnit XML, for continuous integration: a case for the verdict, which is an error where it is neither PASS nor FAIL, since builds
 * that skip are green; a case for each claim, which fails where the claim does, and for each deviation from a plan, which is skipped; and
 * a suite of prompts for each comparison. A prompt is never red by itself: its case passes and says what changed, and is skipped where a
 * side is undecided. Texts of replies are not in it.
 */
import type { Results } from '../contract/results.ts'
import type { Deviation } from '../contract/signed/decided-plan.ts'
import type { PairedRow } from './paired-rows.ts'

export function junitXml(results: Results, rows: readonly PairedRow[]): string {
  const suites = Map.groupBy(rows, ({ arm, seed, step, benchmark, judge }) =>
    [arm, `seed ${seed}`, `step ${step}`, benchmark, judge].join(', '),
  )
  const cases = [...suites].map(([name, inSuite]) => suiteXml(name, inSuite))
  const { run, gate, verdict } = results
  // Results of 0.1.0 have findings alone.
  const claims: readonly Claim[] = gate?.claims ?? verdict.findings
  const deviations = gate?.plan?.deviations ?? []
  const { outcome, headline } = gate ?? verdict
  // A base that was measured alone is no verdict on anything.
  const said = gate || claims.length > 0 ? VERDICT_STATES[outcome] : 'skipped'
  const states: CaseState[] = [
    said,
    ...claims.map(({ outcome }) => CLAIM_STATES[outcome]),
    ...deviations.map(() => 'skipped' as const),
  ]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites name="${escaped(run.title)}"${countsOf([...states, ...rows.map(stateOf)])}>\n`,
    `  <testsuite name="claims" timestamp="${escaped(run.endedAt.slice(0, 19))}"${countsOf(states)}>\n`,
    caseXml('verdict', outcome, said, headline),
    ...claims.map(claimXml),
    ...deviations.map(deviationXml),
    '  </testsuite>\n',
    ...cases,
    '</testsuites>\n',
  ].join('')
}

type CaseState = 'passed' | 'failed' | 'skipped' | 'error'

type Finding = Results['verdict']['findings'][number]
type Claim = Finding & Partial<NonNullable<Results['gate']>['claims'][number]>

const stateOf = ({ before, after, change }: PairedRow): CaseState =>
  (before === null ? after === 'undecided' : change === '') ? 'skipped' : 'passed'

const CLAIM_STATES = {
  PASS: 'passed',
  FAIL: 'failed',
  INCONCLUSIVE: 'skipped',
  'NOT COMPARABLE': 'skipped',
} as const

const VERDICT_STATES = {
  PASS: 'passed',
  FAIL: 'failed',
  INCONCLUSIVE: 'error',
  'NOT COMPARABLE': 'error',
} as const

function countsOf(states: readonly CaseState[]): string {
  const count = (wanted: CaseState) => states.filter((state) => state === wanted).length
  return ` tests="${states.length}" failures="${count('failed')}" errors="${count('error')}" skipped="${count('skipped')}"`
}

function claimXml({ arm, seed, benchmark, ...claim }: Claim) {
  const state = seed === undefined ? arm : `${arm}, seed ${seed}`
  const { category, context, measures, judge, against, bound } = claim
  const own = [category, context, measures, judge, against, bound && 'bound']
  const what = [benchmark, ...own.filter((part) => part !== undefined)]
  const name = escaped(`${state}: ${what.join(', ')}`)
  return caseXml('claims', name, CLAIM_STATES[claim.outcome], claim.sentence)
}

/** What is not as planned: without it every claim could look passed where the gate is not. */
function deviationXml({ kind, at, planned, found }: Deviation): string {
  const words = `planned ${planned ?? 'none'}, found ${found ?? 'none'}`
  return caseXml('plan', escaped(at === null ? kind : `${kind}: ${at}`), 'skipped', words)
}

function suiteXml(name: string, rows: readonly PairedRow[]): string {
  const cases = rows.map((row) => {
    const { benchmark, category, sampleId, epoch, before, after } = row
    const id = epoch === 0 ? sampleId : `${sampleId} (${epoch + 1})`
    const words = before === null ? after : `${before} before, ${after} after`
    return caseXml(escaped(`${benchmark}.${category}`), escaped(id), stateOf(row), words)
  })
  const counts = countsOf(rows.map(stateOf))
  return `  <testsuite name="${escaped(name)}"${counts}>\n${licencesXml(rows)}${cases.join('')}  </testsuite>\n`
}

/** The rows of a suite are of one benchmark. */
function licencesXml([first]: readonly PairedRow[]): string {
  if (!first?.licences) return ''
  const property = `<property name="licences" value="${escaped(first.licences)}"/>`
  return `    <properties>${property}</properties>\n`
}

const TAGS = { failed: 'failure', skipped: 'skipped', error: 'error' } as const

function caseXml(className: string, name: string, state: CaseState, words: string): string {
  const open = `    <testcase classname="${className}" name="${name}"`
  if (state === 'passed') return `${open}><system-out>${escaped(words)}</system-out></testcase>\n`
  return `${open}><${TAGS[state]} message="${escaped(words)}"/></testcase>\n`
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

/** XML 1.0 cannot hold most control characters or lone surrogates; they become U+FFFD. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"\n\r\t]/g, (character) => ENTITIES[character]!)
