/**
 * @file A panel: fine-tunes of one base that are asked the same. What one member is asked is put to all who listen, in one
 * pass through a stack, and the others' answers are kept until they are asked it too. So each is a model like any other,
 * and who asks need not know.
 */
import type { CachedSession } from './cached-graph.ts'
import { evenWidth } from './feeds.ts'
import type { GeneratedTokens, TokenPrompt } from './decoding.ts'
import { scoreOpenings } from './openings.ts'
import { scoreTexts, type ScoredText } from './score.ts'
import { rowBytes } from './slots.ts'
import { tokenModel, type TokenModel, type Writing } from './token-model.ts'

export interface Panel {
  member(k: number): TokenModel
  /** Who will be asked what another is asked; all at first. Answers that nobody has come for are let go. */
  listen(members: readonly number[]): void
}

interface PanelOptions {
  /** Of a stack of `count` adapters. */
  readonly session: CachedSession
  readonly count: number
  readonly padId: number
  /** Rows of one member side by side; together there are as many of them as the cache bears. */
  readonly batchSize: number
}

/** Memory for keys and values while all members write. */
const CACHE_BYTES = 512 * 2 ** 20

export function createPanel(options: PanelOptions): Panel {
  const all = Array.from({ length: options.count }, (_, k) => k)
  const shared = { session: options.session, varying: {}, padId: options.padId }
  const kept = createKept()
  let listening: readonly number[] = all
  const whoHears = (k: number) =>
    [k, ...listening.filter((other) => other !== k)].sort((a, b) => a - b)

  async function* write(
    k: number,
    prompts: readonly TokenPrompt[],
    writing: Writing,
  ): AsyncGenerator<GeneratedTokens[]> {
    // Drawn answers have random numbers of their own, member by member, so nobody else is asked the same.
    const isGreedy = writing.decoding.temperature === 0
    const question = JSON.stringify(['write', writing.decoding, prompts.map(({ ids }) => ids)])
    const known = kept.take<GeneratedTokens[]>(question, k)
    if (known) {
      yield known
      return
    }
    const members = isGreedy ? whoHears(k) : [k]
    const others = new Map(
      members.filter((each) => each !== k).map((each) => [each, [] as GeneratedTokens[]]),
    )
    const batchSize = rowsAtOnce(options, prompts, writing, members.length)
    const asked = tokenModel({ ...shared, batchSize }).generate(rowsOf(prompts, members), writing)
    for await (const batch of asked) {
      const own: GeneratedTokens[] = []
      for (const each of batch) {
        const answer = { ...each, index: Math.floor(each.index / members.length) }
        const member = members[each.index % members.length]!
        ;(others.get(member) ?? own).push(answer)
      }
      yield own
    }
    kept.put(question, others)
  }

  const scoring =
    (kind: string, score: typeof scoreTexts) =>
    async (k: number, texts: readonly ScoredText[], signal: AbortSignal) => {
      const question = JSON.stringify([kind, texts.map(({ ids, from }) => [from, ids])])
      const known = kept.take<Float32Array[]>(question, k)
      if (known) return known
      const members = whoHears(k)
      const { batchSize } = options
      const found = await score(rowsOf(texts, members), { ...shared, batchSize, signal })
      const answers = new Map(
        members.map((member, m) => [member, found.filter((_, i) => i % members.length === m)]),
      )
      const own = answers.get(k)!
      answers.delete(k)
      kept.put(question, answers)
      return own
    }
  const score = scoring('score', scoreTexts)
  const openings = scoring('openings', scoreOpenings)

  return {
    member: (k) => ({
      generate: (prompts, writing) => write(k, prompts, writing),
      score: (texts, signal) => score(k, texts, signal),
      openings: (texts, signal) => openings(k, texts, signal),
    }),
    listen(members) {
      listening = members
      kept.clear()
    },
  }
}

/** Each row once for every member, rows that are alike side by side: row i is of member i modulo their number. */
const rowsOf = <Row>(rows: readonly Row[], members: readonly number[]) =>
  rows.flatMap((row) => members.map((adapter) => ({ ...row, adapter })))

function rowsAtOnce(
  { session, batchSize }: PanelOptions,
  prompts: readonly TokenPrompt[],
  { decoding }: Writing,
  members: number,
): number {
  const longest = Math.max(0, ...prompts.map(({ ids }) => ids.length))
  const capacity = evenWidth(longest) + decoding.maxNewTokens
  return maxRows(batchSize, members, rowBytes(session.cache, capacity))
}

/** Rows that write side by side, where each takes so many bytes of cache. */
export const maxRows = (batchSize: number, members: number, bytesOfRow: number): number =>
  Math.max(batchSize, Math.min(Math.floor(CACHE_BYTES / bytesOfRow), batchSize * members))

/** Answers by question and by the member who has not yet come for them. */
function createKept() {
  const questions = new Map<string, Map<number, unknown>>()
  return {
    /** The answer goes with whoever takes it. */
    take<Answer>(question: string, member: number): Answer | undefined {
      const answers = questions.get(question)
      const answer = answers?.get(member) as Answer | undefined
      answers?.delete(member)
      if (answers?.size === 0) questions.delete(question)
      return answer
    },
    put(question: string, answers: Map<number, unknown>): void {
      if (answers.size > 0) questions.set(question, answers)
    },
    clear: () => questions.clear(),
  }
}
