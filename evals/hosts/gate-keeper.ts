/**
 * @file Who may speak to the HTTP host: pages that it served itself, on this machine, after the link was opened. A page of another
 * site is told by its Origin; a name that was rebound to this address by its Host; another program by lacking the session.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface GateKeeper {
  /** The token of the next link. It opens one session. */
  token(): string
  /** A session for a token that is right; a token is right once. */
  exchange(token: string): string | undefined
  hasSession(headers: IncomingHttpHeaders): boolean
  /** `Set-Cookie` for a session. */
  cookie(session: string): string
}

/** Sessions of one start; more are not needed by one person. */
const MOST_SESSIONS = 32
const secret = () => randomBytes(32).toString('base64url')

/** `name` tells the cookies of several hosts on this machine apart. */
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

/** In a time that does not tell how much was right. */
function isSame(a: string, b: string): boolean {
  const [one, two] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(one!, two!)
}

function cookieOf(header: string, name: string): string | undefined {
  const pair = header.split(';').find((part) => part.trim().startsWith(`${name}=`))
  return pair?.trim().slice(name.length + 1)
}

/** Any port: behind a tunnel it is another one. A name that is not this machine's own was rebound. */
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/u

/** Why these headers cannot come from a page of ours; undefined where they can. */
export function objection({ host, origin, ...headers }: IncomingHttpHeaders): string | undefined {
  if (host === undefined || !LOOPBACK.test(host)) return 'its Host is not this machine'
  if (origin !== undefined && origin !== `http://${host}`) return 'its Origin is another site'
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return 'it comes from another site'
  return undefined
}
