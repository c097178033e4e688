/**
 * @file Reads an Inspect log with any compression that Inspect writes; texts in `attachments` are put back. One sample is in
 * memory at a time; only its judgement is kept.
 */
import { decodeText, malformedLog, parsedLog, parseForeignJson } from './log-file.ts'
import { z } from 'zod'
import { BENCHMARK_ROLES } from '../contract/rows.ts'
import { sha256 } from '../files/digest.ts'
import type { ComparedRun } from '../findings/gate/compared-run.ts'
import {
  clusterIn,
  createCollector,
  createLists,
  createRowIds,
  createWordings,
  isOutcome,
  refuseUndecided,
  requireMean,
  requireSameOutcome,
  scoredAs,
  settingsIn,
  shown,
  weightsIn,
} from './imported.ts'
import { OWN_METADATA, RATE_NAMES } from './inspect-write.ts'
import { meaningOf, meaningOfRole, outcomeOfScore, roleOf, type Metrics } from './metrics.ts'
import { openZip, type ZipArchive } from './zip-read.ts'

const Nullable = <T extends z.ZodType>(type: T) => type.nullish().catch(null)
const Text = Nullable(z.string())
const Whole = Nullable(z.int())

const Own = z.object({
  arm: z.string(),
  seed: z.int(),
  step: z.int(),
  title: z.string(),
  role: z.enum(BENCHMARK_ROLES),
  benchmarkDigest: Text,
  templateDigest: Text,
  tokenizerDigest: Text,
  weights: z.string().optional(),
  judge: Text,
  looks: Text,
})

const Header = z.object({
  version: z.number(),
  status: z.string().optional(),
  invalidated: z.unknown().optional(),
  plan: Nullable(z.looseObject({ steps: z.unknown().optional() })),
  eval: z.object({
    run_id: Text,
    task: z.string(),
    model: z.string(),
    model_base_url: Text,
    model_generate_config: Nullable(
      z.looseObject({ max_tokens: Whole, temperature: Nullable(z.number()), seed: Whole }),
    ),
    task_args: z.unknown().optional(),
    solver: z.unknown().optional(),
    solver_args: z.unknown().optional(),
    model_roles: z.unknown().optional(),
    model_args: z.unknown().optional(),
    task_version: z.unknown().optional(),
    scorers: Nullable(z.array(z.object({ name: z.string(), options: z.unknown().optional() }))),
    metadata: Nullable(z.record(z.string(), z.unknown())),
    dataset: Nullable(z.object({ samples: Whole, sample_ids: Nullable(z.array(z.unknown())) })),
    config: Nullable(z.object({ epochs: Whole, limit: z.unknown() })),
  }),
  results: Nullable(
    z.object({
      scores: z.array(
        z.object({
          name: z.string(),
          reducer: Text,
          metrics: z.record(z.string(), z.object({ value: z.unknown() })),
        }),
      ),
    }),
  ),
})
type Header = z.infer<typeof Header>

const Message = z.object({ role: z.string(), content: z.unknown() })
const Sample = z.object({
  uuid: z.unknown().optional(),
  id: z.union([z.string(), z.number()]),
  epoch: z.int().min(1),
  input: z.union([z.string(), z.array(Message)]),
  target: z.unknown().optional(),
  choices: Nullable(z.array(z.string())),
  scores: Nullable(
    z.record(
      z.string(),
      z.object({ value: z.unknown(), metadata: Nullable(z.record(z.string(), z.unknown())) }),
    ),
  ),
  metadata: Nullable(z.record(z.string(), z.unknown())),
  output: Nullable(
    z.object({
      choices: z.array(z.object({ stop_reason: Text, message: Nullable(Message) })),
      completion: Text,
    }),
  ),
  attachments: Nullable(z.record(z.string(), z.string())),
  events: Nullable(z.array(z.looseObject({ cache: z.unknown().optional() }))),
  error: z.unknown().optional(),
  limit: z.unknown().optional(),
  /** By whom and why it was called invalid afterwards. */
  invalidation: z.unknown().optional(),
})
type Sample = z.infer<typeof Sample>

