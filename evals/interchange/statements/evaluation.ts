/**
 * @file A run as in-toto Statements, one DSSE envelope a line: our own predicate, in-toto's Test Result, and the proposed eval-result of
 * each fine-tune. docs/signed/statements.md describes each field.
 */
import type { GateClaim, GateOutcome, GateResult } from '../../contract/gate.ts'
import type { Results } from '../../contract/results.ts'
import type { SubjectIdentity } from '../../contract/rows.ts'
import { sha256 } from '../../files/digest.ts'
import { fingerprint, signedEnvelope, STATEMENT, type KeyPair } from '../signing.ts'

export interface Statement {
  readonly _type: typeof STATEMENT
  readonly subject: readonly {
    readonly name: string
    readonly digest: { readonly sha256: string }
  }[]
  readonly predicateType: string
  readonly predicate: unknown
}

/** A line of JSON. */
export const statementLine = (statement: Statement, keys: KeyPair): string => {
  const envelope = signedEnvelope(Buffer.from(JSON.stringify(statement)), keys)
  return `${JSON.stringify(JSON.parse(envelope))}\n`
}

interface Evaluated {
  readonly results: Results
  /** SHA-256 of results.json. */
  readonly digest: string
  readonly keys: KeyPair
}

/** Without a decision there is nothing to state. */
export function evaluationStatements(evaluated: Evaluated): Statement[] {
  const { results } = evaluated
  const { gate } = results
  if (!gate) return []
  const tuned = results.subjects.filter(
    (subject) => subject.arm !== 'base' && digestOf(subject) !== '',
  )
  return [
    statement(evaluated, tuned, 'urn:touchstone:evaluation:v1', ownPredicate(results, gate)),
    statement(evaluated, tuned, 'https://in-toto.io/attestation/test-result/v0.1', {
      result: RESULTS[gate.outcome],
      configuration: configurationOf(results),
      passedTests: testsOf(gate, ['PASS']),
      warnedTests: testsOf(gate, ['INCONCLUSIVE', 'NOT COMPARABLE']),
      failedTests: testsOf(gate, ['FAIL']),
    }),
    ...tuned.flatMap((subject) => evalResult(evaluated, gate, subject)),
  ]
}

/** Of an adapter, else of weights and configuration; empty of a served model. */
const digestOf = ({ adapterDigest, weightsDigest }: SubjectIdentity): string =>
  adapterDigest ?? weightsDigest

/** Of the fine-tunes; of results.json where no fine-tune has a digest. */
function statement(
  { digest }: Evaluated,
  tuned: readonly SubjectIdentity[],
  predicateType: string,
  predicate: unknown,
): Statement {
  const subject = tuned.map((each) => ({
    name: nameOf(each),
    digest: { sha256: digestOf(each) },
  }))
  const whole = [{ name: 'results.json', digest: { sha256: digest } }]
  return {
    _type: STATEMENT,
    subject: subject.length > 0 ? subject : whole,
    predicateType,
    predicate,
  }
}

const nameOf = ({ arm, seed }: Pick<SubjectIdentity, 'arm' | 'seed'>) => `${arm} (seed ${seed})`

function ownPredicate(results: Results, gate: GateResult) {
  const { run, engine, benchmarks, evaluations } = results
  const versions = new Map(evaluations.map(({ judge, judgeVersion }) => [judge, judgeVersion]))
  return {
    run: run.id,
    touchstone: engine.version,
    measuredUntil: run.endedAt,
    outcome: gate.outcome,
    alpha: gate.alpha,
    gate: gate.rule ?? null,
    isDefaultGate: gate.isDefault ?? false,
    plan: gate.plan ?? null,
    suite: benchmarks.map(({ name, role, samples, digest }) => ({ name, role, samples, digest })),
    judges: [...versions].map(([name, version]) => ({ name, version })),
    claims: gate.claims.map(claimOf),
    assumptions: (gate.assumptions ?? []).map(({ name, state }) => ({ name, state })),
  }
}

/** Without sentences: what a program reads. */
const claimOf = ({ sentence: _, assumptions: __, contest: ___, ...claim }: GateClaim) => claim

const RESULTS: Readonly<Record<GateOutcome, 'PASSED' | 'WARNED' | 'FAILED'>> = {
  PASS: 'PASSED',
  FAIL: 'FAILED',
  INCONCLUSIVE: 'WARNED',
  'NOT COMPARABLE': 'WARNED',
}

const configurationOf = ({ benchmarks }: Results) =>
  benchmarks.map(({ name, digest }) => ({ name, digest: { sha256: digest } }))

/** Over the benchmarks' digests, in the order of results.json. */
const datasetDigest = ({ benchmarks }: Results): string =>
  sha256(...benchmarks.map((row) => row.digest))

const testsOf = ({ claims }: GateResult, outcomes: readonly GateOutcome[]): string[] =>
  claims.filter(({ outcome }) => outcomes.includes(outcome)).map(testName)

const testName = ({ arm, seed, benchmark, category, context, measures, bound }: GateClaim) =>
  [nameOf({ arm, seed }), benchmark, context, category, measures, bound?.kind]
    .filter((part) => part !== undefined)
    .join('/')

/** Of claims on the harm to a benchmark as a whole; bounds and categories are in our own predicate. */
function evalResult(
  { results, keys, digest }: Evaluated,
  gate: GateResult,
  subject: SubjectIdentity,
): Statement[] {
  const { run, engine, benchmarks } = results
  const claims = gate.claims.filter(
    ({ arm, seed, bound, category, measures, against, gain }) =>
      arm === subject.arm &&
      seed === subject.seed &&
      (bound ?? category ?? measures ?? against ?? gain) === undefined,
  )
  if (claims.length === 0) return []
  const name = nameOf(subject)
  const model = { name, digest: { sha256: digestOf(subject) } }
  const suites = benchmarks.map((row) => row.name).join(', ')
  const predicate = {
    evaluator: { id: `urn:touchstone:key:${fingerprint(keys.publicKey)}` },
    evaluatedAt: run.endedAt,
    suite: { name: suites, version: engine.version },
    claims: claims.map(({ benchmark, context, margin, outcome }) => ({
      metric: `harm/${benchmark}${context === undefined ? '' : `@${context}`}`,
      comparator: '<',
      threshold: String(margin),
      passed: outcome === 'PASS',
    })),
    sampleSize: claims.reduce((sum, { n }) => sum + n, 0),
    model,
    dataset: { name: suites, digest: { sha256: datasetDigest(results) } },
    assuranceLevel: 'self_attested',
    subjectProfile: 'public-model',
    harness: { name: 'touchstone', version: engine.version },
    evidence: [{ name: 'results.json', mediaType: 'application/json', digest: { sha256: digest } }],
    ...(gate.plan?.deviations.length === 0 && {
      preRegistration: { alg: 'sha256', value: gate.plan.digest },
    }),
  }
  const predicateType = 'https://b7n0de.com/attestation/eval-result/v0.2'
  return [{ _type: STATEMENT, subject: [model], predicateType, predicate }]
}
