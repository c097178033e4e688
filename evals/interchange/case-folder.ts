/**
 * @file A folder that can be signed: `manifest.json` (an in-toto Statement v1 over every file), `signature.json` (its DSSE
 * envelope) and `public-key.pem`. A case is intact if its files are exactly those of the manifest, byte for byte.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import {
  envelopeProblem,
  fingerprint,
  publicPem,
  readPublicKey,
  signedEnvelope,
  STATEMENT,
  type KeyPair,
} from './signing.ts'

const MANIFEST = 'manifest.json'
const SIGNATURE = 'signature.json'
const PUBLIC_KEY = 'public-key.pem'
const OWN: ReadonlySet<string> = new Set([MANIFEST, SIGNATURE, PUBLIC_KEY])

const PREDICATE = 'urn:touchstone:case:v1'

const Manifest = z.strictObject({
  _type: z.literal(STATEMENT),
  /** Sorted by name; `name` is the path inside the folder, with slashes. */
  subject: z.array(
    z.strictObject({
      name: z.string(),
      digest: z.strictObject({ sha256: z.string() }),
      annotations: z.strictObject({ bytes: z.int() }),
    }),
  ),
  predicateType: z.literal(PREDICATE),
  predicate: z.strictObject({
    run: z.string(),
    touchstone: z.string(),
    /** The cases of a run count from 1; made at, in ISO 8601. Cases of version 0.1.0 have neither. */
    number: z.int().min(1).optional(),
    made: z.iso.datetime().optional(),
    /** `none`: signed with a key that was made for this folder and thrown away. */
    signer: z.enum(['key', 'none']),
  }),
})
type Manifest = z.infer<typeof Manifest>
type Subject = Manifest['subject'][number]

type CaseAbout = Omit<Manifest['predicate'], 'signer'>

const textOf = (manifest: Manifest) => `${JSON.stringify(manifest, null, 2)}\n`

/** The three files that sign `folder` in its current state: name → text. */
export async function sealCase(
  folder: string,
  about: CaseAbout,
  { keys, isOwn }: { keys: KeyPair; isOwn: boolean },
): Promise<ReadonlyMap<string, string>> {
  const names = (await contentsOf(folder)).files.filter((name) => !OWN.has(name))
  const manifest = textOf({
    _type: STATEMENT,
    subject: await Promise.all(names.map((name) => subjectOf(folder, name))),
    predicateType: PREDICATE,
    predicate: { ...about, signer: isOwn ? 'key' : 'none' },
  })
  return new Map([
    [MANIFEST, manifest],
    [SIGNATURE, signedEnvelope(Buffer.from(manifest), keys)],
    [PUBLIC_KEY, publicPem(keys.publicKey)],
  ])
}

interface VerifiedCase {
  readonly files: number
  readonly run: string
  /** Null in cases of version 0.1.0. */
  readonly number: number | null
  readonly made: string | null
  readonly keyFingerprint: string
  /** Whether it was signed with a kept key. */
  readonly isSigned: boolean
}

/** Throws `case.changed`, which names the file. `expectedKey` is a public key in PEM with its path. */
export async function verifyCase(
  folder: string,
  expectedKey?: { pem: string; path: string },
): Promise<VerifiedCase> {
  const contents = await contentsOf(folder)
  const read = async (name: string) => {
    if (!contents.files.includes(name)) throw changed(name, 'it is missing')
    return readFile(join(folder, name))
  }
  const bytes = await read(MANIFEST)
  const [envelope, pem] = [(await read(SIGNATURE)).toString(), (await read(PUBLIC_KEY)).toString()]
  const publicKey = enclosedKey(pem)
  if (expectedKey) {
    const expected = readPublicKey(expectedKey.pem, expectedKey.path)
    if (!expected.equals(publicKey)) throw changed(SIGNATURE, 'it was signed with another key')
  }
  const problem = envelopeProblem(envelope, bytes, publicKey)
  if (problem !== undefined) throw changed(SIGNATURE, problem)
  const manifest = parseManifest(bytes)
  if (expectedKey && manifest.predicate.signer === 'none') {
    throw changed(SIGNATURE, 'nobody’s key signed it')
  }
  await compareFiles(folder, contents, manifest)
  const { run, number = null, made = null } = manifest.predicate
  return {
    files: manifest.subject.length,
    run,
    number,
    made,
    keyFingerprint: fingerprint(publicKey),
    isSigned: manifest.predicate.signer === 'key',
  }
}

const changed = (path: string, why: string) => new TouchstoneError('case.changed', { path, why })

function enclosedKey(pem: string) {
  try {
    const key = readPublicKey(pem, PUBLIC_KEY)
    if (publicPem(key) === pem) return key
  } catch {
    // Thrown below.
  }
  throw changed(PUBLIC_KEY, 'it is not the key that was put there')
}

function parseManifest(bytes: Uint8Array): Manifest {
  try {
    const parsed = Manifest.parse(JSON.parse(Buffer.from(bytes).toString()))
    if (Buffer.from(textOf(parsed)).equals(bytes)) return parsed
  } catch {
    // Thrown below: a signed manifest that this version does not write is refused.
  }
  throw changed(MANIFEST, 'it is no manifest of a case')
}

async function compareFiles(
  folder: string,
  { files, folders }: Contents,
  { subject }: Manifest,
): Promise<void> {
  const listed = new Set(subject.map(({ name }) => name))
  const isExpected = (inner: string) => subject.some(({ name }) => name.startsWith(`${inner}/`))
  const added =
    files.find((name) => !listed.has(name) && !OWN.has(name)) ??
    folders.find((inner) => !isExpected(inner))
  if (added !== undefined) throw changed(added, 'it was added')
  for (const expected of subject) {
    if (!files.includes(expected.name)) throw changed(expected.name, 'it is missing')
    const found = await subjectOf(folder, expected.name)
    if (found.digest.sha256 !== expected.digest.sha256) {
      throw changed(expected.name, 'its bytes are not those of the manifest')
    }
    if (found.annotations.bytes !== expected.annotations.bytes) {
      throw changed(expected.name, 'its length is not that of the manifest')
    }
  }
}

async function subjectOf(folder: string, name: string): Promise<Subject> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(join(folder, name))) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  return { name, digest: { sha256: hash.digest('hex') }, annotations: { bytes } }
}

interface Contents {
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

/** Everything below `folder`, sorted, with slashes. Anything but files and folders is refused. */
async function contentsOf(folder: string): Promise<Contents> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw changed(
        folder,
        error.code === 'ENOENT' ? 'it is missing' : (error.code ?? error.message),
      )
    },
  )
  const [files, folders] = [[] as string[], [] as string[]]
  for (const entry of entries) {
    const name = relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')
    if (entry.isFile()) files.push(name)
    else if (entry.isDirectory()) folders.push(name)
    else throw changed(name, 'it is neither a file nor a folder')
  }
  return { files: files.sort(), folders: folders.sort() }
}
