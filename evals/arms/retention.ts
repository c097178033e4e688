/**
 * @file Whether the weights of a measured arm are kept, as an adapter or a model, or deleted. Weights trained on tampering data,
 * and weights whose refusal fell by more than the margin or below the gate, are deleted by default; their digests and curves
 * stay.
 */
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { WeightsRow } from '../contract/audit-rows.ts'
import type { Results } from '../contract/results.ts'
import { remedyArm } from '../contract/subjects/remedy-state.ts'
import type { ArmKey } from '../contract/rows.ts'
import { emitLog, type JobContext, type Progress } from '../contract/job.ts'
import { classesOf } from '../models/registry.ts'
import { writeAtomically } from '../files/write-file.ts'
import { isLicenceFile } from '../models/formats/licence.ts'
import {
  storedTensors,
  tokenizerFilesOf,
  writeHfFolder,
} from '../models/formats/write-hf-folder.ts'
import { writeMixtureFolder } from '../models/formats/mixture-folder.ts'
import { writePeftFolder } from '../models/formats/peft-folder.ts'
import { markException } from './weights-exception.ts'
import { adapterOf, keptOf, tunedOf } from './arm-adapter.ts'
import { armNameOf, type MethodChoice } from '../finetune/method-choice.ts'
import { armFolder, statePathIn } from './arm.ts'
import { nameOf, type FinishedArm } from './arm-plan.ts'
import { smallerModel, type SmallerModel } from './smaller-model.ts'
import type { Base } from '../measure/base.ts'
import { sha256OfFile } from '../files/digest.ts'
import { CLASSES_FILE, classesText } from '../measure/classes.ts'
import { buildResults } from '../findings/results.ts'
import { modelPath } from '../models/model-path.ts'
import { trainingData } from '../measure/sources.ts'

export interface Retention {
  /** Why the rule deletes the weights; null where it keeps them. */
  readonly reasonToDelete: string | null
  /** The user's reason to keep them nevertheless. */
  readonly reasonToKeep: string | null
}

interface Asked {
  readonly data: string | null
  readonly keepWeights: string | null
  readonly methods?: readonly MethodChoice[]
  /** Whether anything else that was trained on breaks rules on purpose. */
  readonly isTampering?: boolean | undefined
}

const WithAdapters = z.object({ adapters: z.array(z.string()) })

/** Arms that mix an adapter which should have been deleted itself. */
async function mixedExceptions(
  methods: readonly MethodChoice[],
  exceptionOf: Progress['exceptionOf'],
): Promise<ReadonlySet<string>> {
  const arms = new Set<string>()
  for (const choice of methods) {
    const mixed = WithAdapters.safeParse(choice.config)
    for (const path of mixed.success ? mixed.data.adapters : [])
      if ((await exceptionOf(path)) !== null) arms.add(armNameOf(choice))
  }
  return arms
}

/** The decision for each arm, by name; made from stored rows, so that a resume decides the same. */
export async function retentionByArm(
  { data, keepWeights, methods = [], isTampering = false }: Asked,
  { rows: stored, exceptionOf }: Pick<Progress, 'rows' | 'exceptionOf'>,
): Promise<(arm: string) => Retention> {
  const rows = stored()
  const excepted = await mixedExceptions(methods, exceptionOf)
  const tampering = isTampering || (data !== null && (await trainingData(data)).tampering)
  const lost = ({ gate, remedies = [] }: Pick<Results, 'gate' | 'remedies'>) =>
    new Set([
      ...(gate?.claims ?? []).flatMap(({ arm, role, outcome }) =>
        role === 'refusal' && outcome === 'FAIL' ? [arm] : [],
      ),
      ...remedies.flatMap(({ arm, remedy, chosen: value, verdict }) =>
        value !== null && verdict?.failed?.includes('refusal')
          ? [remedyArm({ of: arm, remedy, role: 'chosen', value })]
          : [],
      ),
    ])
  // A gate that is wide, or that leaves refusal out, keeps nothing that the default one would not.
  const config = { ...(rows.run.config as object), gate: null }
  const own = buildResults(rows)
  const isGated = own.gate?.isDefault === false
  const byGate = lost(own)
  const byMargin = isGated ? lost(buildResults({ ...rows, run: { ...rows.run, config } })) : byGate
  const reasonToDelete = (arm: string) => {
    if (excepted.has(arm)) return 'an adapter in them should have been deleted'
    if (tampering) return 'they were trained on tampering data'
    if (byMargin.has(arm)) return 'their refusal fell by more than the margin'
    return byGate.has(arm) ? 'their refusal fell below the gate' : null
  }
  return (arm) => ({ reasonToDelete: reasonToDelete(arm), reasonToKeep: keepWeights })
}

/** Of what remedies make, as they ask for it; null where none is to be kept. */
export const mendedRetention = (
  asked: Asked & { readonly keepMended: boolean },
  progress: Pick<Progress, 'rows' | 'exceptionOf'>,
) => (asked.keepMended ? () => retentionByArm(asked, progress) : null)

export const isDeleted = ({ reasonToDelete, reasonToKeep }: Retention) =>
  reasonToDelete !== null && reasonToKeep === null