export async function readInspectLog(path: string, metrics: Metrics): Promise<ComparedRun> {
  const zip = await openZip(path)
  try {
    const header = await readHeader(zip, path)
    const run = emptyRun(header, path)
    const collector = createCollector(path)
    const { task_version: version, scorers, model_roles: by } = header.eval
    const scored = scoredAs({ version, scorers, by: isEmpty(by) ? null : by })
    const values = createLists<unknown>()
    const wordings = createWordings()
    const rowIds = createRowIds()
    let [isMarked, fromCache] = [false, 0]
    for (const name of zip.names) {
      if (!/^samples\/.*\.json$/su.test(name)) continue
      const sample = await readEntry(Sample, zip, name, path)
      isMarked ||= sample.invalidation != null
      fromCache += Number(isOfCache(sample))
      for (const [judge, { value }] of Object.entries(sample.scores ?? {})) values.add(judge, value)
      judgementsOf(sample, run, { own: ownOf(header), metrics, scored }).forEach(collector.add)
      wordings.add(toldIn(sample, header.eval.task))
      rowIds.add(sample.uuid, String(sample.id))
    }
    refuseDenied(header, values, { path, epochs: epochsOf(collector.judged) })
    if (collector.judged.length === 0)
      throw malformedLog(path, 'no scored sample', 'samples/*.json')
    const replies = repliesOf(header, epochsOf(collector.judged))
    refuseUnended(header, replies, path)
    if (header.invalidated === true && !isMarked)
      throw malformedLog(path, 'a log called invalid, with no sample that is', 'a valid log')
    const { role } = collector.judged[0]!
    const benchmarks = run.benchmarks.map((row) => ({ ...row, role, replies }))
    const judged = collector.judged.map(wordings.heard)
    const provided = { names: [nameOf(header)], fromCache }
    const told = { wordings: wordings.of, rowIds: rowIds.of, provided }
    return refuseUndecided({ ...run, benchmarks, judged, ...told })
  } finally {
    zip.close()
  }
}

/** `generate(cache=True)` keeps replies by the model's name, its address, its settings and the prompt. */
const isOfCache = ({ events }: z.infer<typeof Sample>): boolean =>
  events?.some(({ cache }) => cache === 'read') ?? false
const nameOf = ({ eval: { model, model_base_url: address } }: Header): string =>
  address == null ? model : `${model} (${address})`

async function readEntry<T>(
  schema: z.ZodType<T>,
  zip: ZipArchive,
  name: string,
  path: string,
): Promise<T> {
  const where = `${path}: ${name}`
  const value = parseForeignJson(decodeText(await zip.read(name), where), where)
  return parsedLog(schema, value, where, 'an Inspect log')
}

async function readHeader(zip: ZipArchive, path: string): Promise<Header> {
  // An interrupted log has a journal but no header.
  const name = ['header.json', '_journal/start.json'].find((each) => zip.names.includes(each))
  if (name === undefined) throw malformedLog(path, 'no header.json', 'an Inspect log')
  const header = await readEntry(Header, zip, name, path)
  if (header.version !== 2) throw malformedLog(path, `version ${header.version}`, 'version 2')
  return header
}

function ownOf({ eval: { metadata } }: Header) {
  const own = Own.safeParse(metadata?.[OWN_METADATA])
  return own.success ? own.data : undefined
}

function emptyRun(header: Header, origin: string): ComparedRun {
  const { run_id, task, model, model_generate_config: config } = header.eval
  const own = ownOf(header)
  return {
    runId: run_id ?? origin,
    format: 'inspect',
    origin,
    arm: own?.arm ?? model,
    seed: own?.seed ?? 0,
    step: own?.step ?? 0,
    title: own?.title ?? model,
    templateDigest: own ? (own.templateDigest ?? null) : putAs(header),
    tokenizerDigest: own?.tokenizerDigest ?? null,
    ...weightsIn(own),
    benchmarks: [
      {
        name: task,
        title: task,
        role: own?.role ?? 'capability',
        promptSetDigest: own?.benchmarkDigest ?? null,
        ...(own?.looks != null && { looks: own.looks }),
        decoding: {
          maxNewTokens: config?.max_tokens ?? null,
          temperature: config?.temperature ?? null,
          seed: config?.seed ?? null,
        },
      },
    ],
    judged: [],
  }
}

