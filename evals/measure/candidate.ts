/** @file A fine-tune made elsewhere: an adapter on the base, or a whole model. */
import { basename } from 'node:path'
import type { SubjectIdentity, SubjectKey } from '../contract/rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { nearNames } from '../errors/names.ts'
import type { CachedSession, ModelState } from '../inference/cached-graph.ts'
import type { Checkpoint } from '../models/checkpoint.ts'
import { loadModel, type LoadedModel } from '../models/load.ts'
import { holdsSafetensors } from '../models/formats/hf-folder.ts'
import { rawStartOf } from '../models/formats/peft-config.ts'
import { peftTypeOf, readMixtureFolder } from '../models/formats/mixture-folder.ts'
import { peftDigest, readPeftFolder, type PeftFolder } from '../models/formats/peft-folder.ts'
import { sourcesOf } from '../models/model-sources.ts'
import { isEncoder, recognise, untied, type Model } from '../models/registry.ts'
import { overlaid } from '../models/weights/small-weights.ts'
import { adapterTemplate, digestsBeside } from './alike/asked-alike.ts'
import { derivedFrom } from './derived/derived.ts'
import { isMixture, openMixture } from './derived/mixture.ts'
import {
  adaptedWeights,
  bringsOf,
  replacedWeights,
  requireFitting,
  type TunedWeights,
} from '../models/weights/tuned-weights.ts'
import {
  identityOf,
  openOwnSession,
  openSession as openBaseSession,
  requireCache,
  stateWith,
  type Base,
} from './base.ts'

export interface Candidate {
  readonly key: SubjectKey
  readonly identity: SubjectIdentity
  readonly weights: TunedWeights
  /** With this fine-tune's configuration, head and classes (`asClassifier`). */
  readonly base: Base
  /** Whether the weights have the base's names; a graph's may not, and it can be evaluated all the same. */
  readonly isComparable: boolean
  readonly warnings: readonly string[]
  /** Set for a mixture of adapters, which has no weights to merge. */
  readonly mixture?: ModelState
  /** Runs through the base's forward pass, or through its own graph if it has one. */
  readonly openSession: () => Promise<CachedSession>
}

/** `candidate:NAME`, numbered if two have the same file name. */
export function candidateNames(paths: readonly string[]): string[] {
  const bases = paths.map((path) =>
    derivedFrom(path) ? shortName(path) : `candidate:${basename(path)}`,
  )
  return bases.map((name, i) => {
    const earlier = bases.slice(0, i).filter((other) => other === name).length
    return earlier === 0 ? name : `${name}#${earlier + 1}`
  })
}

/** `merge:svd@0.25` of `merge:svd:./a+./b@0.25`, `generate:mean` of `generate:mean:TASKS@DATA`; `compress:prune:0.25` as it is. */
const shortName = (spec: string) =>
  spec.replace(/^(merge:[^:]+):[^@]+@/u, '$1@').replace(/^(generate:[^:]+):.+$/u, '$1')

export async function openCandidate(base: Base, path: string, arm: string): Promise<Candidate> {
  const key = { arm, seed: 0, step: 0 }
  const made = derivedFrom(path)
  if (made) return { key, ...(await openDerived(base, path, arm, made.make)) }
  const type = await adapterTypeOf(path)
  if (type === undefined) return { key, ...(await openWhole(base, path, arm)) }
  if (isMixture(type)) return { key, ...(await openMixture(base, path, arm, type)) }
  return { key, ...(await openAdapter(base, path, arm)) }
}

/** Undefined of a whole model. Throws where a folder holds both: programs differ in which of them they load. */
async function adapterTypeOf(path: string): Promise<string | undefined> {
  const type = await peftTypeOf(path)
  if (type !== undefined && (await holdsSafetensors(path)))
    throw new TouchstoneError('candidate.both', { path })
  return type
}

/**
 * Throws what opening it on this base would throw, without the weights of the base; what is made is not made. Resolves to the
 * weights that it changes, where it is an adapter that says so.
 */
export async function checkCandidate(
  { model, device }: Pick<Base, 'model' | 'device'>,
  path: string,
): Promise<ReadonlySet<string> | undefined> {
  const made = derivedFrom(path)
  if (made) {
    await made.check(model)
    return undefined
  }
  const type = await adapterTypeOf(path)
  if (type !== undefined && isMixture(type)) {
    await readMixtureFolder(path)
    return undefined
  }
  if (type !== undefined) {
    const folder = await readPeftFolder(path)
    // An adapter may bring a head of other classes to a model that names some.
    return isEncoder(model) ? undefined : requireFitting(model, folder, path)
  }
  const checkpoint = await (await sourcesOf(path)).checkpoint()
  try {
    const other = recognise(checkpoint)
    requireCache(device, other)
    carriesSameWeights({ model }, other, path)
  } finally {
    await checkpoint.close()
  }
  return undefined
}

type Opened = Omit<Candidate, 'key'>

type Make = NonNullable<ReturnType<typeof derivedFrom>>['make']

async function openDerived(base: Base, spec: string, arm: string, make: Make): Promise<Opened> {
  const { weights, digest, ...made } = await make(base)
  const own = { arm, path: spec, adapterDigest: digest, ...made }
  const identity = identityOf(base, base.open, own)
  const openSession = through(base, weights)
  return { base, identity, weights, isComparable: true, warnings: [], openSession }
}