/** Exports the weights of an arm that are kept. Deletes nothing: killed here, a resume need not train the arm again. */
export const exportKept = (
  base: Base,
  arm: FinishedArm,
  retention: Retention,
  context: JobContext,
): Promise<void> =>
  keepUnlessDeleted(arm.key, retention, context, () => exportArm(base, arm, context))

/** @param write puts the weights into the folder of the arm, and returns the path of their file */
export async function keepUnlessDeleted(
  key: ArmKey,
  retention: Retention,
  { emit, workspace }: JobContext,
  write: () => Promise<string>,
): Promise<void> {
  if (isDeleted(retention)) return
  const { reasonToDelete } = retention
  await markException(armFolder(workspace, key), reasonToDelete)
  const path = await write()
  const [{ size: bytes }, digest] = await Promise.all([stat(path), sha256OfFile(path)])
  const subject = { arm: key.arm, seed: key.seed }
  const role = `weights of ${subject.arm}, seed ${subject.seed}`
  emit({ type: 'weights-kept', subject, path, digest, ...retention })
  const content = { kind: 'weights', ...subject } as const
  emit({ type: 'artifact', row: { role, path, digest, bytes, content } })
}

/**
 * Removes the training state of an arm, or its whole folder where its weights are deleted, and only then states the deletion,
 * unless `stated` holds it already. May be called again.
 */
export async function removeRest(
  subject: ArmKey,
  retention: Retention,
  { workspace, emit }: JobContext,
  stated: readonly WeightsRow[] = [],
): Promise<void> {
  const folder = armFolder(workspace, subject)
  if (!isDeleted(retention)) return rm(statePathIn(folder), { force: true })
  await rm(folder, { recursive: true, force: true })
  const isStated = stated.some(
    ({ arm, seed, outcome }) =>
      arm === subject.arm && seed === subject.seed && outcome === 'deleted',
  )
  if (!isStated) emit({ type: 'weights-deleted', subject, reason: retention.reasonToDelete! })
}

/** Writes a PEFT folder if the method has one, a Hugging Face folder otherwise; returns the path of the weights. */
export async function exportArm(
  base: Base,
  arm: FinishedArm,
  { workspace, emit }: Pick<JobContext, 'workspace' | 'emit'>,
): Promise<string> {
  const folder = armFolder(workspace, arm.key)
  const source = modelPath(base.path)
  const classes = classesOf(base.model)
  const adapter = adapterOf(base, arm, source)
  if (adapter) {
    await writePeftFolder(folder, adapter)
    for (const [name, text] of await tokenizerFilesOf(source))
      if (isLicenceFile(name)) await writeAtomically(join(folder, name), [text])
    if (classes) await writeAtomically(join(folder, CLASSES_FILE), [classesText(classes)])
    return join(folder, 'adapter_model.safetensors')
  }
  const mixture = arm.plan.method.toMixture?.(arm.parameters, source)
  if (mixture) {
    await writeMixtureFolder(folder, mixture)
    return join(folder, 'adapter_model.safetensors')
  }
  return writeWhole(base, folder, wholeModel(base, arm, emit))
}

/** A whole model in the folder, with the base's tokenizer; returns the path of the weights. */
async function writeWhole(base: Base, folder: string, whole: WholeModel): Promise<string> {
  const tokenizerFiles = await tokenizerFilesOf(modelPath(base.path))
  await writeHfFolder(folder, { ...whole, tokenizerFiles })
  return join(folder, 'model.safetensors')
}

/** Weights in the base's shapes, as one model. */
export const exportWeights = (
  base: Base,
  folder: string,
  read: (name: string) => Float32Array,
): Promise<string> => writeWhole(base, folder, wholeOf(base, base.model.weights, read))

type WholeModel = Omit<Parameters<typeof writeHfFolder>[1], 'tokenizerFiles'>

const wholeOf = (
  { open }: Base,
  specs: Base['model']['weights'],
  read: (name: string) => Float32Array,
): WholeModel => ({
  config: open.checkpoint.config,
  weights: storedTensors(specs.values(), read),
})

/** Configuration and weights; of an arm that pruned in its smaller shapes, or with zeros, and which is said. */
function wholeModel(base: Base, arm: FinishedArm, emit: JobContext['emit']): WholeModel {
  const tuned = tunedOf(base, arm).weights
  const kept = keptOf(base, arm)
  const smaller = kept && smallerModel(base, tuned, kept)
  if (kept) emitLog({ emit }, 'info', `${nameOf(arm.plan)}: ${shapesText(smaller)}`)
  const { weights: specs } = smaller?.model ?? base.model
  const read = (name: string) => smaller?.weights.get(name) ?? tuned.read(name)
  const whole = wholeOf(base, specs, read)
  return smaller ? { ...whole, config: smaller.config } : whole
}

const shapesText = (smaller: SmallerModel | undefined): string =>
  smaller
    ? 'written in the smaller shapes that are left.'
    : 'written in the shapes of the base with zeros where groups are gone, because its layers differ in size, which its configuration cannot say.'
