/**
 * @file Models in the usual folders of this machine, by name, format and size: Hugging Face's cache, LM Studio's and llama.cpp's
 * folders, Ollama's blobs, and where models lie that were used before. Folders are listed and Ollama's manifests read, which name
 * its blobs; no model is opened.
 */
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import type { FoundModel } from '../contract/calls/models.ts'
import { readJson, type JsonObject } from '../files/read-file.ts'
import { ggufModelsAmong } from '../models/formats/gguf/split.ts'
import { snapshotOf } from '../models/model-path.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Source = FoundModel['source']

interface Search {
  readonly models: Map<string, FoundModel>
  /** Folders and files that are there and could not be read. */
  skipped: number
}

/** `recent`: paths of models that were used before. */
export async function foundModels(
  recent: readonly string[],
  environment: Environment = process.env,
  home = homedir(),
): Promise<{ models: FoundModel[]; skipped: number }> {
  const search: Search = { models: new Map(), skipped: 0 }
  const { HF_HUB_CACHE, HF_HOME, OLLAMA_MODELS, LLAMA_CACHE } = environment
  const caches = join(home, '.cache')
  const hub = HF_HUB_CACHE ?? join(HF_HOME ?? join(caches, 'huggingface'), 'hub')
  await inHub(search, hub)
  for (const folder of [join(home, '.lmstudio', 'models'), join(caches, 'lm-studio', 'models')])
    await inTree(search, folder, 2, 'LM Studio')
  await inOllama(search, OLLAMA_MODELS ?? join(home, '.ollama', 'models'))
  const llama = [join(caches, 'llama.cpp'), join(home, 'Library', 'Caches', 'llama.cpp')]
  for (const folder of LLAMA_CACHE ? [LLAMA_CACHE] : llama)
    await inTree(search, folder, 0, 'llama.cpp')
  const isOwn = (folder: string) => !folder.startsWith(hub) && folder !== home
  const near = new Set(recent.filter(isAbsolute).map(dirname).filter(isOwn))
  for (const folder of near) await inTree(search, folder, 1, 'recent')
  const models = [...search.models.values()].sort((a, b) => a.name.localeCompare(b.name))
  return { models, skipped: search.skipped }
}

/** Of a folder that is not there, nothing. */
async function listed(search: Search, folder: string): Promise<Dirent[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).slice(0, MOST_ENTRIES)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') search.skipped++
    return []
  }
}

const MOST_ENTRIES = 1000

async function inHub(search: Search, hub: string): Promise<void> {
  for (const { name } of await listed(search, hub)) {
    if (!name.startsWith('models--')) continue
    const snapshot = snapshotIn(join(hub, name))
    if (snapshot === undefined) search.skipped++
    else await inFolder(search, snapshot, name.split('--').slice(1).join('/'), 'Hugging Face')
  }
}

/** Undefined where the download is not whole or cannot be read. */
function snapshotIn(cached: string): string | undefined {
  try {
    const snapshot = snapshotOf(cached)
    return snapshot === cached ? undefined : snapshot
  } catch {
    return undefined
  }
}

/** The folder itself, and those in it down to `depth`. */
async function inTree(
  search: Search,
  folder: string,
  depth: number,
  source: Source,
  name = '',
): Promise<void> {
  const entries = await inFolder(search, folder, name, source)
  if (depth === 0) return
  for (const entry of entries.filter((each) => each.isDirectory()))
    await inTree(search, join(folder, entry.name), depth - 1, source, join(name, entry.name))
}

/** The model that the folder is, or each GGUF file in it. */
async function inFolder(
  search: Search,
  folder: string,
  name: string,
  source: Source,
): Promise<Dirent[]> {
  const entries = await listed(search, folder)
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name)
  const withEnding = (ending: string) => names.filter((each) => each.endsWith(ending))
  const keep = (format: FoundModel['format'], path: string, title: string, files: string[]) =>
    kept(search, { path, name: title, format, source }, folder, files)
  const weights = withEnding('.safetensors')
  if (names.includes('config.json') && weights.length > 0 && name !== '')
    await keep('safetensors', folder, name, weights)
  else if (withEnding('.onnx').length > 0 && name !== '')
    await keep('onnx', folder, name, [...withEnding('.onnx'), ...withEnding('.onnx_data')])
  for (const first of ggufModelsAmong(names)) {
    // A projector of pictures is no model of its own.
    if (first.startsWith('mmproj')) continue
    const shards = SHARD.exec(first)?.groups
    const parts = shards ? names.filter((each) => each.startsWith(`${shards['base']}-`)) : [first]
    await keep('gguf', join(folder, first), join(name, first), parts)
  }
  return entries
}

const SHARD = /^(?<base>.*)-\d{5}-of-\d{5}\.gguf$/u

async function kept(
  search: Search,
  model: Omit<FoundModel, 'bytes'>,
  folder: string,
  files: readonly string[],
): Promise<void> {
  const sizes = await Promise.all(
    files.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  )
  if (sizes.includes(undefined)) return void search.skipped++
  const bytes = sizes.reduce<number>((sum, size) => sum + size!, 0)
  if (!search.models.has(model.path)) search.models.set(model.path, { ...model, bytes })
}

const MODEL_LAYER = 'application/vnd.ollama.image.model'
const MANIFEST_BYTES = 2 ** 20

/** `manifests/REGISTRY/OWNER/NAME/TAG` says which blob is the model. */
async function inOllama(search: Search, folder: string): Promise<void> {
  const blobs = join(folder, 'blobs')
  for (const place of await placesBelow(search, join(folder, 'manifests'), 4)) {
    const path = join(folder, 'manifests', ...place)
    const blob = blobOf(await readJson(path, MANIFEST_BYTES).catch(() => undefined))
    if (blob === undefined) {
      search.skipped++
      continue
    }
    const [owner, name, tag] = place.slice(1)
    const title = `${owner === 'library' ? '' : `${owner}/`}${name}:${tag}`
    const model = { path: join(blobs, blob), name: title, format: 'gguf' as const }
    await kept(search, { ...model, source: 'Ollama' }, blobs, [blob])
  }
}

/** Undefined where a manifest names none, or no blob. */
function blobOf(manifest: JsonObject | undefined): string | undefined {
  const { layers } = manifest ?? {}
  const all = (Array.isArray(layers) ? layers : []) as ({ [name: string]: unknown } | null)[]
  const digest = all.find((layer) => layer?.['mediaType'] === MODEL_LAYER)?.['digest']
  return /^sha256-[0-9a-f]{64}$/u.exec(String(digest).replace(':', '-'))?.[0]
}

/** Names on the way to what lies `depth` folders below. */
async function placesBelow(search: Search, folder: string, depth: number): Promise<string[][]> {
  if (depth === 0) return [[]]
  const entries = await listed(search, folder)
  const below = entries.map(async ({ name }) =>
    (await placesBelow(search, join(folder, name), depth - 1)).map((place) => [name, ...place]),
  )
  return (await Promise.all(below)).flat()
}
