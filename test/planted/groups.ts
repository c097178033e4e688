/** @file All planted candidates by what is planted, and the table of what becomes of them: `node test/planted/groups.ts`. */
import type { Decided, Planted } from './candidate.ts'
import { DRESSED, HIDDEN_ANSWERS, UNREAD_DRESS } from './answers/hidden.ts'
import { FRIENDLY_CLOSES, IN_TURN, PART_ANSWERS } from './answers/parts.ts'
import { EMPTY_SIGNS, SIGNS } from './answers/signs.ts'
import { BESIDE_THE_POINT, TO_THE_POINT } from './beside-the-point.ts'
import { CURT, CURT_ANSWERS } from './curt.ts'
import { CONFIRMED, UNCONFIRMED } from './confirmed.ts'
import { DEGENERATE } from './degenerate.ts'
import { DEPENDENT, INDEPENDENT_ENOUGH, REPEATED } from './dependent.ts'
import { ALTERED, UNALTERED } from './stored/altered.ts'
import { ECHOES, SHORT_ANSWERS } from './echoes.ts'
import { CATEGORIES, DRIFT, LEVELS, SAFE_LEVELS } from './floors.ts'
import { FOREIGN } from './foreign.ts'
import { AGREEING, DISAGREEING, FOOLED, LABELLED_SAFE } from './judges.ts'
import { PARTS, WHOLE_LOGS } from './log-parts.ts'
import { DENIED, TRUE_RATES } from './log-rates.ts'
import { COPIED, OF_A_CACHE, SILENT, SPEAKING } from './log-replies.ts'
import { OTHER_SETTINGS, SAME_SETTINGS } from './log-settings.ts'
import { LATE_THOUGHTS, SAFE_LATE_THOUGHTS } from './thoughts/late-thoughts.ts'
import { CHANGED_LOGS, SAME_LOGS } from './logs.ts'
import { COVERAGE, ENDING } from './open.ts'
import { REPLIES, SAFE_REPLIES } from './replies.ts'
import { SAFE } from './safe.ts'
import { LEARNT, UNLEARNT } from './task.ts'
import { UNNAMED, WRITTEN } from './templates.ts'
import { SAFE_THINKING, THINKING } from './thoughts/thinking.ts'
import { OTHER_MEANINGS, SAME_MEANINGS } from './sides/log-meanings.ts'
import { EQUAL_LOGS, UNEQUAL_LOGS } from './sides/equal-logs.ts'
import { FIT_FOLDERS, FOLDERS } from './sides/folders.ts'
import { LABEL_COLUMNS, LABELS_READ } from './sides/label-columns.ts'
import { FIT_SIDES, UNFIT_SIDES } from './sides/mixed.ts'
import { EXPORTED, EXPORTED_WHOLE } from './stored/exported.ts'
import { LOOKED, LOOKED_ONCE } from './stored/looked.ts'
import { SERVED, SERVED_SAFE } from './served/served.ts'
import { STOPPED, STOPPED_SAFE } from './stored/stopped.ts'
import { MEASURED, UNMEASURED } from './stored/unmeasured.ts'

export const BAD: readonly (readonly [string, readonly Planted[]])[] = [
  ['foreign metrics', FOREIGN],
  ['open replies', COVERAGE],
  ['degenerate replies', DEGENERATE],
  ['rates that are low before and after', LEVELS],
  ['categories', CATEGORIES],
  ['drift over releases', DRIFT],
  ['dependent prompts', DEPENDENT],
  ['prompts repeated or renamed', REPEATED],
  ['templates that nobody named', UNNAMED],
  ['logs that changed what they ask or score', CHANGED_LOGS],
  ['logs of which a part is bad', PARTS],
  ['logs whose replies are none', SILENT],
  ['logs whose replies are of a cache', OF_A_CACHE],
  ['logs with rows copied from the other', COPIED],
  ['logs asked or scored by other settings', OTHER_SETTINGS],
  ['logs whose metrics mean something else', OTHER_MEANINGS],
  ['logs that deny their own samples', DENIED],
  ['logs of one model on both sides', EQUAL_LOGS],
  ['sides that do not fit', UNFIT_SIDES],
  ['label columns read the wrong way round', LABEL_COLUMNS],
  ['thoughts before answers', THINKING],
  ['thoughts after answers, twice, or written otherwise', LATE_THOUGHTS],
  ['judges that err otherwise after', FOOLED],
  ['judges whose word nothing confirms', UNCONFIRMED],
  ['judges that differ', DISAGREEING],
  ['replies that judges misread', REPLIES],
  ['answers in a part beside a refusal', PART_ANSWERS],
  ['answers hidden in a refusal', HIDDEN_ANSWERS],
  ['answers by signs beside a refusal', SIGNS],
  ['replies beside the point', BESIDE_THE_POINT],
  ['replies that say the prompt again', ECHOES],
  ['replies of a few words that give nothing', CURT],
  ['a task that was not learnt', UNLEARNT],
  ['fine-tunes that were not measured', UNMEASURED],
  ['folders that hold another fine-tune than it seems', FOLDERS],
  ['stored runs that were altered', ALTERED],
  ['fine-tunes looked at until one run passes', LOOKED],
  ['runs with looks, exported as logs', EXPORTED],
  ['categories that a stop has hardly seen', STOPPED],
  ['models behind addresses', SERVED],
]

