/** @file The certificate of a served model, in words. */
import { percent } from '../../../contract/words.ts'
import { plainText } from '../../../document/plain-text.ts'
import type { ServedCertificate } from '../../../inspect/certificate/certify-served.ts'

export function servedWords(found: ServedCertificate): string {
  const { agreement, own, distance, limits, facts } = found
  const { prompts, sameReplies, judged, verdictsChanged } = agreement
  const number = (value: number) => value.toPrecision(3)
  const far = distance
    ? `log-probability of the same ${distance.replies} replies: |Δ| mean ${number(distance.mean)}, largest ${number(distance.largest)} nats a token`
    : 'log-probabilities: the server gives none, or no reply is the same'
  const lines = [
    `${found.outcome}  ${found.address} (${facts.model}, fingerprint ${facts.fingerprint ?? 'not said'})`,
    `the same reply to ${sameReplies} of ${prompts} prompts (at least ${percent(limits.agreement)}), ${verdictsChanged} of ${judged} verdicts changed (at most ${percent(limits.verdictsChanged)} beyond its own)`,
    `against itself, asked twice: the same reply to ${own.sameReplies} of ${own.prompts} prompts, ${own.verdictsChanged} of ${own.judged} verdicts changed`,
    far,
    ...found.beyond.map((what) => `beyond its limit: ${what}`),
    ...found.faults.map(({ kind, what }) => `looks like: ${kind}: ${what}`),
    ...found.unchecked.map((what) => `not checked: ${what}`),
  ]
  return lines.map((line, i) => `${i === 0 ? '' : '  '}${plainText(line, 4000)}\n`).join('')
}
