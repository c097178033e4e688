/** @file A certificate in words, the same in the terminal, the report and the window. The first line says how it ended. */
import { percent } from '../contract/words.ts'
import type { Certificate } from '../inspect/certificate/certify.ts'
import type { ServedCertificate } from '../inspect/certificate/certify-served.ts'

export function certificateLines(found: Certificate): string[] {
  const { distance: far, agreement, limits } = found
  const { prompts, sameReplies, judged, verdictsChanged } = agreement
  const number = (value: number) => value.toPrecision(3)
  const least = limits.agreement === 0 ? '' : ` (at least ${percent(limits.agreement)})`
  const most = Number.isFinite(limits.maxLogit) ? ` (at most ${limits.maxLogit})` : ''
  return [
    `${found.outcome}  ${found.path} (${found.storage.join(', ')})`,
    ...(found.weights ? [weightWords(found.weights)] : ['weights: named otherwise, not compared']),
    `over ${far.positions} tokens: KL mean ${number(far.meanKl)} (at most ${limits.meanKl}), of the worst in 100 ${number(far.tailKl)} (at most ${limits.tailKl}), largest ${number(far.maxKl)}; the same likeliest token ${percent(far.sameTop)} (at least ${percent(limits.sameTop)})`,
    `|Δlogit| of one token over all ${number(far.tokenLogit)} (at most ${limits.tokenLogit}), of any ${number(far.maxLogit)}${most}`,
    `the same reply to ${sameReplies} of ${prompts} prompts${least}, ${verdictsChanged} of ${judged} verdicts changed (at most ${percent(limits.verdictsChanged)}${limits.chance < 1 ? ', and chance' : ''})`,
    `sha256 ${found.digest}, tokenizer ${found.tokenizerDigest.slice(0, 16)}, template ${found.templateDigest.slice(0, 16)}`,
    ...found.beyond.map((what) => `beyond its limit: ${what}`),
    ...(found.firstFailing === null ? [] : [`first failing: ${found.firstFailing}`]),
    ...found.faults.map(({ kind, what }) => `looks like: ${kind}: ${what}`),
  ]
}

function weightWords({ compared, worst, kept }: NonNullable<Certificate['weights']>): string {
  const share = percent(worst.share)
  const change = kept
    ? `; ${kept.factor.toFixed(3)} ± ${kept.error.toPrecision(1)} of the measured change`
    : ''
  return `weights: ${compared} compared, the farthest for its storage ${worst.name} (${worst.storage}) by ${share}${change}`
}

export function servedCertificateLines(found: ServedCertificate): string[] {
  const { agreement, own, distance, limits, facts } = found
  const { prompts, sameReplies, judged, verdictsChanged } = agreement
  const number = (value: number) => value.toPrecision(3)
  const far = distance
    ? `log-probability of the same ${distance.replies} replies: |Δ| mean ${number(distance.mean)}, largest ${number(distance.largest)} nats a token`
    : 'log-probabilities: the server gives none, or no reply is the same'
  return [
    `${found.outcome}  ${found.address} (${facts.model}, fingerprint ${facts.fingerprint ?? 'not said'})`,
    `the same reply to ${sameReplies} of ${prompts} prompts (at least ${percent(limits.agreement)}), ${verdictsChanged} of ${judged} verdicts changed (at most ${percent(limits.verdictsChanged)} beyond its own)`,
    `against itself, asked twice: the same reply to ${own.sameReplies} of ${own.prompts} prompts, ${own.verdictsChanged} of ${own.judged} verdicts changed`,
    far,
    ...found.beyond.map((what) => `beyond its limit: ${what}`),
    ...found.faults.map(({ kind, what }) => `looks like: ${kind}: ${what}`),
    ...found.unchecked.map((what) => `not checked: ${what}`),
  ]
}
