/**
 * @file Ed25519 signatures in a DSSE envelope (Dead Simple Signing Envelope, v1): the signature
 * is over `DSSEv1 ␠ len(type) ␠ type ␠ len(payload) ␠ payload`, which no other text equals.
 */
import { sha256 } from '../files/digest.ts'
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'

/** The type of every payload that is signed here: in-toto’s Statement. */
export const STATEMENT = 'https://in-toto.io/Statement/v1'

const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export const newKeyPair = (): KeyPair => generateKeyPairSync('ed25519')

export const privatePem = (key: KeyObject): string =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString()
export const publicPem = (key: KeyObject): string =>
  key.export({ type: 'spki', format: 'pem' }).toString()

/** The text of a key file. */
export const readPem = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new TouchstoneError('case.key', { path, why: error.code ?? error.message })
  })

/** `path` is for errors. */
export function readPrivateKey(pem: string, path: string): KeyPair {
  const privateKey = usable(() => createPrivateKey(pem), path, 'it is no private key in PEM')
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

export const readPublicKey = (pem: string, path: string): KeyObject =>
  usable(() => createPublicKey(pem), path, 'it is no public key in PEM')

function usable(read: () => KeyObject, path: string, why: string): KeyObject {
  let key: KeyObject
  try {
    key = read()
  } catch (cause) {
    throw new TouchstoneError('case.key', { path, why }, { cause })
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  const type = key.asymmetricKeyType ?? 'unknown'
  throw new TouchstoneError('case.key', { path, why: `its type is ${type}, not ed25519` })
}

/** sha256 of the public key's SPKI form, in hexadecimal, which an author can publish. */
export const fingerprint = (publicKey: KeyObject): string =>
  sha256(publicKey.export({ type: 'spki', format: 'der' }))

const Envelope = z.strictObject({
  payloadType: z.literal(PAYLOAD_TYPE),
  payload: z.base64(),
  signatures: z.tuple([z.strictObject({ keyid: z.string(), sig: z.base64() })]),
})

/** The text of the envelope around `payload`. */
export function signedEnvelope(payload: Uint8Array, keys: KeyPair): string {
  return envelopeText(payload, fingerprint(keys.publicKey), signatureOf(payload, keys))
}

/** In base64. */
export const signatureOf = (
  payload: Uint8Array,
  { privateKey }: KeyPair,
  type = PAYLOAD_TYPE,
): string => sign(null, preAuthentication(payload, type), privateKey).toString('base64')

/** `signature` is written in the one right way. */
export function isSignatureOf(
  payload: Uint8Array,
  signature: string,
  publicKey: KeyObject,
  type = PAYLOAD_TYPE,
): boolean {
  const bytes = Buffer.from(signature, 'base64')
  return (
    bytes.toString('base64') === signature &&
    verify(null, preAuthentication(payload, type), publicKey, bytes)
  )
}

const envelopeText = (payload: Uint8Array, keyid: string, sig: string) =>
  `${JSON.stringify(
    {
      payloadType: PAYLOAD_TYPE,
      payload: Buffer.from(payload).toString('base64'),
      signatures: [{ keyid, sig }],
    },
    null,
    2,
  )}\n`

function preAuthentication(payload: Uint8Array, type: string): Buffer {
  const head = `DSSEv1 ${type.length} ${type} ${payload.length} `
  return Buffer.concat([Buffer.from(head, 'utf8'), payload])
}

/** Why this is not a signature of `payload` by that key; undefined if it is. */
export function envelopeProblem(
  text: string,
  payload: Uint8Array,
  publicKey: KeyObject,
): string | undefined {
  const parsed = Envelope.safeParse(parseJson(text))
  if (!parsed.success) return 'it is no signature'
  const { keyid, sig } = parsed.data.signatures[0]
  // Exactly one text is accepted per signature: JSON and base64 have unused bits.
  if (text !== envelopeText(payload, keyid, sig)) return 'it does not sign this manifest'
  if (keyid !== fingerprint(publicKey)) return 'it was signed with another key'
  return isSignatureOf(payload, sig, publicKey) ? undefined : 'the signature is wrong'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
