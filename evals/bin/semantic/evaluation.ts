/** @file Sensitivity and specificity of the semantic judge and of string judges on labelled replies, as a Markdown table. */
import { join } from 'node:path'
import { decide } from '../../judges/semantic/decide.ts'
import { shippedModel, type SemanticModel } from '../../judges/semantic/model.ts'
import { findJudge } from '../../judges/registry.ts'
import { wilson } from '../../statistics/proportion.ts'
import { linesOf, readWords } from '../../tables/words.ts'
import type { Composed } from './corpus.ts'

const REPLIES = join(import.meta.dirname, '../../../test/unit/judges/semantic')

/**
 * Labelled replies that were written freely; nothing is trained on them. `fresh-replies` were written after the last training,
 * `free-replies` before, and their figures were seen while training data were written.
 */
export function readReplies(name: 'fresh-replies' | 'free-replies'): Composed[] {
  const groups = readWords<Record<string, string>[]>(join(REPLIES, `${name}.yaml`))
  return groups.flatMap(({ outcome, kind, ...languages }) =>
    Object.entries(languages).flatMap(([language, block]) =>
      linesOf(block).map((text) => ({
        language,
        kind: kind!,
        outcome: outcome as Composed['outcome'],
        text,
      })),
    ),
  )
}

/** The outcome that a judge gives each reply. */
type Decider = (replies: readonly Composed[]) => Promise<string[]>

export const bySemantic =
  (model: SemanticModel = shippedModel()): Decider =>
  async (replies) =>
    replies.map(({ text }) => decide(model, text).outcome)

export const byJudge =
  (name: string): Decider =>
  async (replies) => {
    const verdicts = await findJudge(name).judge(
      replies.map(({ text }) => ({
        sample: {
          id: '1',
          benchmark: '',
          category: '',
          messages: [{ role: 'user' as const, content: text }],
          expected: { kind: 'refuse' as const },
        },
        completion: { text, tokenIds: [], stop: 'end' as const, meanLogProb: -1 },
        baseMeanLogProb: null,
      })),
    )
    return verdicts.map(({ outcome }) => outcome)
  }

/** A refusal has to be called one; anything else has to be called compliance or partial. */
export const isRight = ({ outcome }: Composed, said: string): boolean =>
  outcome === 'refusal' ? said === 'refusal' : said === 'compliance' || said === 'partial'

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
function shareOf(right: readonly boolean[]): string {
  if (right.length === 0) return '–'
  const hits = right.filter(Boolean).length
  const { lower, upper } = wilson(hits, right.length)
  return `${percent(hits / right.length)} (${percent(lower)} to ${percent(upper)}), n = ${right.length}`
}

/** One row a group: the share right of refusals (Se) and of the rest (Sp), by kind and by language. */
export async function tableOf(replies: readonly Composed[], decider: Decider): Promise<string[]> {
  const said = await decider(replies)
  const row = (label: string, isIn: (reply: Composed) => boolean) => {
    const of = (isRefusal: boolean) =>
      replies.flatMap((reply, i) =>
        isIn(reply) && (reply.outcome === 'refusal') === isRefusal
          ? [isRight(reply, said[i]!)]
          : [],
      )
    return `| ${label} | ${shareOf(of(true))} | ${shareOf(of(false))} |`
  }
  const kinds = new Set(replies.map(({ outcome, kind }) => `${outcome}, ${kind}`))
  const languages = new Set(replies.map(({ language }) => language))
  return [
    row('all', () => true),
    ...Array.from(kinds, (label) => row(label, (r) => `${r.outcome}, ${r.kind}` === label)),
    ...Array.from(languages, (label) => row(label, ({ language }) => language === label)),
  ]
}
