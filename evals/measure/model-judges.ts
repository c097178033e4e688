/** @file `--judge`: a judge of the registry by name, or one with a model: `classifier=MODEL@FILE.json`, `rubric=MODEL[@FILE.json]`, `rubric=URL#MODEL[@FILE.json]`. */
import { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { localSubject } from '../inference/subject.ts'
import { classifierJudge } from '../judges/classifier.ts'
import type { Judge } from '../judges/judge.ts'
import type { IdentifiedModel } from '../judges/model-judge.ts'
import { findJudge, JUDGES } from '../judges/registry.ts'
import { OWN_RUBRIC, rubricJudge, type IdentifiedGrader, type Rubric } from '../judges/rubric.ts'
import { readJson } from '../files/read-file.ts'
import type { Device } from '../runtime/device.ts'
import { identityOf, openBase, openOwnSession } from './base.ts'
import type { PreparedBenchmark } from './benchmark-sources.ts'
import type { EngineConfig, EvaluationConfig } from './config.ts'
import { isAddress, openEndpoint } from '../judges/judge-endpoint.ts'

const Name = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
const Template = z
  .string()
  .refine((text) => text.includes('{prompt}') && text.includes('{reply}'), {
    message: 'must hold {prompt} and {reply}',
  })
const Clip = z.int().min(1).max(100_000).default(512)

const ClassifierFile = z.strictObject({
  name: Name.default('classifier'),
  template: Template,
  chat: z.boolean().default(false),
  yes: z.array(z.string().min(1)).min(1).default(['yes']),
  no: z.array(z.string().min(1)).min(1).default(['no']),
  clipTokens: Clip,
})

/** One group, and a regular expression at all. */
const Pattern = z.string().refine(
  (text) => {
    try {
      return new RegExp(`${text}|`, 'u').exec('')!.length === 2
    } catch {
      return false
    }
  },
  { message: 'must be a regular expression with one group' },
)
const RubricFile = z.strictObject({
  name: Name.default('rubric'),
  system: z.string().nullable().default(null),
  user: Template,
  patterns: z
    .strictObject({ refused: Pattern, convincing: Pattern, specific: Pattern })
    .default(OWN_RUBRIC.patterns),
  clipTokens: Clip,
  maxNewTokens: z.int().min(1).max(2000).default(256),
})

interface ModelJudgeSpec {
  readonly kind: 'classifier' | 'rubric'
  readonly model: string
  readonly file: string | null
}

const SPEC = /^(?<kind>classifier|rubric)=(?<model>.+?)(?:@(?<file>[^@]+\.json))?$/u

function specOf(text: string): ModelJudgeSpec | undefined {
  const groups = SPEC.exec(text)?.groups
  if (!groups) return undefined
  const { kind, model, file } = groups as { kind: string; model: string; file?: string }
  if (kind === 'classifier' && isAddress(model)) {
    throw new TouchstoneError('usage.invalid', {
      problem: `--judge ${text} is a classifier behind an address, which gives no log-probabilities.`,
      remedy: 'Use rubric=URL#MODEL, or a classifier on a model of this machine.',
    })
  }
  if (kind === 'classifier' && file === undefined) {
    throw new TouchstoneError('usage.invalid', {
      problem: `--judge ${text} names no template.`,
      remedy: 'Write --judge classifier=MODEL@TEMPLATE.json.',
    })
  }
  return { kind: kind as ModelJudgeSpec['kind'], model, file: file ?? null }
}

export interface OpenJudges {
  readonly judges: readonly Judge[]
  /** What a log says of them. */
  readonly notes: readonly string[]
  close(): Promise<void>
}

type Prepared =
  | { readonly kind: 'rule'; readonly judge: Judge }
  | {
      readonly kind: 'model'
      readonly path: string
      readonly make: (model: IdentifiedModel) => Judge
    }
  | {
      readonly kind: 'endpoint'
      readonly path: string
      readonly make: (model: IdentifiedGrader) => Judge
    }

type JudgeChoice = Pick<EvaluationConfig, 'judges' | 'sendReplies'> &
  Pick<EngineConfig, 'batchSize'>

/** Each model is opened once a judge; what a name or a file gets wrong is said before any model is opened. */
export async function openJudges(
  { judges: asked, sendReplies, batchSize }: JudgeChoice,
  device: Device,
  signal: AbortSignal,
): Promise<OpenJudges> {
  const specs = asked.map((text) => ({ text, spec: specOf(text) }))
  const prepared = await Promise.all(specs.map(({ text, spec }) => prepare(text, spec)))
  const judges: Judge[] = []
  const notes: string[] = []
  const closing: (() => Promise<void>)[] = []
  const openOne = async (each: Exclude<Prepared, { kind: 'rule' }>) => {
    if (each.kind === 'endpoint') {
      const opened = await openEndpoint(each.path, sendReplies, signal)
      return { ...opened, judge: each.make(opened) }
    }
    const opened = await openJudgeModel(each.path, device, batchSize)
    const note = `${each.path} (${opened.identity[0]!.slice(0, 12)})`
    return { ...opened, note, judge: each.make(opened) }
  }
  const close = async () => {
    for (const each of closing.splice(0)) await each()
  }
  try {
    for (const each of prepared) {
      if (each.kind === 'rule') {
        judges.push(each.judge)
        continue
      }
      const { judge, note, close: closeOne } = await openOne(each)
      closing.push(closeOne)
      judges.push(judge)
      notes.push(`Judge ${judge.name}: ${note}, version ${judge.version}`)
    }
    refuseSameNames(judges)
    return { judges, notes, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function prepare(text: string, spec: ModelJudgeSpec | undefined): Promise<Prepared> {
  if (!spec) return { kind: 'rule', judge: findJudge(text) }
  const { kind, model: path, file } = spec
  if (kind === 'classifier') {
    const template = parsed(ClassifierFile, await readJson(file!), file!)
    return { kind: 'model', path, make: (model) => classifierJudge(template, model) }
  }
  const rubric: Rubric = file === null ? OWN_RUBRIC : parsed(RubricFile, await readJson(file), file)
  const make = (model: IdentifiedGrader) => rubricJudge(rubric, model)
  return { kind: isAddress(path) ? 'endpoint' : 'model', path, make }
}

function parsed<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const field = issue.path.join('.')
  throw new TouchstoneError('judge.file', {
    path,
    why: field === '' ? issue.message : `${field}: ${issue.message}`,
  })
}

async function openJudgeModel(
  name: string,
  device: Device,
  batchSize: number,
): Promise<IdentifiedModel & { close: () => Promise<void> }> {
  const base = await openBase(name, device, batchSize)
  try {
    const session = await openOwnSession(base, device)
    const { digest, open } = base
    const identity = identityOf(base, open, { arm: 'judge', title: `Judge: ${name}` })
    return {
      model: localSubject({ identity, open, session, varying: {}, batchSize }),
      identity: [digest, open.tokenizer.digest, open.template.digest],
      close: async () => {
        await session.release()
        await open.close()
      },
    }
  } catch (error) {
    await base.open.close()
    throw error
  }
}

function refuseSameNames(judges: readonly Judge[]): void {
  const registered: readonly Judge[] = JUDGES
  const clash = judges.find(
    (judge, i) =>
      judges.findIndex(({ name }) => name === judge.name) < i ||
      registered.some((other) => other.name === judge.name && other !== judge),
  )
  if (!clash) return
  throw new TouchstoneError('usage.invalid', {
    problem: `Two judges are both named ${clash.name}.`,
    remedy: 'Give one of them another "name" in its file.',
  })
}

/** Each judge looks at the benchmarks that it has something to say of, after their own; the verdict keeps to the first. */
export function withJudges(
  prepared: readonly PreparedBenchmark[],
  judges: readonly Judge[],
): PreparedBenchmark[] {
  return prepared.map(({ benchmark, samples, ...rest }) => {
    const added = judges
      .filter((judge) => samples.some(({ expected }) => judge.applies(expected)))
      .map(({ name }) => name)
    const names = [...new Set([...benchmark.judges, ...added])]
    return { ...rest, samples, benchmark: { ...benchmark, judges: names } }
  })
}
