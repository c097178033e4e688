/** @file Whether two model states may be compared on a benchmark: prompts, decoding and judge must agree, and each difference is named. */
import type { Difference } from '../../contract/gate.ts'
import type { ComparedField } from '../../contract/gate/rule.ts'
import { keyOf } from '../../contract/keys.ts'
import { percent } from '../../contract/words.ts'
import type { ComparedBenchmark, ComparedJudgement, ComparedRun } from './compared-run.ts'
import {
  benchmarkOf,
  ofRows,
  rowsOf,
  withoutMarks,
  type Rows,
  type Selection,
} from './selection.ts'

interface Comparability {
  /** Differences that were not allowed; with any, the two must not be compared. */
  readonly differences: readonly Difference[]
  readonly allowed: readonly Difference[]
  /** Fields that are unknown on both sides. */
  readonly unknown: readonly ComparedField[]
}

/** For one benchmark and judge. A field that is known on one side only is a difference. */
export function comparability(
  before: ComparedRun,
  after: ComparedRun,
  of: Selection,
  allow: readonly ComparedField[] = [],
): Comparability {
  const fields = fieldsOf(before, after, of)
  const differing = fields.filter(({ before: one, after: two }) => one !== two)
  return {
    differences: differing.filter(({ field }) => !allow.includes(field)),
    allowed: differing.filter(({ field }) => allow.includes(field)),
    unknown: fields
      .filter(({ before: one, after: two }) => one === null && two === null)
      .map(({ field }) => field),
  }
}

/** "max-new-tokens (24 and 32)". */
export function differenceText({ field, before, after }: Difference): string {
  return `${field} (${shown(before)} and ${shown(after)})`
}

const shown = (value: string | null) =>
  value === null ? 'not said' : value.length > 40 ? `${value.slice(0, 40)}…` : value

function fieldsOf(before: ComparedRun, after: ComparedRun, of: Selection): Difference[] {
  const sideOf = (run: ComparedRun) => ({
    asked: benchmarkOf(run, of),
    rows: rowsOf(run, of),
    others: othersOf(run, of),
  })
  const [one, two] = [sideOf(before), sideOf(after)]
  const pair = (field: ComparedField, a: string | null, b: string | null): Difference => ({
    field,
    before: a,
    after: b,
  })
  const decoding = (field: ComparedField, read: (asked: ComparedBenchmark) => number | null) =>
    pair(field, numberText(one.asked, read), numberText(two.asked, read))
  return [
    pair('template', before.templateDigest, after.templateDigest),
    pair('tokenizer', before.tokenizerDigest, after.tokenizerDigest),
    pair('context', contextOf(one), contextOf(two)),
    ...thinking([before, one], [after, two]),
    ...unlessUsual('products', [before.products, after.products], 'exact'),
    ...unlessUsual('cache-precision', [before.cachePrecision, after.cachePrecision], 'float32'),
    promptSets(one, two),
    ...promptTexts(withoutMarks(one.rows), withoutMarks(two.rows)),
    pair('judge-version', ...versionsBetween(one.rows, two.rows)),
    ...otherVersions(one.others, two.others),
    decoding('max-new-tokens', (asked) => asked.decoding.maxNewTokens),
    pair('samples', samplesOf(one.rows), samplesOf(two.rows)),
    decoding('temperature', (asked) => asked.decoding.temperature),
    decoding('seed', (asked) => asked.decoding.seed),
  ]
}

/** No field where neither side says anything else than what is usual. */
function unlessUsual(
  field: ComparedField,
  [one, two]: readonly [string | null | undefined, string | null | undefined],
  usual: string,
): Difference[] {
  if (one == null && two == null) return []
  return [{ field, before: one ?? usual, after: two ?? usual }]
}

/** Versions of the judges that confirm or contest the first one's word, by name. */
function othersOf(run: ComparedRun, of: Selection): ReadonlyMap<string, Rows> {
  const heard = new Set([...Object.keys(run.families ?? {}), ...(run.contesting ?? [])])
  heard.delete(of.judge)
  return new Map([...heard].map((judge) => [judge, rowsOf(run, { ...of, judge })]))
}

/** One row for the first of them that was asked on both sides and in another version. */
function otherVersions(
  one: ReadonlyMap<string, Rows>,
  two: ReadonlyMap<string, Rows>,
): Difference[] {
  for (const [judge, rows] of one) {
    const [before, after] = versionsBetween(rows, two.get(judge) ?? [])
    if (before === null || after === null || before === after) continue
    return [{ field: 'judge-version', before: `${judge} ${before}`, after: `${judge} ${after}` }]
  }
  return []
}

const contextOf = ({ asked }: Pick<Side, 'asked'>) => asked?.context?.digest ?? 'none'

