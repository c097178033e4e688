/** @file Compares shipped artefacts with what was measured: a base with its fine-tune. */
import { join } from 'node:path'
import { usageError } from '../../errors/touchstone-error.ts'
import type { CachedSession } from '../../inference/cached-graph.ts'
import type { ScoredText } from '../../inference/score.ts'
import { sha256OfFile } from '../../files/digest.ts'
import { exists } from '../../files/read-file.ts'
import { SINGLE_FILE } from '../../models/formats/hf-folder.ts'
import { ADAPTER_WEIGHTS } from '../../models/formats/peft-folder.ts'
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
import { beyond, isNear, limitsOf, type Limits, type Stored } from './limits.ts'
import {
  agreementOf,
  answersOfAll,
  distancesOn,
  together,
  type Agreement,
  type Answers,
  type LoadedState,
  type Distance,
  type TextDistance,
} from './measure.ts'
import { textFaults, type Fault } from './text-faults.ts'
import { compareWeights, type Read, type WeightsFound } from './weight-check.ts'
import {
  configurationFault,
  firstFailing,
  layerGroups,
  tiedHead,
  weightFaults,
  type Located,
} from './weight-faults.ts'

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

/** What was measured. */
export interface MeasuredDigests {
  readonly weights: string
  /** Null for a base and a whole fine-tune. */
  readonly adapter: string | null
  /** Of a fine-tune's file of weights, which an audit names that kept it; null where there is no such file. */
  readonly file: string | null
}

export interface Certificate {
  readonly path: string
  readonly measured: MeasuredDigests
  readonly outcome: 'PASS' | 'FAIL'
  readonly storage: readonly StorageType[]
  readonly digest: string
  readonly tokenizerDigest: string
  readonly templateDigest: string
  readonly distance: Distance
  readonly agreement: Agreement
  /** The numbers themselves; null where the artefact names its weights otherwise. */
  readonly weights: WeightsFound | null
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
  /** The base's, with a fine-tune's own configuration. */
  readonly model: Model
  readonly read: Read
  readonly digests: MeasuredDigests
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
  use: (measured: Omit<Reference, 'prepared' | 'answers'>) => Promise<T>,
): Promise<T> {
  const variables = templateVariablesOf(templateVars)
  const base = await openBase(model, chooseDevice('cpu'), 1, 'fp32', undefined, variables)
  try {
    const tuned = candidate && (await openCandidate(base, candidate, 'reference'))
    const read: Read = tuned
      ? (name) => tuned.weights.read(name)
      : (name) => base.weights.get(name)!
    const measured = tuned ? tuned.base.model : base.model
    const identity = tuned ? tuned.identity : { weightsDigest: base.digest, adapterDigest: null }
    const digests = {
      weights: identity.weightsDigest,
      adapter: identity.adapterDigest,
      file: candidate && (await fileDigest(candidate)),
    }
    const session = await sessionOf(base, measured, read)
    try {
      return await use({
        base,
        model: measured,
        read,
        digests,
        asked: { session, open: base.open },
      })
    } finally {
      await session.release()
    }
  } finally {
    await base.open.close()
  }
}

async function fileDigest(path: string): Promise<string | null> {
  for (const name of [ADAPTER_WEIGHTS, SINGLE_FILE])
    if (await exists(join(path, name))) return sha256OfFile(join(path, name))
  return null
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
  /** Its own; undefined for an adapter, which has the base's. */
  readonly model?: Model
  readonly open: Pick<OpenModel, 'tokenizer' | 'template'>
  readonly storage: readonly StorageType[]
  /** Bytes and storage of each weight that is stored. */
  readonly stored: readonly Stored[]
  readonly digest: string
  close(): Promise<void>
}

