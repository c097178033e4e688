/**
 * @file A fact sheet as OSCAL assessment results (NIST, 1.2.1): an observation for each answer, a finding for each claim of the gate.
 * Identifiers follow from the run, so that the same rows give the same file.
 */
import type { GateClaim } from '../../contract/gate.ts'
import type { Results } from '../../contract/results.ts'
import { NO_ADVICE, NOT_MEASURED, type FactSheet } from '../../contract/signed/fact-sheet.ts'
import { stateName } from '../../contract/words.ts'
import { sha256 } from '../../files/digest.ts'

const NAMESPACE = 'urn:touchstone:oscal'

export function oscalResults(sheet: FactSheet, results: Results, resultsDigest: string): string {
  const idOf = uuidsOf(sheet.run)
  const { startedAt: start, endedAt: end } = results.run
  const claims = results.gate?.claims ?? []
  const decision = idOf(observed('fine-tune', 'decision'))
  const findings = claims.map((claim, i) => findingOf(claim, idOf(`claim ${i}`), decision))
  const resource = resourceOf(idOf('results.json'), resultsDigest)
  const assessment = {
    uuid: idOf('assessment-results'),
    metadata: {
      title: `Fact sheet: ${sheet.title}`,
      'last-modified': end,
      version: sheet.run,
      'oscal-version': '1.2.1',
      remarks: NO_ADVICE,
    },
    'import-ap': {
      href: `#${resource.uuid}`,
      remarks: 'The settings of the run stand for a plan.',
    },
    results: [
      {
        uuid: idOf('result'),
        title: sheet.title,
        description: results.gate?.headline ?? results.verdict.headline,
        ...{ start, end },
        'reviewed-controls': { 'control-selections': [{ 'include-all': {} }] },
        observations: observationsOf(sheet, idOf),
        ...(findings.length > 0 && { findings }),
        remarks: NO_ADVICE,
      },
    ],
    'back-matter': { resources: [resource] },
  }
  return `${JSON.stringify({ 'assessment-results': assessment }, null, 2)}\n`
}

const observed = (source: string, id: string) => `observation ${source} ${id}`

const observationsOf = ({ parts, measuredUntil }: FactSheet, idOf: (what: string) => string) =>
  parts.flatMap(({ heading, source, questions }) =>
    questions.map(({ id, question, answer }) => ({
      uuid: idOf(observed(source, id)),
      title: `${heading}: ${question}`,
      description: answer?.text ?? NOT_MEASURED,
      props: [prop('question', id), prop('source', source)],
      methods: [answer ? 'TEST' : 'UNKNOWN'],
      collected: measuredUntil,
      ...(answer && {
        'relevant-evidence': answer.pointers.map((pointer) => ({
          href: `results.json#${pointer}`,
          description: `The rows at ${pointer} of results.json.`,
        })),
      }),
    })),
  )

const resourceOf = (uuid: string, digest: string) => ({
  uuid,
  title: 'results.json',
  rlinks: [
    {
      href: 'results.json',
      'media-type': 'application/json',
      hashes: [{ algorithm: 'SHA-256', value: digest }],
    },
  ],
})

const prop = (name: string, value: string) => ({ name, ns: NAMESPACE, value })

/** Satisfied where the claim passes; what is not decided is not satisfied, with its reason. */
function findingOf(claim: GateClaim, uuid: string, observation: string) {
  const { benchmark, outcome, sentence } = claim
  const isSatisfied = outcome === 'PASS'
  return {
    uuid,
    title: `${outcome}: ${stateName(claim)} on ${benchmark}`,
    description: sentence,
    props: [prop('outcome', outcome.replace(' ', '-'))],
    target: {
      type: 'objective-id',
      'target-id': tokenOf(`harm-${benchmark}`),
      status: {
        state: isSatisfied ? 'satisfied' : 'not-satisfied',
        reason: isSatisfied ? 'pass' : outcome === 'FAIL' ? 'fail' : 'other',
      },
    },
    'related-observations': [{ 'observation-uuid': observation }],
  }
}

/** An XML name without a colon, as OSCAL's tokens are. */
const tokenOf = (name: string) => name.replaceAll(/[^\w.-]+/gu, '-')

/** Version 5 in form (RFC 4122), of the run's name and what it identifies. */
const uuidsOf =
  (run: string) =>
  (what: string): string => {
    const hex = sha256(`${run}\n${what}`)
    const variant = '89ab'[Number.parseInt(hex[16]!, 16) % 4]
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `5${hex.slice(13, 16)}`,
      `${variant}${hex.slice(17, 20)}`,
      hex.slice(20, 32),
    ].join('-')
  }
