/** @file A certificate that no authority signed, for a server on this machine (X.509, RFC 5280 §4.1, with Ed25519, RFC 8410). */
import { generateKeyPairSync, sign } from 'node:crypto'

const SEQUENCE = 0x30

/** One DER value of less than 64 KiB. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

const ED25519 = der(SEQUENCE, der(0x06, Buffer.from([0x2b, 0x65, 0x70])))
const COMMON_NAME = der(0x06, Buffer.from([0x55, 0x04, 0x03]))
const whole = (value: number) => der(0x02, Buffer.from([value]))
const time = (text: string) => der(0x17, Buffer.from(text))

export function selfSigned(host: string): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from(host)))))
  const told = der(
    SEQUENCE,
    der(0xa0, whole(2)),
    ...[whole(1), ED25519, name],
    der(SEQUENCE, time('200101000000Z'), time('491231235959Z')),
    ...[name, publicKey.export({ type: 'spki', format: 'der' })],
  )
  const signature = der(0x03, Buffer.from([0]), sign(null, told, privateKey))
  const certificate = der(SEQUENCE, told, ED25519, signature).toString('base64')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  }
}
