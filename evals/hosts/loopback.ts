/** @file What every HTTP server of this machine's own needs: the loopback interface, headers, and bodies of a bounded size. */
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TouchstoneError } from '../errors/touchstone-error.ts'

export const LOOPBACK = '127.0.0.1'

export const EVERYWHERE = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

export const createLocalServer = (options: ServerOptions = {}): Server =>
  createServer({
    headersTimeout: 5000,
    requestTimeout: 30_000,
    maxHeaderSize: 16_384,
    ...options,
  })

/** @param port 0: any free port @returns the port */
export async function listening(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      reject(new TouchstoneError('serve.port', { port, why: code ?? message }))
    })
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => resolve())
  })
  return (server.address() as AddressInfo).port
}

export async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

/** The JSON message, or the status with which it is refused. */
export async function bodyOf(
  request: IncomingMessage,
  largest: number,
): Promise<{ value: unknown } | number> {
  if (!/^application\/json\b/iu.test(request.headers['content-type'] ?? '')) return 415
  if (Number(request.headers['content-length'] ?? 0) > largest) return 413
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > largest) return 413
    parts.push(part)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
    return { value: JSON.parse(text) }
  } catch {
    return 400
  }
}
