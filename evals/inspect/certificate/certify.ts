/** @file Compares shipped artefacts with what was measured: a base with its fine-tune. */
import { join } from 'node:path'
import { usageError } from '../../errors/touchstone-error.ts'
import type { CachedSession } from '../../inference/cached-graph.ts'
import { exists } from '../../files/read-file.ts'
import { loadModel } from '../../models/load.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import type { StorageType } from '../../models/weights/storage.ts'
import type { Model } from '../../models/registry.ts'
import { templateVariablesOf } from '../../models/text/template-variables.ts'
import { chooseDevice } from '../../runtime/device.ts'
import { openBase, openOwnSession, openSession, type Base } from '../../measure/base.ts'
import { prepareBenchmarks, type PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import { carriesSameWeights, openCandidate } from '../../measure/candidate.ts'
import { modelPath } from '../../models/model-path.ts'
import { beyond, isNear, finenessOf, type Limits } from './limits.ts'
import {
  agreementOf,
  answersOfAll,
  distanceOn,
  together,
  type Agreement,
  type Answers,
  type LoadedState,
  type Distance,
} from './measure.ts'
import { textFaults, type Fault } from './text-faults.ts'
import { firstFailing, layerGroups, weightFault, type Read } from './weight-faults.ts'

interface CertifyTask {
  readonly model: string
  /** What was measured: an adapter or a whole fine-tune; null for the base itself. */
  readonly candidate: string | null
  readonly artefacts: readonly string[]
  readonly suite: readonly string[]
  /** Prompts of each benchmark. */
  readonly limit: number
  /** As the option `--template-vars`. */
  readonly templateVars?: string | null
  readonly limits: Partial<Limits>
}

export interface Certificate {
  readonly path: string
  readonly outcome: 'PASS' | 'FAIL'
  readonly storage: readonly StorageType[]
  readonly digest: string
  readonly tokenizerDigest: string
  readonly templateDigest: string
  readonly distance: Distance
  readonly agreement: Agreement
  readonly limits: Limits
  /** Exceeded limits, for people. */
  readonly beyond: readonly string[]
  readonly faults: readonly Fault[]
  /** The first place where the weights exceed the limits; null if they do not. */
  readonly firstFailing: string | null
}

/** The measured model, opened once for all artefacts. */
interface Reference {
  readonly base: Base
  readonly read: Read
  readonly asked: LoadedState
  readonly prepared: readonly PreparedBenchmark[]
  readonly answers: readonly Answers[]
}

/** What was measured, opened: a base, or a fine-tune of it. */
export async function withMeasured<T>(
  {
    model,
    candidate,
    templateVars = null,
  }: Pick<CertifyTask, 'model' | 'candidate' | 'templateVars'>,
  use: (measured: { base: Base; read: Read; asked: LoadedState }) => Promise<T>,
): Promise<T> {
  const variables = templateVariablesOf(templateVars)
  const base = await openBase(model, chooseDevice('cpu'), 1, 'fp32', undefined, variables)
  try {
    const tuned = candidate && (await openCandidate(base, candidate, 'reference'))
    const read: Read = tuned
      ? (name) => tuned.weights.read(name)
      : (name) => base.weights.get(name)!
    const session = await sessionOf(base, tuned ? tuned.base.model : base.model, read)
    try {
      return await use({ base, read, asked: { session, open: base.open } })
    } finally {
      await session.release()
    }
  } finally {
    await base.open.close()
  }
}

export async function certify(task: CertifyTask, signal: AbortSignal): Promise<Certificate[]> {
  const prepared = await promptsOf(task.suite, task.limit)
  return withMeasured(task, async (measured) => {
    const answers = await answersOfAll(measured.asked, prepared, signal)
    const reference = { ...measured, prepared, answers }
    const all: Certificate[] = []
    for (const path of task.artefacts)
      all.push(await certifyOne(reference, path, task.limits, signal))
    return all
  })
}

/** Prompts with generated replies only; a choice among options has no reply to compare. */
export async function promptsOf(
  suite: readonly string[],
  limit: number,
): Promise<PreparedBenchmark[]> {
  const choice = { suite: [...suite], limit, map: null, maxNewTokens: null }
  const isWritten = ({ samples }: PreparedBenchmark) =>
    samples.length > 0 && samples.every(({ expected }) => expected.kind !== 'choice')
  const prepared = (await prepareBenchmarks(choice)).filter(isWritten)
  if (prepared.length > 0) return prepared
  throw usageError(
    'None of the named prompts is answered in words.',
    'Name a suite with replies: --prompts house or --prompts general.',
  )
}

const sessionOf = ({ device }: Base, model: Model, read: Read) =>
  openSession(
    { model, frozen: new Map([...model.weights.keys()].map((name) => [name, read(name)])) },
    device,
  )

interface Artefact {
  readonly openSession: () => Promise<CachedSession>
  /** Its weights by the base's names; undefined if it uses other names. */
  readonly read: Read | undefined
  /** Whether it has its own forward pass instead of the base's with another configuration. */
  readonly isGraph: boolean
  readonly open: Pick<OpenModel, 'tokenizer' | 'template'>
  readonly storage: readonly StorageType[]
  readonly digest: string
  close(): Promise<void>
}

/** An adapter uses the base's tokenizer, template and configuration, a model its own. */
async function openArtefact(base: Base, named: string): Promise<Artefact> {
  const path = modelPath(named)
  if (await exists(join(path, 'adapter_config.json'))) {
    const { identity, weights, openSession: asked } = await openCandidate(base, path, 'artefact')
    const read: Read = (name) => weights.read(name)
    const own = { openSession: asked, open: base.open, read, isGraph: false }
    const close = () => Promise.resolve()
    return { ...own, digest: identity.adapterDigest!, storage: ['F32'], close }
  }
  const { model, open, weights } = await loadModel(
    path,
    'fp32',
    undefined,
    base.open.template.variables,
  )
  const isGraph = model.graph !== undefined
  const isNamed = carriesSameWeights(base, model, path)
  const stored = [...open.checkpoint.weights.values()].map(({ storage }) => storage)
  return {
    open,
    isGraph,
    openSession: () => openOwnSession({ model, weights }, base.device),
    read: isNamed ? (name) => weights.get(name)! : undefined,
    storage: [...new Set(stored)],
    digest: await open.checkpoint.digest(),
    close: () => open.close(),
  }
}

async function certifyOne(
  reference: Reference,
  path: string,
  asked: Partial<Limits>,
  signal: AbortSignal,
): Promise<Certificate> {
  const artefact = await openArtefact(reference.base, path)
  const session = await artefact.openSession()
  try {
    const { prepared, answers } = reference
    const limits = { ...finenessOf(artefact.storage).limits, ...asked }
    const distances = await distancesOf(reference, session)
    const distance = together(distances.map((each) => each.distance))
    const own = await answersOfAll({ session, open: artefact.open }, prepared, signal)
    const agreement = agreementOf(answers, own)
    const over = beyond(distance, agreement, limits)
    const conversations = prepared.flatMap(({ samples }) => samples.map((each) => each.messages))
    const faults = await textFaults(reference.base.open, artefact.open, conversations)
    const isFar = !isNear(distance, limits)
    const located = isFar ? await locate(reference, artefact, distances, limits) : null
    return {
      path,
      outcome: over.length > 0 || faults.length > 0 ? 'FAIL' : 'PASS',
      storage: artefact.storage,
      digest: artefact.digest,
      tokenizerDigest: artefact.open.tokenizer.digest,
      templateDigest: artefact.open.template.digest,
      distance,
      agreement,
      limits,
      beyond: over,
      faults: [...faults, ...(located ? [located.fault] : [])],
      firstFailing: located?.layer ?? null,
    }
  } finally {
    await session.release()
    await artefact.close()
  }
}

interface Measured {
  readonly ids: readonly number[]
  readonly distance: Distance
}

/** On the tokens of the reference's prompts and replies, so that only the weights differ. */
async function distancesOf(
  reference: Reference,
  session: LoadedState['session'],
): Promise<Measured[]> {
  const all: Measured[] = []
  const replies = reference.answers.flatMap((each) => each.replies)
  for (const ids of replies.flatMap(({ written }) => (written ? [written.ids] : [])))
    all.push({ ids, distance: await distanceOn(ids, reference.asked.session, session) })
  return all
}

/** On the prompt with the largest difference. */
async function locate(
  reference: Reference,
  artefact: Artefact,
  distances: readonly Measured[],
  limits: Limits,
): Promise<{ layer: string | null; fault: Fault }> {
  const { base, read } = reference
  const found = artefact.read
  if (!found) {
    const what = 'its weights carry other names than those that were measured'
    return { layer: null, fault: { kind: 'graph', what } }
  }
  const off = ({ distance: { maxLogit, meanKl } }: Measured) =>
    Math.max(maxLogit / limits.maxLogit, meanKl / limits.meanKl)
  const worst = distances.reduce((a, b) => (off(b) > off(a) ? b : a))
  const failsWith = async (swapped: ReadonlySet<string>) => {
    const mixed: Read = (name) => (swapped.has(name) ? found(name) : read(name))
    const session = await sessionOf(base, base.model, mixed)
    try {
      return !isNear(await distanceOn(worst.ids, reference.asked.session, session), limits)
    } finally {
      await session.release()
    }
  }
  const group = await firstFailing(layerGroups(base.model), failsWith)
  if (!group) {
    const kind = artefact.isGraph ? 'graph' : 'configuration'
    const cause = artefact.isGraph
      ? 'the graph computes otherwise'
      : 'config.json makes the difference'
    const what = `the weights are those that were measured: ${cause}`
    return { layer: null, fault: { kind, what } }
  }
  const weights = { base: (name: string) => base.weights.get(name)!, reference: read }
  const names = [...base.model.weights.keys()]
  const { rounding } = finenessOf(artefact.storage)
  const fault = weightFault(names, { ...weights, found }, rounding)
  return { layer: group.title, fault }
}
