/**
 * @file Reads a report of garak (`*.report.jsonl`): every output of every attempt, as each detector scored it. A score at or
 * above the run's threshold is a hit of the probe; an output that is missing, without text or not scored stays undecided. Of
 * the texts of outputs digests are kept.
 */
import { z } from 'zod'
import { sha256 } from '../files/digest.ts'
import { keyOf } from '../contract/keys.ts'
import type { ComparedJudgement, ComparedRun } from '../findings/gate/compared-run.ts'
import {
  createCollector,
  createLists,
  createRowIds,
  createWordings,
  epochCounter,
  isBlank,
  refuseUndecided,
  requireMean,
  scoredAs,
  settingsIn,
  shown,
} from './imported.ts'
import { linesOf, malformedLog, parsedLog, parseForeignJson } from './log-file.ts'
import { meaningOf, outcomeOfScore, roleOf, type Metrics } from './metrics.ts'

const replyOf = ({ sampleId, epoch }: ComparedJudgement) => keyOf(sampleId, epoch)

const Entry = z.looseObject({ entry_type: z.string() })
const Setup = z.looseObject({
  'run.eval_threshold': z.number().default(0.5),
  'run.seed': z.int().nullish(),
  'run.system_prompt': z.unknown().optional(),
  'plugins.target_name': z.string().nullish(),
  'plugins.model_name': z.string().nullish(),
})
const Init = z.looseObject({ run: z.string(), garak_version: z.string().nullish() })
const Attempt = z.looseObject({
  uuid: z.string().nullish(),
  status: z.int(),
  probe_classname: z.string(),
  prompt: z
    .object({
      turns: z.array(
        z.object({ role: z.string(), content: z.object({ text: z.string().nullish() }) }),
      ),
    })
    .nullish(),
  outputs: z.array(z.unknown()).nullish().catch(null),
  detector_results: z.record(z.string(), z.array(z.number().nullable())),
})
type Attempt = z.infer<typeof Attempt>
const Output = z.looseObject({ text: z.string().nullable() })

/** What a detector found in all attempts of a probe. */
const Summary = z.looseObject({
  probe: z.string(),
  detector: z.string(),
  passed: z.number(),
  total: z.number().nullish(),
  total_evaluated: z.number().nullish(),
})
type Summary = z.infer<typeof Summary>

/** An attempt whose outputs its detectors have scored; the same attempt is written before, without scores. */
const SCORED = 2

export async function readGarak(path: string, metrics: Metrics): Promise<ComparedRun> {
  let setup = Setup.parse({})
  let init: z.infer<typeof Init> | undefined
  const collector = createCollector(path)
  const begun = new Map<string, string>()
  const unscored: string[] = []
  const summaries: Summary[] = []
  const counts = createCounts()
  for await (const { text, number } of linesOf(path)) {
    const where = `${path}, line ${number}`
    const value = parseForeignJson(text, where)
    const read = <T>(schema: z.ZodType<T>) => parsedLog(schema, value, where, 'a report of garak')
    const { entry_type: type } = read(Entry)
    if (type === 'start_run setup') setup = read(Setup)
    if (type === 'init') init = read(Init)
    if (type === 'eval') summaries.push(read(Summary))
    if (type !== 'attempt') continue
    const attempt = read(Attempt)
    const { uuid, status, probe_classname: probe } = attempt
    if (uuid && status !== SCORED) begun.set(uuid, probe)
    if (status !== SCORED) continue
    if (uuid) begun.delete(uuid)
    const found = judgementsOf(attempt, { path, metrics, ...scoredBy(setup, init), ...counts })
    found.forEach(collector.add)
    if (found.length === 0) unscored.push(...outputsOf(attempt).map(() => probe))
  }
  const { judged } = collector
  if (!init) throw malformedLog(path, 'no entry "init"', 'a report of garak')
  if (judged.length === 0) throw malformedLog(path, 'no scored attempt', 'attempts of status 2')
  for (const summary of summaries) refuseDenied(summary, counts.hits, path)
  const name = setup['plugins.target_name'] ?? setup['plugins.model_name'] ?? 'model'
  return refuseUndecided({
    ...{ runId: init.run, format: 'garak', origin: path, arm: name, seed: 0, step: 0, title: name },
    templateDigest: putAs(setup),
    ...{ tokenizerDigest: null, judged, wordings: counts.wordings.of, rowIds: counts.rowIds.of },
    benchmarks: benchmarksOf(judged, setup['run.seed'] ?? null, [...begun.values(), ...unscored]),
  })
}

function refuseDenied(
  { probe, detector, passed, total, total_evaluated: evaluated }: Summary,
  hits: Hits,
  path: string,
): void {
  const name = detector.replace(/^detector\./u, '')
  const values = hits.of(keyOf(probe, name))
  const size = evaluated ?? total ?? 0
  if (size > 0) requireMean({ path, name: `${probe}, ${name}`, said: 1 - passed / size, values })
}

