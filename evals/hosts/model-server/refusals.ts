/** @file Errors in OpenAI's form, with its HTTP status. No message holds a prompt or a reply. */
import { toWireError } from '../../errors/wire.ts'
import { TouchstoneError, type ErrorCode } from '../../errors/touchstone-error.ts'

export interface Refusal {
  readonly status: number
  readonly body: {
    readonly error: {
      readonly message: string
      readonly type: string
      readonly param: string | null
      readonly code: string
    }
  }
}

const INVALID = 'invalid_request_error'

/** Errors that the request is to blame for, with OpenAI's code where it has one. */
const OF_REQUESTS: Partial<
  Record<ErrorCode, readonly [status: number, type: string, code?: string]>
> = {
  'serve.request': [400, INVALID],
  'serve.no-model': [404, INVALID, 'model_not_found'],
  'serve.busy': [429, 'rate_limit_error', 'rate_limit_exceeded'],
  'serve.late': [503, 'server_error'],
  'serve.pool': [400, INVALID, 'context_length_exceeded'],
  'prompt.too-long': [400, INVALID, 'context_length_exceeded'],
  'template.failed': [400, INVALID],
  'template.missing': [400, INVALID],
  'tokenizer.stopped': [400, INVALID],
}

export function refusalOf(error: unknown): Refusal {
  const { code, message, remedy } = toWireError(error)
  const known = OF_REQUESTS[code as ErrorCode]
  // A bug's message could hold anything.
  const text = code === 'internal' ? 'The server failed on this request.' : `${message} ${remedy}`
  const [status, type, own = code] = known ?? [500, 'server_error']
  const isOfRequest = error instanceof TouchstoneError && error.code === 'serve.request'
  const param = isOfRequest ? (error as TouchstoneError<'serve.request'>).values.parameter : null
  return { status, body: { error: { message: text, type, param, code: own } } }
}

const STATUSES: Readonly<Record<number, readonly [message: string, type: string, code: string]>> = {
  400: ['The body is not JSON.', INVALID, 'malformed_json'],
  401: [
    'Send the token that touchstone serve-model printed, as Authorization: Bearer TOKEN.',
    INVALID,
    'invalid_api_key',
  ],
  403: ['Only programs of this machine are answered.', INVALID, 'forbidden'],
  404: ['There is nothing here; docs/serving.md lists the paths.', INVALID, 'unknown_url'],
  405: ['Not with this method.', INVALID, 'method_not_allowed'],
  413: ['The body is too large.', INVALID, 'request_too_large'],
  415: ['Send Content-Type: application/json.', INVALID, 'unsupported_media_type'],
}

export function refusalWith(status: number): Refusal {
  const [message, type, code] = STATUSES[status]!
  return { status, body: { error: { message, type, param: null, code } } }
}
