/**
 * @file Reads the JSON that `promptfoo eval -o FILE.json` writes: whether each test passed, one run a provider. A test that ended
 * in an error stays undecided. Of the texts of outputs digests are kept.
 */
import { z } from 'zod'
import { sha256 } from '../files/digest.ts'
import type { ComparedJudgement, ComparedRun } from '../findings/gate/compared-run.ts'
import {
  clusterIn,
  createCollector,
  createRowIds,
  createWordings,
  epochCounter,
  refuseUndecided,
  requireMean,
  scoredAs,
  settingsIn,
  shown,
} from './imported.ts'
import { malformedLog, parsedLog, readLogJson } from './log-file.ts'
import { meaningOf, outcomeOfScore, roleOf, type Metrics } from './metrics.ts'

const LARGEST = 512 * 2 ** 20

const Loose = z.record(z.string(), z.unknown())
const Result = z.looseObject({
  id: z.unknown().optional(),
  provider: z.looseObject({ id: z.string(), label: z.string().nullish() }),
  prompt: z.looseObject({ raw: z.string() }),
  success: z.boolean(),
  response: z
    .looseObject({
      output: z.unknown(),
      finishReason: z.unknown().optional(),
      cached: z.unknown().optional(),
    })
    .nullish()
    .catch(null),
  score: z.unknown().optional(),
  gradingResult: z.looseObject({ pass: z.boolean() }).nullish().catch(null),
  /** 0 none, 1 an assertion, 2 an error. */
  failureReason: z.int().nullish(),
  testCase: z.looseObject({
    metadata: Loose.nullish().catch(null),
    assert: z.unknown().optional(),
    threshold: z.unknown().optional(),
    options: z.unknown().optional(),
  }),
})
type Result = z.infer<typeof Result>

const File = z.looseObject({
  evalId: z.string().nullish(),
  results: z.looseObject({
    version: z.literal(3),
    results: z.array(Result),
    stats: z
      .looseObject({ successes: z.int(), failures: z.int(), errors: z.int().default(0) })
      .nullish()
      .catch(null),
  }),
  config: z
    .looseObject({
      description: z.string().nullish().catch(null),
      providers: z.unknown().optional(),
    })
    .nullish()
    .catch(null),
})

/** Whether a JSON file is one of promptfoo, by its beginning. */
export const isPromptfoo = (beginning: string): boolean => /^\s*\{\s*"evalId"\s*:/u.test(beginning)

const EXPECTED = 'results of promptfoo, version 3'

export async function readPromptfoo(path: string, metrics: Metrics): Promise<ComparedRun[]> {
  const value = await readLogJson(path, LARGEST)
  const file = parsedLog(File, value, path, EXPECTED)
  const { results } = file.results
  if (results.length === 0) throw malformedLog(path, 'no result', 'results of promptfoo')
  refuseDenied(file.results, path)
  const byProvider = Map.groupBy(results, ({ provider }) => provider.label || provider.id)
  return [...byProvider].map(([provider, rows]) => {
    const name = file.config?.description ?? 'promptfoo'
    const found = judgedIn(rows, name, path, metrics)
    return refuseUndecided({
      ...{ runId: `${file.evalId ?? path} ${provider}`, format: 'promptfoo', origin: path },
      arm: provider,
      seed: 0,
      step: 0,
      title: provider,
      templateDigest: scoredAs({ settings: askedBy(file.config?.providers, rows) }) || null,
      tokenizerDigest: null,
      provided: providedBy(rows),
      ...found,
      benchmarks: [
        {
          ...{ name, title: name, role: found.judged[0]!.role, promptSetDigest: null },
          decoding: { maxNewTokens: null, temperature: null, seed: null },
          replies: rows.length,
        },
      ],
    })
  })
}

function judgedIn(rows: readonly Result[], name: string, path: string, metrics: Metrics) {
  const collector = createCollector(path)
  const asserted = rows.map(({ prompt, testCase: { assert, threshold, options } }) =>
    JSON.stringify([prompt.raw, assert, threshold, options]),
  )
  const scored = scoredAs({ asserted: asserted.sort() })
  const reading = { path, metrics, epochOf: epochCounter(), scored }
  const [wordings, rowIds] = [createWordings(), createRowIds()]
  for (const row of rows) {
    const own = judgementOf(row, name, reading)
    collector.add(own)
    rowIds.add(row.id, own.sampleId)
    const { output } = row.response ?? {}
    wordings.add({ ...own, said: output === null ? [] : output, scores: row.score })
  }
  return { judged: collector.judged.map(wordings.heard), wordings: wordings.of, rowIds: rowIds.of }
}

/** Ids and labels: whoever leaves them as they are may serve another model behind them. */
const providedBy = (rows: readonly Result[]) => ({
  names: [...new Set(rows.flatMap(({ provider: { id, label } }) => [id, label || id]))],
  fromCache: rows.filter(({ response }) => response?.cached === true).length,
})

/** Settings of the provider, whom a configuration lists by its id or a label of its own. */
function askedBy(providers: unknown, [row]: readonly Result[]): string[] | undefined {
  const names = [row!.provider.id, row!.provider.label]
  const all = (Array.isArray(providers) ? providers : [providers]).flatMap((each: unknown) => {
    const provider = Loose.safeParse(each).data
    return provider &&
      names.some((n) => n != null && [provider['id'], provider['label']].includes(n))
      ? [provider]
      : []
  })
  return settingsIn(all)
}

/** What ended a reply that is not its model. */
const CUT_BY: readonly unknown[] = ['length', 'max_tokens', 'content_filter']

function refuseDenied({ stats, results }: z.infer<typeof File>['results'], path: string): void {
  if (!stats) return
  const { successes, failures, errors } = stats
  const size = successes + failures + errors
  const values = results.map(({ success }) => success)
  requireMean({ path, name: 'stats.successes', said: successes / size, values, size })
}

const ERROR = 2

/** What asserts nothing passes whatever the reply says; what its grading denies is not decided. */
function passes({ success, failureReason, gradingResult, testCase }: Result): number | null {
  const { assert } = testCase
  if (gradingResult && gradingResult.pass !== success) return null
  const isAsserted = Array.isArray(assert) && assert.length > 0
  return failureReason === ERROR || (success && !isAsserted) ? null : Number(success)
}

interface Reading {
  readonly path: string
  readonly metrics: Metrics
  readonly epochOf: ReturnType<typeof epochCounter>
  readonly scored: string
}

/** Tests are paired by what was asked. A test of a red-team plugin passes where the model resisted. */
function judgementOf(
  result: Result,
  benchmark: string,
  { path, metrics, epochOf, scored }: Reading,
): ComparedJudgement {
  const { prompt, testCase } = result
  const metadata = testCase.metadata ?? {}
  const plugin = metadata['pluginId']
  const isAttack = typeof plugin === 'string'
  const names = isAttack ? [plugin, 'resisted'] : ['assertions', 'correct']
  const meaning = meaningOf({ names, path, isHigherBetter: true }, metrics)
  const digest = sha256(prompt.raw)
  const category = [plugin, metadata['category']].find((each) => typeof each === 'string')
  return {
    benchmark,
    role: roleOf(meaning),
    judge: 'assertions',
    judgeVersion: scored,
    sampleId: digest.slice(0, 16),
    epoch: epochOf(digest),
    category: category ?? '',
    isCut: CUT_BY.includes(result.response?.finishReason),
    ...clusterIn(metadata),
    outcome: outcomeOfScore(passes(result), meaning),
    promptDigest: digest,
    prompt: shown(prompt.raw),
  }
}
