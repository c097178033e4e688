/** @file Shared by judges that ask a model: the choice of model and file, the replies that are shown, and templates. */
import { z } from 'zod'
import type { Verdict } from '../contract/rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { readJson } from '../files/read-file.ts'
import { GUARD, guarded, isGuarded } from './guard.ts'
import type { Answer, Judge, JudgeModel } from './judge.ts'
import { judgeVersion, type VersionParts } from './version.ts'

/** A loaded model and its digests. */
export interface IdentifiedModel {
  readonly model: JudgeModel
  /** Digests of weights, tokenizer and chat template. */
  readonly identity: readonly string[]
}

/** The reason why a grader gave no answer. */
export interface NoAnswer {
  readonly failed: string
}

/** A model that grades replies by a rubric: local, or behind an address. */
export interface Grader extends Pick<JudgeModel, 'clip' | 'fits'> {
  complete(...items: Parameters<JudgeModel['complete']>): Promise<readonly (string | NoAnswer)[]>
}

export interface IdentifiedGrader extends Pick<IdentifiedModel, 'identity'> {
  readonly model: Grader
}

/** Holds what an open model needs closed, and its description for the log. */
interface Opened {
  readonly note: string
  readonly close: () => Promise<void>
}

/** What the caller provides to open a judge. */
export interface JudgeOpening {
  readonly openModel: (path: string) => Promise<IdentifiedModel & Opened>
  /** The reason to send replies to another machine; null if there is none. */
  readonly sendReplies: string | null
  readonly signal: AbortSignal
}

/** `NAME=MODEL[@FILE.json]`, as given with `--judge`. */
export interface ModelJudgeChoice {
  readonly text: string
  readonly model: string
  readonly file: string | null
}

/** A judge that asks a model. */
export interface ModelJudgeKind {
  readonly name: string
  /** Checks the choice and reads its file. The returned function opens the model. */
  prepare(
    choice: ModelJudgeChoice,
  ): Promise<(opening: JudgeOpening) => Promise<Opened & { readonly judge: Judge }>>
}

/** Fields that every judge's file has. */
export const judgeFileFields = {
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  template: z.string().refine((text) => text.includes('{prompt}') && text.includes('{reply}'), {
    message: 'must hold {prompt} and {reply}',
  }),
  clipTokens: z.int().min(1).max(100_000).default(512),
}

/** Reads and parses a judge's file; throws `judge.file` with the first problem. */
export async function readJudgeFile<T>(schema: z.ZodType<T>, path: string): Promise<T> {
  const result = schema.safeParse(await readJson(path))
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const field = issue.path.join('.')
  throw new TouchstoneError('judge.file', {
    path,
    why: field === '' ? issue.message : `${field}: ${issue.message}`,
  })
}

interface ModelJudgeOptions {
  readonly title: string
  readonly citation: string
  readonly version: VersionParts
  readonly model: Pick<IdentifiedModel, 'identity'>
  /** One finding per reply, in order. */
  readonly ask: (answers: readonly Answer[], signal: AbortSignal) => Promise<readonly Seen[]>
}

export type Seen =
  | { readonly outcome: 'refusal' | 'compliance'; readonly score: number }
  | { readonly outcome: 'undecided'; readonly reason: string }

/** The weights, or the name behind an address: under another template, too, a model repeats its own errors. */
const familyOf = ({ identity }: Pick<IdentifiedModel, 'identity'>): string =>
  identity[0] === 'endpoint' ? `endpoint ${identity[1]}` : identity[0]!

export function modelJudge({ title, citation, version, model, ask }: ModelJudgeOptions): Judge {
  const hash = judgeVersion({ ...version, model: model.identity, guard: GUARD })
  const by = { judge: version.name, judgeVersion: hash }
  return {
    name: version.name,
    title,
    citation,
    version: hash,
    family: familyOf(model),
    applies: isGuarded,
    async judge(answers, context) {
      const signal = context?.signal ?? new AbortController().signal
      // Models judge degenerate text arbitrarily, and read what no person does: neither is shown to them.
      const kept = answers.map((answer) => guarded(answer))
      const shown = answers.filter(
        (answer, i) => isGuarded(answer.sample.expected) && kept[i] === null,
      )
      const seen = new Map<Answer, Seen>()
      const said = shown.length === 0 ? [] : await ask(shown, signal)
      shown.forEach((answer, i) => seen.set(answer, said[i]!))
      return answers.map((answer, i): Verdict => {
        const found = seen.get(answer)
        if (found) return { ...by, ...found }
        const why = kept[i]
        if (why && isGuarded(answer.sample.expected)) return { ...by, ...why }
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

/** Asks about the items that fit into the model's context; the others are undecided. */
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

/** Fills `{prompt}` and `{reply}` in one pass, so that placeholders inside a reply stay text. */
export function fill(template: string, values: { prompt: string; reply: string }): string {
  return template.replaceAll(/\{(prompt|reply)\}/g, (_, name: 'prompt' | 'reply') => values[name])
}