/** An adapter uses the base's tokenizer, template and configuration, a model its own. */
async function openArtefact(base: Base, named: string): Promise<Artefact> {
  const path = modelPath(named)
  if (await exists(join(path, 'adapter_config.json'))) {
    const { identity, weights, openSession: asked } = await openCandidate(base, path, 'artefact')
    const read: Read = (name) => weights.read(name)
    const own = { openSession: asked, open: base.open, read, stored: [] }
    const close = () => Promise.resolve()
    return { ...own, digest: identity.adapterDigest!, storage: ['F32'], close }
  }
  const { model, open, weights } = await loadModel(
    path,
    'fp32',
    undefined,
    base.open.template.variables,
  )
  const isNamed = carriesSameWeights(base, model, path)
  const stored = [...open.checkpoint.weights.values()]
  return {
    open,
    model,
    stored,
    openSession: () => openOwnSession({ model, weights }, base.device),
    read: isNamed ? (name) => weights.get(name)! : undefined,
    storage: [...new Set(stored.map(({ storage }) => storage))],
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
    const limits = { ...limitsOf(artefact.stored), ...asked }
    const said = await saidBy(reference, { session, open: artefact.open }, signal)
    const { distance, distances, agreement } = said
    const over = beyond(distance, agreement, limits)
    const weights = artefact.read ? weightsOf(reference, artefact, artefact.read) : null
    const found = numbersWrong(reference, artefact, weights)
    const isFar = found.faults.length === 0 && !isNear(distance, limits)
    const located = isFar ? await locate(reference, artefact, distances, limits) : found
    const faults = [...said.texts, ...located.faults]
    return {
      path,
      measured: reference.digests,
      outcome: over.length > 0 || faults.length > 0 ? 'FAIL' : 'PASS',
      storage: artefact.storage,
      digest: artefact.digest,
      tokenizerDigest: artefact.open.tokenizer.digest,
      templateDigest: artefact.open.template.digest,
      distance,
      agreement,
      weights,
      limits,
      beyond: over,
      faults,
      firstFailing: located.layer,
    }
  } finally {
    await session.release()
    await artefact.close()
  }
}

/** Logits of the measured replies, replies and verdicts of its own, and the text that it is given. */
async function saidBy(reference: Reference, state: LoadedState, signal: AbortSignal) {
  const { prepared, answers, base } = reference
  const distances = await distancesOf(reference, state.session)
  const own = await answersOfAll(state, prepared, signal)
  const conversations = prepared.flatMap(({ samples }) => samples.map((each) => each.messages))
  return {
    distances,
    distance: together(distances.map((each) => each.distance)),
    agreement: agreementOf(answers, own),
    texts: await textFaults(base.open, state.open, conversations),
  }
}

function weightsOf(reference: Reference, artefact: Artefact, found: Read): WeightsFound {
  const { base, model, read } = reference
  const storages = new Map(artefact.stored.map(({ name, storage }) => [name, storage]))
  return compareWeights({
    model,
    base: (name) => base.weights.get(name),
    reference: read,
    found,
    storageOf: (name) => storages.get(name) ?? 'F32',
    head: artefact.model ? tiedHead(model, artefact.model) : null,
  })
}

/** What is wrong whatever is asked: weights and settings. */
function numbersWrong(
  { model }: Reference,
  artefact: Artefact,
  weights: WeightsFound | null,
): Located {
  const located = weights ? weightFaults(model, weights) : { layer: null, faults: [] }
  const own = artefact.model
  const setting = own && !own.graph && !model.graph ? configurationFault(model, own) : null
  return { ...located, faults: [...located.faults, ...(setting ? [setting] : [])] }
}

interface Measured {
  readonly text: ScoredText
  readonly distance: TextDistance
}

/** On the tokens of the reference's prompts and replies, so that only the weights differ. */
async function distancesOf(
  { answers, asked }: Reference,
  session: LoadedState['session'],
): Promise<Measured[]> {
  const replies = answers.flatMap((each) => each.replies)
  const texts = replies.flatMap(({ written }) => written ?? [])
  const distances = await distancesOn(texts, asked.session, session)
  return texts.map((text, i) => ({ text, distance: distances[i]! }))
}

const NO_READING = 'its weights carry other names than those that were measured'

/** Of weights that are as measured, on the prompt with the largest difference. */
async function locate(
  reference: Reference,
  artefact: Artefact,
  distances: readonly Measured[],
  limits: Limits,
): Promise<Located> {
  const { base, model, read } = reference
  const found = artefact.read
  if (!found) return { layer: null, faults: [{ kind: 'graph', what: NO_READING }] }
  const off = ({ distance }: Measured) => together([distance]).meanKl / limits.meanKl
  const worst = distances.reduce((a, b) => (off(b) > off(a) ? b : a))
  const failsWith = async (swapped: ReadonlySet<string>) => {
    const mixed: Read = (name) => (swapped.has(name) ? found(name) : read(name))
    const session = await sessionOf(base, model, mixed)
    try {
      const far = await distancesOn([worst.text], reference.asked.session, session)
      return !isNear(together(far), limits)
    } finally {
      await session.release()
    }
  }
  const group = await firstFailing(layerGroups(model), failsWith)
  if (group) return { layer: group.title, faults: [{ kind: 'rounding', what: TOO_COARSE }] }
  const what = `the weights are those that were measured: ${cause(artefact)}`
  return {
    layer: null,
    faults: [{ kind: artefact.model?.graph ? 'graph' : 'configuration', what }],
  }
}

const TOO_COARSE =
  'no weight is off by more than its storage rounds away: the storage is too coarse'
const cause = ({ model }: Artefact) =>
  model?.graph ? 'the graph computes otherwise' : 'config.json makes the difference'
