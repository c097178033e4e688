/**
 * @file A plan's file: a Sigstore bundle of one DSSE envelope around an in-toto Statement, whose subjects are the parts of the plan, each
 * signed by itself too, so that an edited part is named.
 */
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import {
  Plan,
  PlanFile,
  PlanParts,
  type HeldPlan,
  type PlanPart,
} from '../../contract/signed/plan.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { sha256 } from '../../files/digest.ts'
import {
  envelopeProblem,
  fingerprint,
  isSignatureOf,
  publicPem,
  readPublicKey,
  signatureOf,
  signedEnvelope,
  STATEMENT,
  type KeyPair,
} from '../signing.ts'
import { readToken } from './timestamp.ts'

const PREDICATE = 'urn:touchstone:plan:v1'
/** Of a part's own signature. */
const PART_TYPE = 'application/vnd.touchstone.plan-part+json'

const PARTS = Object.keys(PlanParts.shape) as PlanPart[]

const Statement = z.strictObject({
  _type: z.literal(STATEMENT),
  subject: z.array(
    z.strictObject({
      name: z.enum(PARTS),
      digest: z.strictObject({ sha256: z.string() }),
      annotations: z.strictObject({ signature: z.base64() }),
    }),
  ),
  predicateType: z.literal(PREDICATE),
  predicate: Plan,
})

const bytesOf = (part: unknown): Uint8Array => Buffer.from(canonicalJson(part))

/** The text of the file. `frozen` in ISO 8601. */
export function signPlan(
  parts: PlanParts,
  about: { readonly touchstone: string; readonly frozen: string },
  { keys, isOwn }: { readonly keys: KeyPair; readonly isOwn: boolean },
): string {
  const plan = Plan.parse({
    ...parts,
    ...about,
    key: publicPem(keys.publicKey),
    signer: isOwn ? 'key' : 'none',
  })
  const subject = PARTS.map((name) => ({
    name,
    digest: { sha256: sha256(bytesOf(plan[name])) },
    annotations: { signature: signatureOf(bytesOf(plan[name]), keys, PART_TYPE) },
  }))
  const statement = { _type: STATEMENT, subject, predicateType: PREDICATE, predicate: plan }
  const dsseEnvelope: unknown = JSON.parse(
    signedEnvelope(Buffer.from(JSON.stringify(statement)), keys),
  )
  return fileText({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      publicKey: { hint: fingerprint(keys.publicKey) },
      tlogEntries: [],
      timestampVerificationData: { rfc3161Timestamps: [] },
    },
    dsseEnvelope: dsseEnvelope as PlanFile['dsseEnvelope'],
  })
}

const fileText = (file: PlanFile) => `${JSON.stringify(file, null, 2)}\n`

/** The signature's bytes, which a token stamps. */
const stampedBytes = ({ dsseEnvelope }: PlanFile) =>
  Buffer.from(dsseEnvelope.signatures[0].sig, 'base64')

export const stampedDigest = ({ file }: HeldPlan): string => sha256(stampedBytes(file))

/** The file with a token of a time-stamping authority, which must stamp its signature. */
export function withToken({ file }: HeldPlan, token: Uint8Array, path: string): string {
  const rfc3161Timestamps = [{ signedTimestamp: Buffer.from(token).toString('base64') }]
  const stamped = {
    ...file,
    verificationMaterial: {
      ...file.verificationMaterial,
      timestampVerificationData: { rfc3161Timestamps },
    },
  }
  stampedAt(stamped, path)
  return fileText(stamped)
}

/** Throws `plan.unusable` for what is no plan, and `plan.changed`, which names each part that is not as it was signed. */
export function readPlan(text: string, path: string): HeldPlan {
  const file = PlanFile.safeParse(parsed(text))
  if (!file.success) throw new TouchstoneError('plan.unusable', { path, why: 'it is no plan' })
  // One text is accepted: JSON has spaces and an order that mean nothing.
  if (text !== fileText(file.data)) throw changed(path, 'it is not written as it was')
  return heldPlan(file.data, path)
}

/** The same for a file that a run's configuration holds. */
export function heldPlan(file: PlanFile, path: string): HeldPlan {
  const payload = Buffer.from(file.dsseEnvelope.payload, 'base64')
  const statement = Statement.safeParse(parsed(payload.toString()))
  if (!statement.success) {
    const at = statement.error.issues[0]?.path.join('.')
    throw changed(path, `what was signed is no plan of this version${at ? ` (${at})` : ''}`)
  }
  const { subject, predicate: plan } = statement.data
  const key = keyOf(plan, path)
  const edited = PARTS.filter((name) => !isAsSigned(name, plan, subject, key))
  if (edited.length > 0) throw changed(path, 'edited after it was frozen', edited)
  const envelope = `${JSON.stringify(file.dsseEnvelope, null, 2)}\n`
  const problem = envelopeProblem(envelope, payload, key)
  if (problem !== undefined) throw changed(path, problem)
  const hint = fingerprint(key)
  if (file.verificationMaterial.publicKey.hint !== hint) throw changed(path, 'it names another key')
  return {
    digest: sha256(payload),
    key: plan.signer === 'key' ? hint : null,
    stamped: stampedAt(file, path),
    plan,
    file,
  }
}

const changed = (path: string, why: string, parts: readonly PlanPart[] = []) =>
  new TouchstoneError('plan.changed', { path, why, parts })

function isAsSigned(
  name: PlanPart,
  plan: Plan,
  subject: z.infer<typeof Statement>['subject'],
  key: KeyObject,
): boolean {
  const said = subject.find((each) => each.name === name)
  const bytes = bytesOf(plan[name])
  return (
    said?.digest.sha256 === sha256(bytes) &&
    isSignatureOf(bytes, said.annotations.signature, key, PART_TYPE)
  )
}

function keyOf({ key }: Plan, path: string): KeyObject {
  try {
    const read = readPublicKey(key, path)
    if (publicPem(read) === key) return read
  } catch {
    // Thrown below.
  }
  throw changed(path, 'its key is no key')
}

/** The time that the token says, in ISO 8601; null without a token. */
function stampedAt(file: PlanFile, path: string): string | null {
  const [token] = file.verificationMaterial.timestampVerificationData.rfc3161Timestamps
  if (!token) return null
  const { digest, time } = readToken(Buffer.from(token.signedTimestamp, 'base64'), path)
  if (digest !== sha256(stampedBytes(file))) throw changed(path, 'its token stamps something else')
  return time
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
