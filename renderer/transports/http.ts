/** @file The browser's transport: calls by POST, the feed as server-sent events. The one-time token becomes a cookie that scripts cannot read. */
import type { FeedMessage } from '../../evals/contract/feed.ts'
import { EngineError, valueOf, type Answer, type Transport } from '../../evals/contract/rpc.ts'

const TOKEN = /^#token=(?<token>[\w-]+)$/u

export function httpTransport(): Transport {
  const session = exchangeToken()
  addEventListener('hashchange', (event) => void takeNewLink(event))
  return {
    async call(name, input) {
      await session
      const answer = await post('call', { name, input }).catch(() => {
        throw engineGone()
      })
      if (answer.status === 401) throw noSession()
      return valueOf((await answer.json()) as Answer)
    },
    listen: (listener, cursor) => listenTo(session, listener, cursor),
  }
}

const post = (where: string, body: unknown) =>
  fetch(where, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })

/** Uses the token, and removes it from the address so that it is in no history. */
async function exchangeToken(): Promise<void> {
  const token = TOKEN.exec(location.hash)?.groups?.['token']
  if (token === undefined) return
  history.replaceState(null, '', location.pathname)
  await post('session', { token }).catch(() => undefined)
}

/** The link of an engine that was started again, opened in a tab that is there: the page is loaded anew, at the place where it was. */
async function takeNewLink({ newURL, oldURL }: HashChangeEvent): Promise<void> {
  const token = TOKEN.exec(new URL(newURL).hash)?.groups?.['token']
  if (token === undefined) return
  await post('session', { token }).catch(() => undefined)
  history.replaceState(null, '', oldURL)
  location.reload()
}

function listenTo(
  session: Promise<void>,
  listener: (message: FeedMessage) => void,
  cursor: string | undefined,
): () => void {
  let source: EventSource | undefined
  let isOver = false
  void session.then(() => {
    if (isOver) return
    source = new EventSource(cursor === undefined ? 'events' : `events?cursor=${cursor}`)
    source.onmessage = ({ data }) => listener(JSON.parse(data as string) as FeedMessage)
    // The connection failed: the host's process has ended. The browser reconnects by itself, and `hello` follows.
    source.onerror = () => listener(LOST)
  })
  return () => {
    isOver = true
    source?.close()
  }
}

const LOST: FeedMessage = { epoch: '', id: 0, body: { type: 'engine', state: 'lost' } }

const engineGone = () =>
  new EngineError({
    code: 'engine.gone',
    message: 'The engine is not answering.',
    remedy: 'Start touchstone serve again if it has ended; nothing stored is lost.',
  })

const noSession = () =>
  new EngineError({
    code: 'engine.session',
    message: 'This page has no session with the engine.',
    remedy: 'Open the address that touchstone serve printed; start it again for a new one.',
  })
