/** @file The end of the second page: exceptions, the signature, and the digest that it rests on. */
import type { Section } from '../../../contract/document.ts'
import type { Results } from '../../../contract/results.ts'
import { listed } from '../../../contract/words.ts'
import { list, paragraph, section } from '../../blocks.ts'
import { resultsDigest } from '../../results-text.ts'
import { titlesOf } from '../../view.ts'

export function exceptionsSection(results: Results): Section[] {
  const { gate } = results
  if (!gate) return []
  const { allowedDifferences, notGated, rule } = gate
  const found = [
    ...(allowedDifferences.length > 0
      ? [`Differences in ${listed(allowedDifferences)} were allowed by name.`]
      : []),
    ...(rule?.trust?.length ? [`The gate trusts ${listed(rule.trust)} without confirmation.`] : []),
    ...(rule?.independent?.length
      ? [`The gate takes prompts of ${listed(rule.independent)} as independent without evidence.`]
      : []),
    ...(notGated.length > 0
      ? [`Measured, and not named by the gate: ${listed(notGated.map(titlesOf(results)))}.`]
      : []),
  ]
  return section(
    'Exceptions',
    found.length > 0
      ? list(found)
      : paragraph(
          'None: no difference was allowed, no judge and no independence of prompts is taken on trust, and every benchmark is gated.',
        ),
  )
}

export function signatureSection(results: Results): Section[] {
  if (!results.gate) return []
  const digest = resultsDigest(results)
  return section(
    'Signature',
    { type: 'signature', fields: ['Name', 'Role', 'Date', 'Decision', 'Reason'] },
    {
      type: 'facts',
      rows: [
        ['results.json, SHA-256', [{ code: digest.replaceAll(/(.{8})(?=.)/gu, '$1 ') }]],
        ['Run', [{ code: results.run.id }]],
        [
          'What is signed',
          [
            'The numbers under this digest. A case of this run lists results.json by it, and ',
            { code: 'touchstone verify' },
            ' checks both.',
          ],
        ],
      ],
    },
  )
}
