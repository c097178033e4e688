/**
 * @file Mixtures of adapters on disk: `adapter_config.json` whose `peft_type` is no LoRA, `adapter_model.safetensors` with what
 * routes, and an adapter's folder for each expert that stands by itself. X-LoRA is PEFT's format; `adapters` names its experts.
 */
import { join } from 'node:path'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { makeFolder } from '../../files/private-file.ts'
import { exists, readJson, type JsonObject } from '../../files/read-file.ts'
import { writeAtomically } from '../../files/write-file.ts'
import { digestAt, openFiles, readStored } from '../weights/stored-weights.ts'
import {
  ADAPTER_WEIGHTS,
  CONFIG_FILE,
  readPeftFolder,
  writePeftFolder,
  type PeftFolder,
  type PeftTensor,
} from './peft-folder.ts'
import { readSafetensorsIndex } from './safetensors.ts'
import { writeSafetensors } from './safetensors-write.ts'
import { sha256 } from '../../files/digest.ts'

export interface MixtureFolder {
  /** With `peft_type` and `base_model_name_or_path`. */
  readonly config: JsonObject
  readonly tensors: ReadonlyMap<string, PeftTensor>
  readonly experts: readonly PeftFolder[]
}

export interface FoundMixture extends MixtureFolder {
  readonly type: string
  /** Of the experts' folders. */
  readonly paths: readonly string[]
}

const PREFIX = 'base_model.'
const placeOfExpert = (i: number) => `expert-${i}`

/** The `peft_type` of an adapter's folder; undefined where there is none. */
export async function peftTypeOf(folder: string): Promise<string | undefined> {
  const path = join(folder, CONFIG_FILE)
  if (!(await exists(path))) return undefined
  const { peft_type: type } = await readJson(path)
  return typeof type === 'string' ? type : undefined
}

export async function readMixtureFolder(folder: string): Promise<FoundMixture> {
  const config = await readJson(join(folder, CONFIG_FILE))
  const paths = await expertPaths(folder, config)
  const experts = await Promise.all(paths.map((path) => readPeftFolder(path)))
  const own = await tensorsIn(join(folder, ADAPTER_WEIGHTS))
  const found = new Map([...(await misplaced(folder)), ...own])
  // PEFT counts a layer's ReLU and, where there is one, its dropout.
  const tensors = config.xlora_dropout_p === 0 ? new Map([...found].map(asWithDropout)) : found
  return { type: String(config.peft_type), config, tensors, experts, paths }
}

const asWithDropout = ([name, tensor]: [string, PeftTensor]): [string, PeftTensor] => [
  name.replace(/(?<=_classifier\.layers\.)\d+/u, (at) => String((3 * Number(at)) / 2)),
  tensor,
]

/** Of its own files and its experts'. */
export async function mixtureDigest(folder: string): Promise<string> {
  const paths = await expertPaths(folder, await readJson(join(folder, CONFIG_FILE)))
  const files = [CONFIG_FILE, ADAPTER_WEIGHTS]
  const digests = await Promise.all([folder, ...paths].map((path) => digestAt(path, files)))
  return sha256(digests.join(' '))
}

/** PEFT stores paths as they were given to it, numbered from 0; those that begin in the folder go before others. */
async function expertPaths(folder: string, { adapters = {} }: JsonObject): Promise<string[]> {
  const found: string[] = []
  for (const [i, path] of Object.values(adapters as Record<string, string>).entries()) {
    const places = [join(folder, path), path, join(folder, placeOfExpert(i))]
    let place: string | undefined
    for (const each of places) place ??= (await exists(join(each, CONFIG_FILE))) ? each : undefined
    if (place === undefined) {
      const why = `its adapter ${path} is neither in it nor where the command runs`
      throw new TouchstoneError('mixture.folder', { path: folder, why })
    }
    found.push(place)
  }
  return found
}

async function tensorsIn(path: string): Promise<Map<string, PeftTensor>> {
  const { weights } = await readSafetensorsIndex(path)
  const files = await openFiles([path])
  try {
    return new Map(
      weights.map((weight) => {
        const data = readStored(files, weight)
        return [weight.name.slice(PREFIX.length), { shape: weight.shape, data }] as const
      }),
    )
  } finally {
    await files.close()
  }
}

/**
 * PEFT 0.21 takes the 0 of the classifier's first layer for the name of an adapter, and saves that layer with adapter 0 only,
 * without the number.
 */
async function misplaced(folder: string): Promise<[string, PeftTensor][]> {
  const path = join(folder, '0', ADAPTER_WEIGHTS)
  if (!(await exists(path))) return []
  const layers = /^(?<layers>.+_classifier\.layers)\.(?<part>weight|bias)$/u
  return [...(await tensorsIn(path))].flatMap(([name, tensor]) => {
    const found = layers.exec(name)?.groups
    return found ? [[`${found.layers!}.0.${found.part!}`, tensor]] : []
  })
}

export async function writeMixtureFolder(
  folder: string,
  { config, tensors, experts }: MixtureFolder,
): Promise<void> {
  makeFolder(folder)
  for (const [i, expert] of experts.entries())
    await writePeftFolder(join(folder, placeOfExpert(i)), expert)
  await writeSafetensors(
    join(folder, ADAPTER_WEIGHTS),
    [...tensors].map(([name, tensor]) => ({ name: PREFIX + name, ...tensor })),
    { format: 'pt' },
  )
  const adapters = Object.fromEntries(experts.map((_, i) => [String(i), placeOfExpert(i)]))
  const stored = { ...config, ...(experts.length > 0 && { adapters }) }
  await writeAtomically(join(folder, CONFIG_FILE), [`${JSON.stringify(stored, null, 2)}\n`])
}