function numberText(
  asked: ComparedBenchmark | undefined,
  read: (asked: ComparedBenchmark) => number | null,
): string | null {
  const value = asked ? read(asked) : null
  return value === null ? null : String(value)
}

interface Side {
  readonly asked: ComparedBenchmark | undefined
  readonly rows: readonly ComparedJudgement[]
}

/** Difference of the shares of replies that begin with a thought, from which on one side no longer thinks as the other does. */
const OTHER_HABIT = 0.2

/** No field where neither side thinks. Equal, unless mode or budget differ or one side stopped thinking. */
function thinking(
  before: readonly [ComparedRun, Side],
  after: readonly [ComparedRun, Side],
): Difference[] {
  const [one, two] = [thinkingOf(before), thinkingOf(after)]
  if ([one, two].every(({ mode, share }) => mode === null && share === 0)) return []
  const isSame =
    one.mode === two.mode &&
    one.budget === two.budget &&
    Math.abs(one.share - two.share) <= OTHER_HABIT
  return [{ field: 'thinking', before: thinkingText(one), after: thinkingText(isSame ? one : two) }]
}

function thinkingOf([run, { asked, rows }]: readonly [ComparedRun, Side]) {
  const thoughts = rows.filter(({ hasThought }) => hasThought === true).length
  return {
    mode: run.thinking ?? null,
    budget: asked?.decoding.maxThinkingTokens ?? null,
    share: rows.length === 0 ? 0 : thoughts / rows.length,
  }
}

const thinkingText = ({ mode, budget, share }: ReturnType<typeof thinkingOf>) =>
  [
    ...(mode === null ? [] : [mode]),
    `${percent(share)} of replies`,
    ...(budget === null ? [] : [`at most ${budget} tokens`]),
  ].join(', ')

/** By digest over the ordered prompts; by the samples' names where neither side has a digest. */
function promptSets(one: Side, two: Side): Difference {
  const [before, after] = [one.asked?.promptSetDigest ?? null, two.asked?.promptSetDigest ?? null]
  if (before !== null || after !== null) return { field: 'prompts', before, after }
  const [names, others] = [one, two].map(
    ({ rows }) => new Set(rows.map(({ sampleId }) => sampleId)),
  ) as [Set<string>, Set<string>]
  const extra = [...others].filter((name) => !names.has(name)).length
  const missing = [...names].filter((name) => !others.has(name)).length
  return {
    field: 'prompts',
    before: `${names.size} prompts`,
    after:
      extra + missing === 0
        ? `${others.size} prompts`
        : `${others.size} prompts, ${missing} missing and ${extra} new`,
  }
}

/** Prompt texts as the model saw them, or as logs without digests show them; one row for the first that differs. */
const promptTexts = ofRows((before, after): Difference[] => {
  const known = new Map(before.map((row) => [keyOf(row.sampleId, row.epoch), row]))
  for (const row of after) {
    const other = known.get(keyOf(row.sampleId, row.epoch))
    if (other === undefined) continue
    const digests = [other, row].map(({ promptDigest }) => promptDigest)
    const texts = [other, row].map(({ prompt }) => prompt)
    // Where the same digest stands beside two texts, one of them is wrong.
    const isDenied = digests[0] === digests[1] && !texts.includes(null) && texts[0] !== texts[1]
    const hasDigest = !isDenied && digests.some((digest) => digest !== null)
    const [one, two] = (hasDigest ? digests : texts) as [string | null, string | null]
    if (one === two) continue
    const name = (text: string | null) => (text === null ? null : `${row.sampleId}: ${text}`)
    return [{ field: 'prompt-text', before: name(one), after: name(two) }]
  }
  return []
})

/** Replies per prompt, counted in the rows; every format with rows has it. */
function samplesOf(rows: readonly ComparedJudgement[]): string | null {
  return rows.length === 0
    ? null
    : String(rows.reduce((most, { epoch }) => Math.max(most, epoch + 1), 1))
}

/** The versions of each side; where these agree, those of the first reply whose two versions do not. */
const versionsBetween = ofRows((before, after): readonly [string | null, string | null] => {
  const sides = [versionsOf(before), versionsOf(after)] as const
  if (sides[0] !== sides[1]) return sides
  const known = new Map(before.map((row) => [keyOf(row.sampleId, row.epoch), row.judgeVersion]))
  for (const { sampleId, epoch, judgeVersion } of after) {
    const other = known.get(keyOf(sampleId, epoch)) ?? judgeVersion
    if (other !== judgeVersion) return [`${sampleId}: ${other}`, `${sampleId}: ${judgeVersion}`]
  }
  return sides
})

function versionsOf(rows: readonly ComparedJudgement[]): string | null {
  const versions = [...new Set(rows.map(({ judgeVersion }) => judgeVersion))]
  return versions.length === 0 ? null : versions.sort().join(', ')
}
