/**
 * @file Access to the HTTP host: only pages that it served itself, on this machine, after the link was opened. Other sites are
 * recognised by Origin, rebound names by Host, other programs by the missing session cookie.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface GateKeeper {
  /** The token of the next link; it is valid for one session. */
  token(): string
  /** A session for the current token, which it replaces. Undefined for any other token. */
  exchange(token: string): string | undefined
  hasSession(headers: IncomingHttpHeaders): boolean
  /** `Set-Cookie` for a session. */
  cookie(session: string): string
}

/** Open sessions; the oldest is dropped. */
const MOST_SESSIONS = 32
export const secret = () => randomBytes(32).toString('base64url')

/** `name`: of the cookie; several hosts on this machine need different ones. */
export function createGateKeeper(name: string): GateKeeper {
  let token = secret()
  const sessions: string[] = []
  return {
    token: () => token,
    exchange(given) {
      if (!isSame(given, token)) return undefined
      token = secret()
      const session = secret()
      sessions.push(session)
      if (sessions.length > MOST_SESSIONS) sessions.shift()
      return session
    },
    hasSession({ cookie = '' }) {
      const found = cookieOf(cookie, name)
      return found !== undefined && sessions.some((session) => isSame(session, found))
    },
    cookie: (session) => `${name}=${session}; HttpOnly; SameSite=Strict; Path=/`,
  }
}

/** Compares in constant time. */
export function isSame(a: string, b: string): boolean {
  const [one, two] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(one!, two!)
}

function cookieOf(header: string, name: string): string | undefined {
  const pair = header.split(';').find((part) => part.trim().startsWith(`${name}=`))
  return pair?.trim().slice(name.length + 1)
}

/** Hosts of this machine, with any port, because a tunnel changes it. */
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/u

/** Why these headers cannot come from a page of this host; undefined where they can. */
export function objection({ host, origin, ...headers }: IncomingHttpHeaders): string | undefined {
  if (host === undefined || !LOOPBACK.test(host)) return 'its Host is not this machine'
  if (origin !== undefined && origin !== `http://${host}`) return 'its Origin is another site'
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return 'it comes from another site'
  return undefined
}
