/**
 * @file A GGUF model in one file or several: `NAME-00001-of-00003.gguf` and so on. Each file's metadata has its number, the
 * file count and the tensor count; only the first has the model's metadata.
 */
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { exists, isFolder } from '../../../files/read-file.ts'
import { readGgufHeader, type GgufHeader, type GgufValue } from './header.ts'

export interface GgufPart {
  readonly path: string
  readonly header: GgufHeader
}

export interface GgufParts {
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly parts: readonly GgufPart[]
}

const SHARD = /^(?<base>.*)-(?<number>\d{5})-of-(?<count>\d{5})\.gguf$/su
/** Ten times more than any published model has. */
const MOST_SHARDS = 4096

/** All files of the model that the file at `path` belongs to. */
export async function readGgufParts(path: string): Promise<GgufParts> {
  const header = await readGgufHeader(path)
  const count = Number(header.metadata.get('split.count') ?? 1)
  if (count <= 1) return { metadata: header.metadata, parts: [{ path, header }] }
  const name = SHARD.exec(basename(path))?.groups
  if (name === undefined || Number(name['count']) !== count || count > MOST_SHARDS) {
    const ending = `a name that ends in ${kin('', 1, count)}`
    throw incomplete(path, `${count} files by its metadata`, ending)
  }
  const paths = Array.from({ length: count }, (_, index) =>
    join(dirname(path), kin(name['base']!, index + 1, count)),
  )
  for (const each of paths) {
    if (!(await exists(each))) throw incomplete(path, `no ${basename(each)}`, `all ${count} files`)
  }
  const parts: GgufPart[] = []
  for (const each of paths) parts.push({ path: each, header: await readGgufHeader(each) })
  checkKin(parts)
  return { metadata: parts[0]!.header.metadata, parts }
}

const kin = (base: string, number: number, count: number) =>
  `${base}-${String(number).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.gguf`

/** Each file matches its name and belongs to the same model, and every tensor occurs once. */
function checkKin(parts: readonly GgufPart[]): void {
  const owners = new Map<string, string>()
  const total = parts[0]!.header.metadata.get('split.tensors.count')
  for (const [index, { path, header }] of parts.entries()) {
    const { metadata, tensors } = header
    const says = (key: string, expected: GgufValue | undefined) => {
      const found = metadata.get(`split.${key}`)
      if (found === expected) return
      throw incomplete(path, `split.${key} = ${String(found)}`, String(expected))
    }
    says('no', index)
    says('count', parts.length)
    says('tensors.count', total)
    for (const { name } of tensors) {
      const owner = owners.get(name)
      if (owner !== undefined) throw incomplete(path, `"${name}", which ${owner} has`, 'it once')
      owners.set(name, basename(path))
    }
  }
  if (owners.size === total) return
  throw incomplete(parts[0]!.path, `${owners.size} weights in all`, String(total))
}

const incomplete = (path: string, found: string, expected: string) =>
  new TouchstoneError('checkpoint.shards', { path, found, expected })

/** The file that a path means: the path itself, or the first file of the only model in a folder. */
export async function ggufAt(path: string): Promise<string | undefined> {
  if (!(await isFolder(path))) return GGUF_FILE.test(path) ? path : undefined
  const names = await readdir(path)
  const models = ggufModelsAmong(names)
  const isOther = names.some((name) => OTHERS.has(name))
  return isOther || models.length !== 1 ? undefined : join(path, models[0]!)
}

/** By its ending, or one of Ollama's blobs, which have none. */
const GGUF_FILE = /\.gguf$|[\\/]blobs[\\/]sha256-[0-9a-f]{64}$/u

const OTHERS: ReadonlySet<string> = new Set(['config.json', 'adapter_config.json'])

/** The first file of each GGUF model. */
export function ggufModelsAmong(names: readonly string[]): readonly string[] {
  const files = names.filter((name) => name.endsWith('.gguf')).sort()
  const byModel = Map.groupBy(files, (name) => {
    const shard = SHARD.exec(name)?.groups
    return shard ? `${shard['base']}-of-${shard['count']}` : name
  })
  return [...byModel.values()].map(([first]) => first!)
}
