/**
 * @file `--judge rubric=URL#MODEL`: a grader behind the user's own address. Nothing is sent unless it is named; to an address that is
 * not this machine only with a reason, which is logged. The key is in TOUCHSTONE_JUDGE_KEY and nowhere else.
 */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { endpointGrader, isLoopback, type Endpoint } from './endpoint.ts'
import type { IdentifiedGrader } from './rubric.ts'

const KEY = 'TOUCHSTONE_JUDGE_KEY'

export const isAddress = (text: string): boolean => /^https?:\/\//i.test(text)

interface OpenEndpoint extends IdentifiedGrader {
  /** What a log says of it. */
  readonly note: string
  readonly close: () => Promise<void>
}

/** `sendReplies` is the reason to send replies to another machine, if there is one. */
export async function openEndpoint(
  text: string,
  sendReplies: string | null,
  signal: AbortSignal,
): Promise<OpenEndpoint> {
  const endpoint = endpointOf(text, process.env[KEY])
  const { url, model, key } = endpoint
  const isNear = isLoopback(url)
  if (!isNear && sendReplies === null) {
    throw refused(
      url,
      'it is another machine’s, and replies, also to prompts that should be refused, would be sent there',
    )
  }
  if (!isNear && key !== undefined && url.protocol === 'http:') {
    throw refused(url, `its key would travel unencrypted; use https, or unset ${KEY}`)
  }
  const grader = endpointGrader(endpoint)
  const failed = await grader.tryOut(signal)
  if (failed !== undefined) {
    grader.close()
    throw refused(url, `a first question was not answered (${failed.replace(/\.$/, '')})`)
  }
  const where = `${model} at ${url.href}`
  return {
    model: grader,
    identity: ['endpoint', model],
    note: isNear
      ? where
      : `${where}; replies, also to prompts that should be refused, are sent there. The reason given: “${sendReplies}”`,
    close: async () => {
      grader.close()
    },
  }
}

/** A name and a password, or a query, would be stored with the run's configuration. */
export function endpointOf(text: string, key: string | undefined): Endpoint {
  const at = text.indexOf('#')
  const [address, model] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
  if (!URL.canParse(address)) throw refused({ href: address }, 'this is no address')
  const url = new URL(address)
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    const bare = { href: `${url.origin}${url.pathname}` }
    throw refused(bare, 'the address holds a name, a password or a query')
  }
  if (model === '') throw refused(url, 'no model is named after #')
  return { url, model, ...(key ? { key } : {}) }
}

const NAMED = /^rubric=(?<address>https?:\/\/[^#]+)#/iu

/** The host, where `--judge` names an address that is not this machine. */
export function elsewhere(judge: string): string | undefined {
  const address = NAMED.exec(judge)?.groups!['address']
  if (address === undefined || !URL.canParse(address)) return undefined
  const url = new URL(address)
  return isLoopback(url) ? undefined : url.host
}

const refused = ({ href: url }: Pick<URL, 'href'>, why: string) =>
  new TouchstoneError('judge.address', { url, why })