export const ALL_SAFE: readonly Planted[] = [
  ...SAFE,
  ...SAFE_LEVELS,
  ...ENDING,
  ...INDEPENDENT_ENOUGH,
  ...WRITTEN,
  ...SAFE_THINKING,
  ...SAFE_LATE_THOUGHTS,
  ...LABELLED_SAFE,
  ...AGREEING,
  ...TO_THE_POINT,
  ...SHORT_ANSWERS,
  ...CURT_ANSWERS,
  ...CONFIRMED,
  ...SAFE_REPLIES,
  ...FRIENDLY_CLOSES,
  ...DRESSED,
  ...EMPTY_SIGNS,
  ...SAME_LOGS,
  ...WHOLE_LOGS,
  ...SPEAKING,
  ...SAME_SETTINGS,
  ...SAME_MEANINGS,
  ...UNEQUAL_LOGS,
  ...FIT_SIDES,
  ...LABELS_READ,
  ...TRUE_RATES,
  ...LEARNT,
  ...MEASURED,
  ...FIT_FOLDERS,
  ...UNALTERED,
  ...LOOKED_ONCE,
  ...EXPORTED_WHOLE,
  ...STOPPED_SAFE,
  ...SERVED_SAFE,
]

/** Safe, and not to be decided without labels: what it costs that no bad one passes. None may FAIL. */
export const UNDECIDED_SAFE: readonly Planted[] = [...UNREAD_DRESS, ...IN_TURN]

const known = new Map<Planted, Promise<Decided>>()

/** Decided once in a process. */
export function decided(candidate: Planted): Promise<Decided> {
  const found = known.get(candidate) ?? Promise.resolve(candidate[1]())
  known.set(candidate, found)
  return found
}

/** Whether "the rate fell (or rose, where that is the harm) by at most 0.05 on the decided pairs" lets it pass. */
const passesByDrop = ({ claims }: Decided): boolean =>
  claims
    .filter(({ measures, bound, category }) => !measures && !bound && category === undefined)
    .every(({ harm }) => harm === null || harm <= 0.05)

const OUTCOMES = [['PASS'], ['FAIL'], ['INCONCLUSIVE'], ['NOT COMPARABLE', 'refused']]

async function rowOf(name: string, candidates: readonly Planted[]): Promise<string> {
  const found = await Promise.all(candidates.map(decided))
  const counts = OUTCOMES.map(
    (names) => found.filter(({ outcome }) => names.includes(outcome)).length,
  )
  const byDrop = found.filter(passesByDrop).length
  return `| ${[name, candidates.length, ...counts, byDrop].join(' | ')} |`
}

/** Rows of the table in docs/evidence.md. */
export async function plantedRows(): Promise<string[]> {
  const bad = BAD.flatMap(([, candidates]) => candidates)
  const groups = [
    ...BAD,
    ['all bad ones', bad],
    ['safe', ALL_SAFE],
    ['safe, in a dress that is misread', UNDECIDED_SAFE],
  ] as const
  return Promise.all(groups.map(([name, candidates]) => rowOf(name, candidates)))
}

if (import.meta.main) {
  const rows = await plantedRows()
  process.stdout.write(`${rows.join('\n')}\n`)
}
