/**
 * @file Decompositions of base weights on disk, by the digest of the weight: computed once for every scan of that base.
 * An entry that cannot be read is computed again; a folder that cannot be written is done without.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { baseSystem, type BaseParts, type BaseSystem } from './basis.ts'
import { cacheFolder } from '../native/cache-folder.ts'
import { numerics } from '../native/load.ts'
import type { Matrix } from './matrix.ts'

export type BaseStore = {
  find: (W0: Matrix) => Promise<BaseSystem | undefined>
  save: (W0: Matrix, system: BaseSystem) => Promise<void>
  /** For a thread that opens the same store. */
  options: Omit<BaseStoreOptions, 'onProblem'>
  /** Says once that the folder cannot be used. */
  tell: (why: string) => void
}

export type BaseStoreOptions = {
  folder: string
  /** Upper bound on the entries together. */
  capacityBytes?: number
  /** What has been used since then is not evicted: now, if not given. Milliseconds since 1970. */
  openedAt?: number
  /** Told once, where the folder cannot be used. */
  onProblem?: (why: string) => void
}

/** Four models of SmolLM2-135M's size. */
export const CACHE_BYTES = 2 * 2 ** 30

/** Changes with whatever changes the numbers. */
const MAGIC = 'TSBASE01'
const SUFFIX = '.base'
const DIGEST_BYTES = 32
const HEADER_BYTES = 32

export const defaultCacheFolder = (...machine: Parameters<typeof cacheFolder>): string =>
  join(cacheFolder(...machine), 'spectra')

/** Evicts the least recently used first, but nothing used since it was opened: a scan visits every weight in turn. */
export function openBaseStore(options: BaseStoreOptions): BaseStore {
  const { folder, capacityBytes = CACHE_BYTES, openedAt = Date.now(), onProblem } = options
  let hasProblem = false
  const fileOf = (W0: Matrix) => `${keyOf(W0)}${SUFFIX}`
  const tell = (why: string) => {
    if (!hasProblem) onProblem?.(why)
    hasProblem = true
  }
  return {
    options: { folder, capacityBytes, openedAt },
    tell,
    async find(W0) {
      const path = join(folder, fileOf(W0))
      const bytes = await readFile(path).catch(() => undefined)
      const parts = bytes && decodeParts(bytes, W0)
      if (!parts) return undefined
      await touch(path).catch(() => undefined)
      return baseSystem(W0, parts)
    },
    async save(W0, { parts }) {
      if (hasProblem) return
      const file = fileOf(W0)
      const bytes = encodeParts(parts, W0)
      const temporary = join(folder, `${file}.${randomBytes(4).toString('hex')}.tmp`)
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        if (!(await makeRoom(folder, capacityBytes - bytes.length, openedAt, file))) return
        await writeFile(temporary, bytes, { mode: 0o600 })
        // The kernel's own clock may lag behind.
        await touch(temporary)
        await rename(temporary, join(folder, file))
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined)
        tell((error as Error).message)
      }
    },
  }
}

function touch(path: string): Promise<void> {
  const now = new Date()
  return utimes(path, now, now)
}

/** A file's time goes through seconds in floating point. */
const TIME_ERROR_MS = 1

/** Removes entries, the oldest first, until `room` bytes hold the rest; false where what is in use leaves no room. */
async function makeRoom(
  folder: string,
  room: number,
  openedAt: number,
  replaced: string,
): Promise<boolean> {
  const names = (await readdir(folder)).filter((name) => /\.base(\.[0-9a-f]{8}\.tmp)?$/.test(name))
  const entries = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined)
      return { name, bytes: found?.size ?? 0, at: found?.mtimeMs ?? 0 }
    }),
  )
  const others = entries.filter(({ name }) => name !== replaced).sort((a, b) => a.at - b.at)
  let total = others.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const { name, bytes, at } of others) {
    if (total <= room || at >= openedAt - TIME_ERROR_MS) break
    await rm(join(folder, name), { force: true })
    total -= bytes
  }
  return total <= room
}

function keyOf({ rows, columns, data }: Matrix): string {
  return createHash('sha256')
    .update(`${MAGIC} ${numerics().name} ${data.BYTES_PER_ELEMENT} ${rows} ${columns}\n`)
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex')
}

/** Magic, p, q and whether `far` is there, the numbers in the machine's order, and the sha256 of all that. */
function encodeParts({ singularValues, near, far }: BaseParts, W0: Matrix): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES)
  header.set(new TextEncoder().encode(MAGIC))
  new Float64Array(header.buffer, 8).set([W0.rows, W0.columns, far ? 1 : 0])
  const numbers = [singularValues, near, ...(far ? [far] : [])].map(
    (part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
  )
  const body = Buffer.concat([header, ...numbers])
  return Buffer.concat([body, createHash('sha256').update(body).digest()])
}

/** Undefined where the bytes are not those of an entry for W0, whole and unchanged. */
function decodeParts(bytes: Buffer, { rows, columns }: Matrix): BaseParts | undefined {
  const [p, q] = [Math.min(rows, columns), Math.max(rows, columns)]
  const least = HEADER_BYTES + 8 * (p + p * p) + DIGEST_BYTES
  if (bytes.length !== least && bytes.length !== least + 8 * p * q) return undefined
  const body = bytes.subarray(0, bytes.length - DIGEST_BYTES)
  const digest = createHash('sha256').update(body).digest()
  if (!digest.equals(bytes.subarray(body.length))) return undefined
  if (body.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined
  // Numbers must begin at a multiple of 8, which a pooled buffer does not promise.
  const own = body.byteOffset % 8 === 0 ? body : new Uint8Array(body)
  const numbers = (first: number, count: number) =>
    new Float64Array(own.buffer, own.byteOffset + first, count)
  const [m, n, hasFar] = numbers(8, 3)
  if (m !== rows || n !== columns || (hasFar === 1) !== bytes.length > least) return undefined
  const near = HEADER_BYTES + 8 * p
  return {
    singularValues: numbers(HEADER_BYTES, p),
    near: numbers(near, p * p),
    far: hasFar === 1 ? numbers(near + 8 * p * p, p * q) : undefined,
  }
}
