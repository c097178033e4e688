/**
 * @file Tokens of time-stamping authorities (RFC 3161): what is asked of one, and what its token says. Who signed the token is not
 * checked here; `openssl ts -verify` does.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'

interface Token {
  /** SHA-256 of what was stamped, in hexadecimal. */
  readonly digest: string
  /** genTime, in ISO 8601. */
  readonly time: string
}

/** DER of a TimeStampReq: version 1, SHA-256 of what is to be stamped, certificates wanted. */
export const timestampRequest = (digest: string): Uint8Array =>
  Buffer.from(`30390201013031300d060960864801650304020105000420${digest}0101ff`, 'hex')

/** id-ct-TSTInfo, 1.2.840.113549.1.9.16.1.4. */
const TST_INFO = '060b2a864886f70d0109100104'
/** AlgorithmIdentifier's object: sha256. */
const SHA_256 = '0609608648016503040201'

/** Of a TimeStampResp or of the token alone, as DER. */
export function readToken(der: Buffer, path: string): Token {
  try {
    return tokenIn(der)
  } catch {
    throw new TouchstoneError('plan.unusable', { path, why: 'its token is none of RFC 3161' })
  }
}

/** TSTInfo ::= SEQUENCE { version, policy, MessageImprint { algorithm, hash }, serial, genTime, … } within [0] OCTET STRING. */
function tokenIn(der: Buffer): Token {
  const at = der.indexOf(Buffer.from(TST_INFO, 'hex'))
  if (at < 0) throw new RangeError('no TSTInfo')
  const tagged = elementAt(der, at + TST_INFO.length / 2, 0xa0)
  const octets = elementAt(der, tagged.start, 0x04)
  const info = elementAt(der, octets.start, 0x30)
  const version = elementAt(der, info.start, 0x02)
  const policy = elementAt(der, version.end, 0x06)
  const imprint = elementAt(der, policy.end, 0x30)
  const algorithm = elementAt(der, imprint.start, 0x30)
  const hash = elementAt(der, algorithm.end, 0x04)
  const serial = elementAt(der, imprint.end, 0x02)
  const time = elementAt(der, serial.end, 0x18)
  const isSha256 = der.subarray(algorithm.start).toString('hex').startsWith(SHA_256)
  if (!isSha256) throw new RangeError('another algorithm')
  return {
    digest: der.toString('hex', hash.start, hash.end),
    time: isoOf(der.toString('latin1', time.start, time.end)),
  }
}

/** The contents' bounds of the DER element at `at`, which must have this tag. */
function elementAt(der: Buffer, at: number, tag: number): { start: number; end: number } {
  if (der[at] !== tag) throw new RangeError(`no element ${tag}`)
  const first = der[at + 1]!
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  const start = at + 2 + lengthBytes
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes)
  if (start + length > der.length) throw new RangeError('it ends early')
  return { start, end: start + length }
}

/** GeneralizedTime in UTC, `20261130120000Z`, with a fraction or none. */
function isoOf(text: string): string {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/u.exec(text)
  if (!found) throw new RangeError('no time')
  const [, year, month, day, hour, minute, second, fraction = ''] = found
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`).toISOString()
}
