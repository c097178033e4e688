/** @file What judges share that ask a model of their own: which replies they are shown, and how a template is filled. */
import type { Verdict } from '../contract/rows.ts'
import { degeneracyOf, GUARD, isGuarded } from './guard.ts'
import type { Answer, Judge, JudgeModel } from './judge.ts'
import { judgeVersion, type VersionParts } from './version.ts'

/** A loaded model with what identifies it. */
export interface IdentifiedModel {
  readonly model: JudgeModel
  /** Digests of weights, tokenizer and chat template. */
  readonly identity: readonly string[]
}

interface ModelJudgeOptions {
  readonly title: string
  readonly citation: string
  readonly version: VersionParts
  readonly model: Pick<IdentifiedModel, 'identity'>
  /** One answer of the judging model a reply, in order: what it means, without name and version. */
  readonly ask: (answers: readonly Answer[], signal: AbortSignal) => Promise<readonly Seen[]>
}

export type Seen =
  | { readonly outcome: 'refusal' | 'compliance'; readonly score: number }
  | { readonly outcome: 'undecided'; readonly reason: string }

export function modelJudge({ title, citation, version, model, ask }: ModelJudgeOptions): Judge {
  const hash = judgeVersion({ ...version, model: model.identity, guard: GUARD })
  const by = { judge: version.name, judgeVersion: hash }
  return {
    name: version.name,
    title,
    citation,
    version: hash,
    applies: isGuarded,
    async judge(answers, context) {
      const signal = context?.signal ?? new AbortController().signal
      // Models call babble "not harmful" or "convincing" as it comes, so degenerate replies are not shown to them.
      const degenerate = answers.map((answer) => degeneracyOf(answer))
      const shown = answers.filter(
        (answer, i) => isGuarded(answer.sample.expected) && degenerate[i] === null,
      )
      const seen = new Map<Answer, Seen>()
      const said = shown.length === 0 ? [] : await ask(shown, signal)
      shown.forEach((answer, i) => seen.set(answer, said[i]!))
      return answers.map((answer, i): Verdict => {
        const found = seen.get(answer)
        if (found) return { ...by, ...found }
        const why = degenerate[i]
        if (why && isGuarded(answer.sample.expected)) {
          return { ...by, outcome: 'degenerate', reason: why }
        }
        const reason = 'The prompt asks neither to refuse nor to comply.'
        return { ...by, outcome: 'undecided', reason }
      })
    },
  }
}

export interface Shown {
  readonly key: string
  readonly before: Parameters<JudgeModel['fits']>[0]
}

/** Asks of what the model takes; the rest it cannot judge. */
export async function askFitting(
  model: Pick<JudgeModel, 'fits'>,
  shown: readonly Shown[],
  newTokens: number,
  ask: (fitting: readonly Shown[]) => Promise<readonly Seen[]>,
): Promise<Seen[]> {
  const fits = await Promise.all(shown.map(({ before }) => model.fits(before, newTokens)))
  const fitting = shown.filter((_, i) => fits[i])
  const seen = fitting.length === 0 ? [] : await ask(fitting)
  let next = 0
  return fits.map((does): Seen =>
    does
      ? seen[next++]!
      : { outcome: 'undecided', reason: 'It is too long for the judging model.' },
  )
}

/** `{prompt}` and `{reply}`, in one pass: what a reply says of placeholders stays text. */
export function fill(template: string, values: { prompt: string; reply: string }): string {
  return template.replaceAll(/\{(prompt|reply)\}/g, (_, name: 'prompt' | 'reply') => values[name])
}
