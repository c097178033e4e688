/**
 * @file Where a served model is: `http://HOST:PORT/v1#MODEL`, or several addresses of the same model with commas between, of which
 * the last names it: `http://a/v1,http://b/v1#MODEL`.
 */
import { z } from 'zod'
import { TouchstoneError, usageError } from '../../errors/touchstone-error.ts'
import { isLoopback } from '../../judges/transport.ts'

interface ServedName {
  readonly urls: readonly URL[]
  /** Null where the server has one model and that is meant. */
  readonly model: string | null
}

export const isServed = (model: string): boolean => /^https?:\/\//iu.test(model)

/** For settings, which are stored and shown: an address in them must hold no credentials. */
const withoutCredentials = (text: string): boolean =>
  !isServed(text) ||
  // An address may stand after #, by mistake.
  !(/https?:\/\/[^/#]*@/iu.test(text) || addressesIn(text).some((address) => address.includes('?')))

export const PathOrAddress = z.string().min(1).refine(withoutCredentials, {
  message: 'the address of a served model may hold no name, password or query',
})

const addressesIn = (text: string): string[] => text.split('#', 1)[0]!.split(',')

/** Throws `served.address`. */
export function servedName(text: string): ServedName {
  if (!withoutCredentials(text)) {
    throw refused('the address', 'it holds a name, a password or a query', KEY_REMEDY)
  }
  const urls = addressesIn(text).map((address) => {
    if (isServed(address) && URL.canParse(address)) return new URL(address)
    throw refused(address, 'this is no address', 'Write http://HOST:PORT/v1#MODEL.')
  })
  const at = text.indexOf('#')
  const model = at < 0 ? '' : text.slice(at + 1)
  if (/,\s*https?:\/\//iu.test(model)) {
    const why = 'another address stands after #, where the model is named'
    throw refused(urls[0]!.href, why, 'Name it once, at the end: http://A/v1,http://B/v1#MODEL.')
  }
  return { urls, model: model === '' ? null : model }
}

const KEY_REMEDY = 'Name the environment variable that holds its key with --key-env NAME.'

/** Hosts, of those named, that are not this machine. */
export const hostsElsewhere = (names: readonly string[]): string[] => [
  ...new Set(
    names
      .filter(isServed)
      .flatMap((name) => servedName(name).urls)
      .filter((url) => !isLoopback(url))
      .map(({ host }) => host),
  ),
]

/** What is logged before prompts leave this machine, a line for each host. */
export const sendingNotes = (names: readonly string[], reason: string | null): string[] =>
  reason === null
    ? []
    : hostsElsewhere(names).map(
        (host) => `Every prompt is sent to ${host}; the reason given: “${reason}”`,
      )

export interface Permission {
  /** The reason to send prompts to another machine; null where none was given. */
  readonly sendPrompts: string | null
  /** Name of the environment variable that holds the key. */
  readonly keyEnv: string | null
}

/** The key, if one is named; throws `served.address` where an address may not be asked. */
export function permittedKey(
  name: string,
  { sendPrompts, keyEnv }: Permission,
): string | undefined {
  const { urls } = servedName(name)
  const key = keyEnv === null ? undefined : process.env[keyEnv]
  if (keyEnv !== null && (key === undefined || key === '')) {
    const why = `the environment variable ${keyEnv} holds no key`
    throw refused(urls[0]!.href, why, `Set ${keyEnv}, or leave --key-env out.`)
  }
  for (const url of urls.filter((each) => !isLoopback(each))) {
    if (sendPrompts === null) {
      const why = 'it is another machine’s, and every prompt would be sent there'
      throw refused(url.href, why, 'Give a reason with --send-prompts; it is logged with the run.')
    }
    if (key !== undefined && url.protocol === 'http:') {
      const why = 'its key would travel unencrypted'
      throw refused(url.href, why, 'Use https, or leave --key-env out.')
    }
  }
  return key
}

/** A server fills in its template itself: variables for it are refused. */
export function requireOwnTemplate(model: string, templateVars: string | null): void {
  if (templateVars === null) return
  throw usageError(
    `${model} is served: its chat template is filled in by its server, not here.`,
    'Give the variables to the server and leave --template-vars out.',
  )
}

export const refused = (address: string, why: string, remedy: string) =>
  new TouchstoneError('served.address', { address, why, remedy })
