/** @file The base model of a job: opened once, shared by every arm. */
import { sha256 } from '../files/digest.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { SubjectIdentity } from '../contract/rows.ts'
import type { Forward } from '../finetune/training/int8-forward.ts'
import type { ModelState, CachedSession } from '../inference/cached-graph.ts'
import { openState, openUnchanged } from '../inference/open-state.ts'
import { localSubject, type Subject } from '../inference/subject.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import type { WeightCache } from '../models/weights/converted-weights.ts'
import { loadModel, type LoadedModel } from '../models/load.ts'
import { classesOf, isEncoder, type Model } from '../models/registry.ts'
import type { TemplateVariables } from '../models/text/template-variables.ts'
import { overlaid, type Precision } from '../models/weights/small-weights.ts'
import type { TunedWeights } from '../models/weights/tuned-weights.ts'
import type { Device } from '../runtime/device.ts'
import type { Feeds } from '../runtime/tensor.ts'
import { modelPath } from '../models/model-path.ts'
import type { EngineConfig } from './config.ts'

/** Longest prompt with its reply, tokens; longer texts are an error. */
export const LONGEST = 2048

export interface Base extends LoadedModel {
  readonly path: string
  readonly device: Device
  readonly batchSize: number
  readonly digest: string
  /** Cache of converted weights, also for fine-tunes. */
  readonly cache?: WeightCache | undefined
  /** Forward pass in training; evaluation is always exact. */
  readonly forward?: Forward | undefined
}

export interface OpeningBase extends Omit<Base, 'digest'> {
  /** Computed in the background: reading the whole file takes seconds, and opening a graph leaves a core free. */
  readonly digest: Promise<string>
}

const isOfFile = (precision: Precision) => precision === 'fp32' || precision === 'blocks'

/** The device on which a model is asked as the configuration says. */
export const askedOn = (
  device: Device,
  { cachePrecision = 'float32' }: Partial<Pick<EngineConfig, 'cachePrecision'>>,
): Device => (cachePrecision === 'float32' ? device : { ...device, cache: cachePrecision })

/** Throws `cache.precision` where the model has no cache of ours. */
export function requireCache({ cache, name }: Pick<Device, 'cache' | 'name'>, model: Model): void {
  if (!cache) return
  const refuse = (why: string) => new TouchstoneError('cache.precision', { precision: cache, why })
  if (isEncoder(model)) throw refuse('an encoder keeps none')
  if (model.graph) throw refuse('an exported graph keeps them as it was written')
  if (name !== 'cpu') throw refuse(`on ${name} they are kept in float32`)
}

/** A base that can be opened before its digest is known. No result may be emitted before it is. Throws as `requireCache` does. */
export async function beginBase(
  name: string,
  device: Device,
  batchSize: number,
  precision: Precision = 'fp32',
  cache?: WeightCache,
  variables: TemplateVariables = {},
): Promise<OpeningBase> {
  const loaded = await loadModel(modelPath(name), precision, cache, variables)
  try {
    requireCache(device, loaded.model)
  } catch (error) {
    await loaded.open.close()
    throw error
  }
  // With other weights than the file's it is another base; its blocks are the file's.
  const digest = loaded.open.checkpoint
    .digest()
    .then((stored) => (isOfFile(precision) ? stored : sha256(`${precision} of ${stored}`)))
  // The error reaches whoever awaits the digest.
  digest.catch(() => undefined)
  return { ...loaded, path: name, device, batchSize, digest, cache }
}

export async function openBase(...asked: Parameters<typeof beginBase>): Promise<Base> {
  const opening = await beginBase(...asked)
  return { ...opening, digest: await opening.digest }
}

export const openSession = (state: ModelState, device: Device): Promise<CachedSession> =>
  openState(state, device, LONGEST)

/** The base with these weights in memory. */
export const stateWith = (
  { model }: Pick<Base, 'model'>,
  read: (name: string) => Float32Array,
): ModelState => ({
  model,
  frozen: new Map([...model.weights.keys()].map((name) => [name, read(name)])),
})

/** The base with a fine-tune's weights; what the fine-tune leaves as it was stays where it is kept. */
export function tunedState(base: Pick<Base, 'model' | 'weights'>, tuned: TunedWeights): ModelState {
  if (!tuned.changed) return stateWith(base, (name) => tuned.read(name))
  const changed = new Map([...tuned.changed].map((name) => [name, tuned.read(name)]))
  return { model: base.model, frozen: overlaid(base.weights, changed) }
}

/** Of a model as stored. */
export const openOwnSession = (
  loaded: Pick<LoadedModel, 'model' | 'weights'>,
  device: Device,
): Promise<CachedSession> => openUnchanged(loaded, device, LONGEST)

export const identityOf = (
  {
    path,
    parameters,
    digest,
    model,
    device,
  }: Pick<Base, 'path' | 'parameters' | 'digest'> & Partial<Pick<Base, 'model' | 'device'>>,
  { tokenizer, template }: Pick<OpenModel, 'tokenizer' | 'template'>,
  own: Partial<SubjectIdentity> & Pick<SubjectIdentity, 'arm' | 'title'>,
): SubjectIdentity => ({
  seed: 0,
  path,
  method: null,
  weightsDigest: digest,
  adapterDigest: null,
  tokenizerDigest: tokenizer.digest,
  templateDigest: template.digest,
  ...(Object.keys(template.variables ?? {}).length > 0 && {
    templateVariables: { ...template.variables },
  }),
  ...(template.thinking && { thinking: template.thinking.mode }),
  ...(device?.cache && { cachePrecision: device.cache }),
  parameters,
  trainableParameters: 0,
  ...(model && namedClasses(model)),
  ...own,
})

function namedClasses(model: Model): Pick<SubjectIdentity, 'classes'> {
  const classes = classesOf(model)
  return classes ? { classes: [...classes] } : {}
}

export const subjectOf = (
  base: Pick<Base, 'open' | 'batchSize'>,
  identity: SubjectIdentity,
  session: CachedSession,
  varying: Feeds = {},
): Subject =>
  localSubject({ identity, open: base.open, session, varying, batchSize: base.batchSize })

export const digestOf = (data: Float32Array): string =>
  sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