const isEmpty = (value: unknown): boolean =>
  value == null || (typeof value === 'object' && Object.keys(value).length === 0)

/** Of how a model is asked, what is said elsewhere of it or changes no reply. */
const ASKED_ELSEWHERE = new Set(
  'max_tokens temperature seed max_retries timeout attempt_timeout max_connections adaptive_connections batch cache'.split(
    ' ',
  ),
)

/** A digest of what stands around the prompts: solvers with their arguments, the task's arguments, a system message. */
function putAs({ plan, eval: said }: Header): string | null {
  const asked = Object.entries(said.model_generate_config ?? {}).filter(
    ([name, value]) => !ASKED_ELSEWHERE.has(name) && value != null,
  )
  const { task_args: task, solver, solver_args: given } = said
  const settings = settingsIn(said.model_args)
  const known = { task, solver, given, steps: plan?.steps, asked, settings }
  return (
    scoredAs(Object.fromEntries(Object.entries(known).filter(([, value]) => !isEmpty(value)))) ||
    null
  )
}

const epochsOf = (judged: ComparedRun['judged']) =>
  judged.reduce((most, { epoch }) => Math.max(most, epoch + 1), 1)

/** Null if the log does not say how many samples a limit chose of the data set. */
function repliesOf({ eval: { dataset, config } }: Header, seen: number): number | null {
  const { limit } = config ?? {}
  const chosen = Array.isArray(limit) ? Number(limit[1]) - Number(limit[0]) : limit
  const most = typeof chosen === 'number' && Number.isFinite(chosen) ? chosen : null
  const whole = dataset?.samples ?? null
  const limited = whole !== null && most !== null ? Math.min(whole, most) : most
  const samples = dataset?.sample_ids?.length ?? (limit == null ? whole : limited)
  return samples === null ? null : samples * Math.max(config?.epochs ?? 1, seen)
}

/** Of a log that was interrupted nobody knows what is missing, where it does not say how many samples there were. */
function refuseUnended({ status = 'success' }: Header, replies: number | null, path: string): void {
  if (status === 'success' || replies !== null) return
  const found = `a log that ended as "${shown(status)}" and does not say how many samples there are`
  throw malformedLog(path, found, 'a log of status "success"')
}

/** What Inspect counts a letter as. */
const WORTH: Readonly<Record<string, number>> = { C: 1, P: 0.5, I: 0, N: 0 }
const MEANS = new Set(['accuracy', 'mean', ...Object.values(RATE_NAMES)])

/** A rate that is a mean has to be that of the samples, unless replies to one prompt are taken together in another way. */
function refuseDenied(
  { results }: Header,
  values: ReturnType<typeof createLists<unknown>>,
  { path, epochs }: { readonly path: string; readonly epochs: number },
): void {
  for (const { name, reducer, metrics } of results?.scores ?? []) {
    const own = values.of(name).map((value) => WORTH[String(value)] ?? value)
    // One reply is its own mean, median, mode and most.
    if (epochs > 1 && reducer != null && reducer !== 'mean') continue
    for (const [metric, { value: said }] of Object.entries(metrics))
      if (MEANS.has(metric)) requireMean({ path, name: `${name}, ${metric}`, said, values: own })
  }
}

/** Whatever ended a reply that is not its model. */
const CUT_BY = new Set(['max_tokens', 'model_length', 'content_filter'])
const isEnded = ({ limit, output }: Sample): boolean =>
  limit != null || CUT_BY.has(output?.choices[0]?.stop_reason ?? '')

interface Reading {
  readonly own: z.infer<typeof Own> | undefined
  readonly metrics: Metrics
  readonly scored: string
}