async function openAdapter(given: Base, path: string, arm: string): Promise<Opened> {
  const folder = await readPeftFolder(path)
  const sizes = [...folder.tensors.values()].map(({ data }) => data.length)
  const base = adaptedBase(given, folder)
  const identity = identityOf(base, base.open, {
    arm,
    title: `Adapter ${basename(path)}`,
    path,
    adapterDigest: await peftDigest(path),
    templateDigest: await adapterTemplate(base.open, path),
    trainableParameters: sizes.reduce((sum, size) => sum + size, 0),
  })
  const { model } = base
  const weights = adaptedWeights(base.weights, folder, path, { brings: bringsOf(model), model })
  const warnings = [...rawStartOf(folder.config, path), ...differences(given, identity, path)]
  const openSession = through(base, weights)
  return { base, identity, weights, isComparable: true, warnings, openSession }
}

/**
 * The base with a head of its own where the adapter changes one of a tied embedding and head: PEFT then leaves the other as it
 * was, unless the adapter ensures the tie.
 */
function adaptedBase(base: Base, { config, tensors, saved = new Map() }: PeftFolder): Base {
  const tie = base.model.architecture.tie?.(base.model.config)
  if (!tie) return base
  const adapts = (weight: string) =>
    [...tensors.keys()].some((key) => key.startsWith(weight.replace(/weight$/u, 'lora_')))
  const changes = (weight: string) => saved.has(weight) || adapts(weight)
  const isSplit = changes(tie.head) || (changes(tie.embedding) && config.ensuresTying !== true)
  if (!isSplit) return base
  // What LoRA of the one begins from is what both were.
  const start = [tie.embedding, tie.head].find((name) => saved.has(name) && adapts(name))
  const data = start === undefined ? base.weights.get(tie.embedding)! : saved.get(start)!.data
  const weights = overlaid(
    base.weights,
    new Map([
      [tie.head, data],
      [tie.embedding, data],
    ]),
  )
  const { config: stored } = base.open.checkpoint
  const own = { ...stored, tie_word_embeddings: false }
  return withModel({ ...base, weights }, untied(base.model)!, own)
}

/** The base computing as a fine-tune does, and exported with its configuration. */
const withModel = (base: Base, model: Model, config: Checkpoint['config']): Base => {
  const checkpoint = { ...base.open.checkpoint, config }
  return { ...base, model, open: { ...base.open, checkpoint } }
}

async function openWhole(given: Base, path: string, arm: string): Promise<Opened> {
  const loaded = await loadModel(path, 'fp32', given.cache, given.open.template.variables)
  const { open, model, parameters } = loaded
  try {
    const { device } = given
    requireCache(device, model)
    const isComparable = carriesSameWeights(given, model, path)
    const own = { path, model, parameters, device, digest: await open.checkpoint.digest() }
    const identity = identityOf(own, open, {
      ...{ arm, title: `Model ${basename(path)}` },
      ...(await digestsBeside(given.open, open)),
    })
    const trained = new Map([...loaded.weights].map(([name, data]) => [name, { data }]))
    const weights = isComparable
      ? replacedWeights(given.weights, trained)
      : otherNames(loaded, path)
    const warnings = differences(given, identity, path)
    if (!isComparable) {
      warnings.push(`${path} names its weights otherwise than the base; its spectra are left out.`)
    }
    if (model.graph) {
      const openSession = () => openOwnSession(loaded, given.device)
      return { base: given, identity, weights, isComparable, warnings, openSession }
    }
    const base = given.model.graph ? given : withModel(given, model, open.checkpoint.config)
    const openSession = through(base, weights)
    return { base, identity, weights, isComparable, warnings, openSession }
  } finally {
    await open.close()
  }
}

const through = (base: Base, weights: TunedWeights) => (): Promise<CachedSession> =>
  openBaseSession(
    stateWith(base, (name) => weights.read(name)),
    base.device,
  )

const otherNames = ({ weights }: LoadedModel, path: string): TunedWeights => ({
  change: () => undefined,
  read(name) {
    const found = weights.get(name)
    if (found) return found
    const near = nearNames(name, weights.keys())
    throw new TouchstoneError('checkpoint.weight-missing', { path, name, near })
  },
})

/** Whether the weights have the base's names, and then its shapes; only a graph may use other names. */
export function carriesSameWeights(
  base: Pick<Base, 'model'>,
  { weights, graph }: Model,
  path: string,
): boolean {
  const isNamed = [...base.model.weights.keys()].every((name) => weights.has(name))
  if (!graph || isNamed) requireSameShapes(base, weights, path)
  return isNamed
}

export function requireSameShapes(
  base: Pick<Base, 'model'>,
  weights: Model['weights'],
  path: string,
): void {
  for (const [name, { shape }] of base.model.weights) {
    const found = weights.get(name)?.shape
    if (found?.join() !== shape.join()) {
      const text = found ? `[${found.join(', ')}]` : 'nothing'
      throw new TouchstoneError('checkpoint.weight-shape', {
        path,
        name,
        found: text,
        expected: `[${shape.join(', ')}], as in the base`,
      })
    }
  }
}

/** The candidate uses the base's tokenizer and template, so that only the weights differ; a warning says if its own differ. */
function differences(base: Base, identity: SubjectIdentity, path: string): string[] {
  const warnings: string[] = []
  if (identity.tokenizerDigest !== base.open.tokenizer.digest)
    warnings.push(
      `${path} carries another tokenizer than the base; it was asked through the base's.`,
    )
  if (identity.templateDigest !== base.open.template.digest)
    warnings.push(
      `${path} carries another chat template than the base; it was asked through the base's.`,
    )
  return warnings
}
