/** @file Corrected rates in a sentence each: what the terminal shows of labels by people. */
import type { Section } from '../../contract/document.ts'
import type { CorrectedRate, Results } from '../../contract/results.ts'
import { percent, stateInSentence } from '../../contract/words.ts'
import { lastSteps } from '../../contract/keys.ts'
import { listed } from '../blocks.ts'
import { byFirstJudge, rateText } from '../view.ts'

/** Last steps by first judges; the others are in the report. */
export function correctedLines(results: Results): Section[] {
  const { people, evaluations } = results
  const isLast = lastSteps(evaluations)
  const rows = (people?.rates ?? []).filter((row) => byFirstJudge(results)(row) && isLast(row))
  return listed('Corrected for the judges’ errors', rows.map(correctedLine))
}

function correctedLine({ reported, corrected, refused, measure, ...row }: CorrectedRate): string {
  const what = measure === 'attack' ? ', attacks' : ''
  const head = `${stateInSentence(row)}, ${row.benchmark} (${row.judge}${what}): ${rateText(reported)}`
  return corrected
    ? `${head} → ${percent(corrected.estimate)} (95 % interval ${percent(corrected.lower)} to ${percent(corrected.upper)})`
    : `${head}, not corrected: ${refused}`
}
