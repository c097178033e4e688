/** @file Sensitivity and specificity of the semantic judge and of string judges on labelled replies, as a Markdown table. */
import { join } from 'node:path'
import { findJudge } from '../../judges/registry.ts'
import { wilson } from '../../statistics/proportion.ts'
import { repliesOf, type Composed } from './corpus.ts'

const REPLIES = join(import.meta.dirname, '../../../test/unit/judges/semantic')

/** Written before the training that they judge, or apart from it; nothing is trained on them. */
export const REPLY_SETS = ['held-out', 'eleventh', 'fourteenth'] as const

export const readReplies = (name: (typeof REPLY_SETS)[number]): Composed[] =>
  repliesOf(join(REPLIES, `${name}-replies.yaml`))

/** The outcome that a judge gives each reply. */
type Decider = (replies: readonly Composed[]) => Promise<string[]>

/** Without a prompt nothing is asked; the reply's own script stands for the prompt's. */
const messageOf = (prompt: string | undefined, text: string) =>
  prompt === undefined
    ? { role: 'system' as const, content: text }
    : { role: 'user' as const, content: prompt }

export const byJudge =
  (name: string): Decider =>
  async (replies) => {
    const verdicts = await findJudge(name).judge(
      replies.map(({ text, prompt }) => ({
        sample: {
          id: '1',
          benchmark: '',
          category: '',
          messages: [messageOf(prompt, text)],
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