function judgementsOf(
  sample: Sample,
  { benchmarks, origin }: ComparedRun,
  { own, metrics, scored }: Reading,
) {
  const { name: benchmark } = benchmarks[0]!
  const primary = own?.judge ?? null
  const { category, promptDigest, outcome: stored } = sample.metadata ?? {}
  const scores = Object.entries(sample.scores ?? {})
  // In our own logs a missing score means undecided; the reply exists.
  if (scores.length === 0 && primary !== null && stored === 'undecided') {
    scores.push([primary, { value: null, metadata: { outcome: stored } }])
  }
  const text = [promptOf(sample), ...(sample.choices ?? [])].join('\n')
  const asked = [text, sample.target ?? null, ...besideWords(sample)]
  const meaning = (judge: string) => {
    if (own) return meaningOfRole(own.role)
    return meaningOf({ names: [judge], path: origin, isHigherBetter: undefined }, metrics)
  }
  return scores.map(([judge, { value, metadata }]) => {
    const meant = meaning(judge)
    const said = own && isOutcome(metadata?.['outcome']) ? metadata['outcome'] : undefined
    if (said) requireSameOutcome({ role: roleOf(meant), outcome: said, score: value }, origin)
    return {
      benchmark,
      role: roleOf(meant),
      judge,
      isCut: isEnded(sample),
      judgeVersion: textOr(metadata?.['judgeVersion'], scored),
      sampleId: String(sample.id),
      epoch: sample.epoch - 1,
      category: textOr(category, ''),
      ...clusterIn(sample.metadata ?? {}),
      outcome: isVoid(sample) ? ('undecided' as const) : (said ?? outcomeOfScore(value, meant)),
      promptDigest: textOr(promptDigest, sha256(JSON.stringify(asked))),
      prompt: shown(text),
    }
  })
}

/** What ended in an error was not answered, whatever a scorer made of it; nor does what somebody called invalid count. */
const isVoid = ({ error, invalidation }: Sample): boolean => error != null || invalidation != null

/** Every choice as text. Our own logs withhold replies, and say how likely they were. */
function toldIn(sample: Sample, benchmark: string) {
  const { id, epoch, output, scores, metadata } = sample
  const all = output?.choices.flatMap(({ message }) =>
    message ? contentText(message.content, resolverOf(sample)) : [],
  )
  return {
    ...{ benchmark, sampleId: String(id), epoch: epoch - 1 },
    said: all && all.length > 0 ? all : output?.completion,
    scores: [Object.values(scores ?? {}).map(({ value }) => value), metadata?.['meanLogProb']],
  }
}

const textOr = (value: unknown, other: string) => (typeof value === 'string' ? value : other)

const ATTACHMENT = /^(?:attachment|tc):\/\//

/** Puts `attachments` back. */
const resolverOf =
  ({ attachments }: Sample) =>
  (text: string): string =>
    ATTACHMENT.test(text) ? (attachments?.[text.replace(ATTACHMENT, '')] ?? text) : text

/** The input as text. */
function promptOf(sample: Sample): string {
  const { input } = sample
  const resolve = resolverOf(sample)
  if (typeof input === 'string') return resolve(input)
  return input.map(({ content }) => contentText(content, resolve)).join('\n')
}

/** What a prompt is beside its words: who says each message, where it is not the user, and pictures and the like. */
function besideWords({ input }: Sample): unknown[] {
  if (typeof input === 'string') return []
  return input.flatMap(({ role, content }, i) => [
    ...(role === 'user' ? [] : [[i, role]]),
    ...(Array.isArray(content) ? (content as unknown[]).filter((part) => !isTextPart(part)) : []),
  ])
}

function contentText(content: unknown, resolve: (text: string) => string): string {
  if (typeof content === 'string') return resolve(content)
  if (!Array.isArray(content)) return ''
  return content
    .map((part: unknown) => (isTextPart(part) ? resolve(part.text) : ''))
    .filter((text) => text !== '')
    .join('\n')
}

const isTextPart = (part: unknown): part is { text: string } =>
  typeof part === 'object' && part !== null && typeof (part as { text?: unknown }).text === 'string'
