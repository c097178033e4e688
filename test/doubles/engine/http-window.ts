/** @file A window without a browser: opens the link, keeps the cookie, calls, and reads the feed. */
import type { FeedMessage } from '../../../evals/contract/feed.ts'
import { createClient, valueOf, type Answer } from '../../../evals/contract/rpc.ts'

export interface HttpWindow {
  readonly base: string
  readonly cookie: string
  readonly engine: ReturnType<typeof createClient>
  call(name: string, input: unknown): Promise<unknown>
  /** Ends with the connection; `onEnd` is told when that is. */
  listen(onMessage: (message: FeedMessage) => void, cursor?: string, onEnd?: () => void): () => void
}

export async function openLink(link: string): Promise<HttpWindow> {
  const { origin, hash } = new URL(link)
  const token = hash.slice('#token='.length)
  const opened = await post(`${origin}/session`, { token })
  const cookie = (opened.headers.get('set-cookie') ?? '').split(';')[0]!
  const call = async (name: string, input: unknown) => {
    const response = await post(`${origin}/call`, { name, input }, { cookie })
    if (response.status !== 200) throw new Error(`refused with ${response.status}`)
    return valueOf((await response.json()) as Answer)
  }
  return {
    base: origin,
    cookie,
    call,
    engine: createClient({ call }),
    listen(onMessage, cursor, onEnd) {
      const controller = new AbortController()
      void readEvents(`${origin}/events`, { cookie, cursor, controller, onMessage })
        .catch(() => undefined)
        .finally(() => onEnd?.())
      return () => controller.abort()
    },
  }
}

export const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

interface Reading {
  readonly cookie: string
  readonly cursor: string | undefined
  readonly controller: AbortController
  readonly onMessage: (message: FeedMessage) => void
}

async function readEvents(url: string, { cookie, cursor, controller, onMessage }: Reading) {
  const headers = { cookie, ...(cursor === undefined ? {} : { 'Last-Event-ID': cursor }) }
  const { body } = await fetch(url, { headers, signal: controller.signal })
  let text = ''
  for await (const part of body!.pipeThrough(new TextDecoderStream())) {
    text += part
    const blocks = text.split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '))
      if (data) onMessage(JSON.parse(data.slice('data: '.length)) as FeedMessage)
    }
  }
}
