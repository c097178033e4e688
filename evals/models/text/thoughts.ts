/**
 * @file Thought and answer of a model that thinks before it answers, told apart by markers: those that its family's file or its
 * chat template names, and for any model those of published ones, since a fine-tune may have learnt them.
 *
 * A thought begins where the prompt leaves one open, or where the reply begins with an opening marker, and ends at the first
 * closing one. What comes after is the answer, with every further marker in it: `evals/judges/parts.ts` divides it.
 */
export interface ThoughtMarkers {
  readonly open: string
  readonly close: string
}

const pairOf = (open: string, close: string): ThoughtMarkers => ({ open, close })

/** Markers of published models. */
const KNOWN = [
  pairOf('<think>', '</think>'),
  pairOf('[THINK]', '[/THINK]'),
  pairOf('<thinking>', '</thinking>'),
  pairOf('<thought>', '</thought>'),
  pairOf('<reasoning>', '</reasoning>'),
  pairOf('<seed:think>', '</seed:think>'),
  pairOf('<|START_THINKING|>', '<|END_THINKING|>'),
  pairOf('<|begin_of_thought|>', '<|end_of_thought|>'),
]

/** What is known of a template's thoughts. */
export interface Thinking {
  /** The model's own markers. */
  readonly markers: ThoughtMarkers
  /** Whether a prompt leaves room for a thought (`on`), or writes an empty one (`off`). */
  readonly mode: 'on' | 'off'
}

/** The pair that a template writes. */
export const markersIn = (template: string): ThoughtMarkers | undefined =>
  KNOWN.find(({ close }) => template.includes(close))

/** Whether a rendered prompt, from `from` on, ends inside a thought, after one, or has none. */
export function thoughtAtEnd(
  rendered: string,
  { open, close }: ThoughtMarkers,
  from = 0,
): 'open' | 'closed' | 'none' {
  const [opened, closed] = [rendered.lastIndexOf(open), rendered.lastIndexOf(close)]
  if (Math.max(opened, closed) < from) return 'none'
  return opened > closed ? 'open' : 'closed'
}

interface Thought {
  readonly text: string
  /** With its markers. */
  readonly tokens: number
  readonly isFinished: boolean
}

interface Split {
  readonly thought?: Thought
  readonly answer: string
}

/** Where a reply begins: after a prompt of this template, inside a thought or not. */
export interface ReplyStart {
  readonly own?: ThoughtMarkers | undefined
  readonly isInside: boolean
}

/** The part of a tokenizer that is needed. */
interface Coder {
  encode(text: string): number[]
  decode(ids: readonly number[]): string
}

/** Splits the tokens of a reply. */
export function splitThought(coder: Coder, ids: readonly number[], start: ReplyStart): Split {
  const whole = withMarkers(coder, ids)
  const first = markersOf(whole, start)
  if (!first) return { answer: whole }
  const { open, close } = first
  const at = whole.indexOf(close)
  const body = whole.slice(0, at < 0 ? undefined : at).trim()
  const text = body.startsWith(open) ? body.slice(open.length).trim() : body
  if (at < 0) return { thought: { text, tokens: ids.length, isFinished: false }, answer: '' }
  const end = at + close.length
  const tokens = tokensOf(coder, ids, end)
  return { thought: { text, tokens, isFinished: true }, answer: whole.slice(end).trimStart() }
}

function markersOf(text: string, { own, isInside }: ReplyStart): ThoughtMarkers | undefined {
  if (own && isInside) return own
  const begun = text.trimStart()
  return pairsWith(own).find(({ open }) => begun.startsWith(open))
}

const pairsWith = (own: ThoughtMarkers | undefined) => (own ? [own, ...KNOWN] : KNOWN)

/** Length of the shortest beginning that writes `length` characters. */
function tokensOf(coder: Coder, ids: readonly number[], length: number): number {
  let [low, high] = [0, ids.length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (withMarkers(coder, ids.slice(0, middle)).length >= length) high = middle
    else low = middle + 1
  }
  return low
}

const EVERY_MARKER = KNOWN.flatMap(({ open, close }) => [open, close])
const idsOfMarkers = new WeakMap<Coder, ReadonlyMap<number, string>>()

/** Ids of the markers that are one token. */
function markerIds(coder: Coder): ReadonlyMap<number, string> {
  const known = idsOfMarkers.get(coder)
  if (known) return known
  const found = EVERY_MARKER.flatMap((marker): [number, string][] => {
    const ids = coder.encode(marker)
    return ids.length === 1 && coder.decode(ids) === '' ? [[ids[0]!, marker]] : []
  })
  const made = new Map(found)
  idsOfMarkers.set(coder, made)
  return made
}

/** The text with markers that are special tokens, which `decode` omits. */
function withMarkers(coder: Coder, ids: readonly number[]): string {
  const special = markerIds(coder)
  if (special.size === 0) return coder.decode(ids)
  let text = ''
  let from = 0
  ids.forEach((id, at) => {
    const marker = special.get(id)
    if (marker === undefined) return
    text += coder.decode(ids.slice(from, at)) + marker
    from = at + 1
  })
  return text + coder.decode(ids.slice(from))
}

/** Tokens that are decoded at once while a marker is looked for; no marker takes more. */
const WINDOW = 24

interface Budgets {
  readonly answer: number
  readonly thought: number
}

/** Counts the tokens of one reply as they are written; true once the budget of its thought or of its answer is used up. */
export function budgetOf(
  coder: Coder,
  { own, isInside }: ReplyStart,
  budgets: Budgets,
): (token: number) => boolean {
  let part: 'start' | 'thought' | 'answer' = isInside ? 'thought' : 'start'
  let markers = own
  let count = 0
  let recent: number[] = []
  const pairs = pairsWith(own)
  return (token) => {
    count++
    recent = [...recent.slice(1 - WINDOW), token]
    if (part === 'answer') return count >= budgets.answer
    const text = withMarkers(coder, recent)
    if (part === 'start') {
      const begun = text.trimStart()
      markers = pairs.find(({ open }) => begun.startsWith(open))
      if (markers) part = 'thought'
      else if (!pairs.some(({ open }) => open.startsWith(begun))) part = 'answer'
    }
    if (part !== 'thought') return count >= budgets.answer
    if (!markers || !text.includes(markers.close)) return count >= budgets.thought
    part = 'answer'
    count = 0
    return budgets.answer === 0
  }
}
