/**
 * @file The address of a judge, `URL#MODEL`: a grader behind the user's own address. Replies are sent to an address of another
 * machine only with a reason, which is logged. The key is read from TOUCHSTONE_JUDGE_KEY and stored nowhere.
 */
import { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { endpointGrader, type Endpoint } from './endpoint.ts'
import type { IdentifiedGrader } from './model-judge.ts'
import { isLoopback } from './transport.ts'

const KEY = 'TOUCHSTONE_JUDGE_KEY'

export const isAddress = (text: string): boolean => /^https?:\/\//i.test(text)

/** A judge as configured. Configurations are stored and shown, so an address must hold no credentials. */
export const JudgeText = z
  .string()
  .min(1)
  .refine((text) => !/=https?:\/\/(?:[^/#]*@|[^#]*\?)/iu.test(text), {
    message: 'the address of a judge may hold no name, password or query',
  })

interface OpenEndpoint extends IdentifiedGrader {
  /** Description for the log. */
  readonly note: string
  readonly close: () => Promise<void>
}

/** @param sendReplies the reason to send replies to another machine, or null */
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

/** Parses `URL#MODEL`; throws `judge.address` for credentials or a query, which would be stored with the configuration. */
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

/** The host, if `--judge` names an address other than this machine. */
export function elsewhere(judge: string): string | undefined {
  const address = NAMED.exec(judge)?.groups!['address']
  if (address === undefined || !URL.canParse(address)) return undefined
  const url = new URL(address)
  return isLoopback(url) ? undefined : url.host
}

const refused = ({ href: url }: Pick<URL, 'href'>, why: string) =>
  new TouchstoneError('judge.address', { url, why })