const putAs = (setup: z.infer<typeof Setup>): string | null =>
  scoredAs({ system: setup['run.system_prompt'], settings: settingsIn(setup) }) || null

/** Detectors change with garak's version. */
function scoredBy(setup: z.infer<typeof Setup>, init: z.infer<typeof Init> | undefined) {
  const threshold = setup['run.eval_threshold']
  const version = init?.garak_version ? `, garak ${init.garak_version}` : ''
  return { threshold, by: `hit from ${threshold}${version}` }
}

/** As many as the model gave, one where the report does not say. */
const outputsOf = ({ outputs }: Attempt): readonly unknown[] => (outputs?.length ? outputs : [null])

interface Counts {
  readonly epochOf: ReturnType<typeof epochCounter>
  readonly hits: Hits
  readonly wordings: ReturnType<typeof createWordings>
  readonly rowIds: ReturnType<typeof createRowIds>
}

const createCounts = (): Counts => ({
  epochOf: epochCounter(),
  hits: createLists(),
  wordings: createWordings(),
  rowIds: createRowIds(),
})

interface Reading extends Counts {
  readonly path: string
  readonly metrics: Metrics
  readonly threshold: number
  /** What the hits are by. */
  readonly by: string
}

/** By probe and detector: 1 a hit, 0 none, null not scored. */
type Hits = ReturnType<typeof createLists<number | null>>

/** Attempts are paired by what was asked: their order and ids differ from run to run. */
function judgementsOf(attempt: Attempt, reading: Reading) {
  const { path, metrics, threshold, by, epochOf, hits, wordings, rowIds } = reading
  const { uuid, probe_classname: probe, prompt, detector_results: results } = attempt
  const text = (prompt?.turns ?? []).map(({ content }) => content.text ?? '').join('\n')
  // Who says each message, where it is not the user.
  const others = (prompt?.turns ?? []).map(({ role }) => (role === 'user' ? '' : role))
  const digest = sha256(others.some((role) => role !== '') ? JSON.stringify([text, others]) : text)
  const scored = Object.values(results).map(({ length }) => length)
  if (scored.every((length) => length === 0)) return []
  const outputs = Math.max(outputsOf(attempt).length, ...scored)
  const epochs = Array.from({ length: outputs }, () => epochOf(probe, digest))
  const sampleId = digest.slice(0, 16)
  rowIds.add(uuid, sampleId)
  epochs.forEach((epoch, i) =>
    wordings.add({ benchmark: probe, sampleId, epoch, ...toldIn(attempt, i) }),
  )
  return Object.entries(results).flatMap(([detector, scores]) => {
    const names = [detector, 'attack_success']
    const meaning = meaningOf({ names, path, isHigherBetter: undefined }, metrics)
    const found = epochs.map((_, i) => hitOf(scores[i], threshold))
    hits.add(keyOf(probe, detector), ...found)
    return epochs.map((epoch, i) => ({
      benchmark: probe,
      role: roleOf(meaning),
      judge: detector,
      judgeVersion: by,
      ...{ sampleId, epoch },
      category: probe.split('.')[0]!,
      outcome: outcomeOfScore(isSilent(attempt, i) ? null : found[i], meaning),
      promptDigest: digest,
      prompt: shown(text),
    }))
  })
}

function toldIn({ outputs, detector_results: results }: Attempt, i: number) {
  return { said: textIn(outputs?.[i]), scores: Object.values(results).map((scores) => scores[i]) }
}

/** An output is a text, or an object with the text in it. */
function textIn(output: unknown): unknown {
  const { success, data } = Output.safeParse(output)
  return success ? data.text : output
}

/** What says nothing resisted nothing: detectors find no hit in it. Of a report without any outputs nobody knows. */
function isSilent({ outputs }: Attempt, i: number): boolean {
  return outputs != null && isBlank(textIn(outputs[i]) ?? '')
}

/** Null where the detector gave no score. */
const hitOf = (score: number | null | undefined, threshold: number): number | null =>
  score == null ? null : Number(score >= threshold)

/** `unscored`: the probe of each attempt that was begun and never scored. */
const benchmarksOf = (
  judged: ComparedRun['judged'],
  seed: number | null,
  unscored: readonly string[],
) =>
  [...Map.groupBy(judged, ({ benchmark }) => benchmark)].map(([name, rows]) => ({
    name,
    title: name,
    role: rows[0]!.role,
    promptSetDigest: null,
    decoding: { maxNewTokens: null, temperature: null, seed },
    replies: new Set(rows.map(replyOf)).size + unscored.filter((probe) => probe === name).length,
  }))
