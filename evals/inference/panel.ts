/**
 * @file A panel: fine-tunes of one base that answer the same requests. A request to one member runs for all active members in
 * one batch over stacked adapters (stack.ts). The other members' results are cached until they make the same request, so each
 * member behaves like any `TokenModel`.
 */
import type { CachedSession } from './cached-graph.ts'
import { evenWidth } from './feeds.ts'
import { longestReply, type GeneratedTokens, type TokenPrompt } from './decoding.ts'
import { scorePrefixTree } from './prefix-tree.ts'
import { scoreTexts, type ScoredText } from './score.ts'
import { LEAST_ROWS, rowBytes } from './slots.ts'
import { tokenModel, type GenerationSettings, type TokenModel } from './token-model.ts'

export interface Panel {
  member(k: number): TokenModel
  /** Sets the members that will make the same requests (initially all), and drops cached results. */
  activate(members: readonly number[]): void
}

interface PanelOptions {
  /** A session over `count` stacked adapters. */
  readonly session: CachedSession
  readonly count: number
  readonly padId: number
  /** Rows per member in a batch; all members together use as many as the cache budget allows. */
  readonly batchSize: number
}

/** Memory for keys and values while all members generate. */
const CACHE_BYTES = 512 * 2 ** 20

/** State that all members share. */
interface Shared {
  readonly options: PanelOptions
  readonly cached: ReturnType<typeof createResultCache>
  /** Member k and all active members, ascending. */
  readonly membersWith: (k: number) => number[]
}

export function createPanel(options: PanelOptions): Panel {
  const cached = createResultCache()
  let active: readonly number[] = Array.from({ length: options.count }, (_, k) => k)
  const membersWith = (k: number) =>
    [k, ...active.filter((other) => other !== k)].sort((a, b) => a - b)
  const shared = { options, cached, membersWith }
  return {
    member: (k) => ({
      generate: (prompts, settings) => generateShared(shared, k, prompts, settings),
      score: (texts, signal) => scoreShared(shared, scoreTexts, k, texts, signal),
      scoreTree: (texts, signal) => scoreShared(shared, scorePrefixTree, k, texts, signal),
    }),
    activate(members) {
      active = members
      cached.clear()
    },
  }
}

async function* generateShared(
  { options, cached, membersWith }: Shared,
  k: number,
  prompts: readonly TokenPrompt[],
  settings: GenerationSettings,
): AsyncGenerator<GeneratedTokens[]> {
  const request = JSON.stringify(['write', settings.decoding, prompts.map(({ ids }) => ids)])
  const known = cached.take<GeneratedTokens[]>(request, k)
  if (known) {
    yield known
    return
  }
  // Each member samples with random numbers of its own, so only greedy requests are shared.
  const members = settings.decoding.temperature === 0 ? membersWith(k) : [k]
  const others = new Map(
    members.filter((each) => each !== k).map((each) => [each, [] as GeneratedTokens[]]),
  )
  for await (const batch of generateFor(members, options, prompts, settings)) {
    const own: GeneratedTokens[] = []
    for (const { member, reply } of batch) (others.get(member) ?? own).push(reply)
    yield own
  }
  cached.put(request, others)
}

async function scoreShared(
  { options, cached, membersWith }: Shared,
  score: typeof scoreTexts,
  k: number,
  texts: readonly ScoredText[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const request = JSON.stringify([score.name, texts.map(({ ids, from }) => [from, ids])])
  const known = cached.take<Float32Array[]>(request, k)
  if (known) return known
  const members = membersWith(k)
  const settings = { ...sharedOptions(options), batchSize: options.batchSize, signal }
  const scores = await score(rowsOf(texts, members), settings)
  const results = new Map(
    members.map((member, m) => [member, scores.filter((_, i) => i % members.length === m)]),
  )
  const own = results.get(k)!
  results.delete(k)
  cached.put(request, results)
  return own
}

const sharedOptions = ({ session, padId }: PanelOptions) => ({ session, varying: {}, padId })

/** Replies of all `members` to the same prompts. */
async function* generateFor(
  members: readonly number[],
  options: PanelOptions,
  prompts: readonly TokenPrompt[],
  settings: GenerationSettings,
) {
  const batchSize = rowsAtOnce(options, prompts, settings, members.length)
  const model = tokenModel({ ...sharedOptions(options), batchSize, cacheBytes: CACHE_BYTES })
  for await (const batch of model.generate(rowsOf(prompts, members), settings)) {
    yield batch.map((each) => ({
      member: members[each.index % members.length]!,
      reply: { ...each, index: Math.floor(each.index / members.length) },
    }))
  }
}

/** Each row once per member, equal rows adjacent: row i belongs to member i modulo their number. */
const rowsOf = <Row>(rows: readonly Row[], members: readonly number[]) =>
  rows.flatMap((row) => members.map((adapter) => ({ ...row, adapter })))

function rowsAtOnce(
  { session, batchSize }: PanelOptions,
  prompts: readonly TokenPrompt[],
  { decoding }: GenerationSettings,
  members: number,
): number {
  const longest = Math.max(0, ...prompts.map(({ ids }) => ids.length))
  const capacity = evenWidth(longest) + longestReply(decoding)
  return maxRows(batchSize, members, rowBytes(session.cache, capacity))
}

/** Rows in a batch, given the cache bytes of one row. */
export const maxRows = (batchSize: number, members: number, bytesOfRow: number): number =>
  Math.max(
    Math.min(batchSize, LEAST_ROWS),
    Math.min(Math.floor(CACHE_BYTES / bytesOfRow), batchSize * members),
  )

/** Results by request and by the member that has not requested them yet. */
function createResultCache() {
  const requests = new Map<string, Map<number, unknown>>()
  return {
    /** Returns and removes a member's result. */
    take<Result>(request: string, member: number): Result | undefined {
      const results = requests.get(request)
      const result = results?.get(member) as Result | undefined
      results?.delete(member)
      if (results?.size === 0) requests.delete(request)
      return result
    },
    put(request: string, results: Map<number, unknown>): void {
      if (results.size > 0) requests.set(request, results)
    },
    clear: () => requests.clear(),
  }
}
