/** @file Opens the judges of `--judge`: rules of the registry by name, and judges that ask a model. */
import type { ArtifactRow } from '../contract/rows.ts'
import { usageError } from '../errors/touchstone-error.ts'
import { localSubject } from '../inference/subject.ts'
import type { Judge } from '../judges/judge.ts'
import type { JudgeOpening, ModelJudgeKind } from '../judges/model-judge.ts'
import { findJudge, JUDGES, modelJudgeIn } from '../judges/registry.ts'
import type { Device } from '../runtime/device.ts'
import { identityOf, openBase, openOwnSession } from './base.ts'
import type { PreparedBenchmark } from './benchmark-sources.ts'
import type { EngineConfig, EvaluationConfig } from './config.ts'

export interface OpenJudges {
  readonly judges: readonly Judge[]
  /** Descriptions for the log. */
  readonly notes: readonly string[]
  close(): Promise<void>
}

type JudgeChoice = Pick<EvaluationConfig, 'judges' | 'sendReplies'> &
  Pick<EngineConfig, 'batchSize'>

type Prepared = Awaited<ReturnType<ModelJudgeKind['prepare']>>

/** A rule of the registry, or how to open a judge that asks a model. */
async function prepare(text: string): Promise<Judge | Prepared> {
  const found = modelJudgeIn(text)
  return found ? found.kind.prepare(found.choice) : findJudge(text)
}

/** Checks all names and files before opening any model; each judge opens its own. */
export async function openJudges(
  { judges: texts, sendReplies, batchSize }: JudgeChoice,
  device: Device,
  signal: AbortSignal,
): Promise<OpenJudges> {
  const prepared = await Promise.all(texts.map(prepare))
  const openModel = (path: string) => openJudgeModel(path, device, batchSize)
  const judges: Judge[] = []
  const notes: string[] = []
  const closing: (() => Promise<void>)[] = []
  const close = async () => {
    for (const each of closing.splice(0)) await each()
  }
  try {
    for (const each of prepared) {
      if (typeof each !== 'function') {
        judges.push(each)
        continue
      }
      const { judge, note, close: closeOne } = await each({ openModel, sendReplies, signal })
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

async function openJudgeModel(
  name: string,
  device: Device,
  batchSize: number,
): ReturnType<JudgeOpening['openModel']> {
  const base = await openBase(name, device, batchSize)
  try {
    const session = await openOwnSession(base, device)
    const { digest, open } = base
    const identity = identityOf(base, open, { arm: 'judge', title: `Judge: ${name}` })
    return {
      model: localSubject({ identity, open, session, varying: {}, batchSize }),
      identity: [digest, open.tokenizer.digest, open.template.digest],
      note: `${name} (${digest.slice(0, 12)})`,
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

/** Of judges that ask a model: which model it is, so that one under two names is known to be one. */
export const judgeRows = (judges: readonly Judge[]): ArtifactRow[] =>
  judges
    .filter((judge) => !JUDGES.includes(judge))
    .map(({ name, version, family = name }) => ({
      role: `judge ${name}`,
      ...{ path: name, digest: version, bytes: 0, content: { kind: 'judge', name, family } },
    }))

function refuseSameNames(judges: readonly Judge[]): void {
  const registered: readonly Judge[] = JUDGES
  const clash = judges.find(
    (judge, i) =>
      judges.findIndex(({ name }) => name === judge.name) < i ||
      registered.some((other) => other.name === judge.name && other !== judge),
  )
  if (!clash) return
  throw usageError(
    `Two judges are both named ${clash.name}.`,
    'Give one of them another "name" in its file.',
  )
}

/** Adds each judge to the benchmarks to which it applies, after their own judges; the verdict uses the first. */
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
