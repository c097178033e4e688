/** @file What a key does outside of fields. */

type Action =
  { readonly type: 'begin' | 'help' | 'search' } | { readonly type: 'go'; readonly name: string }

/** What is read of a keyboard's event. */
interface Pressed {
  readonly key: string
  readonly altKey: boolean
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly target: unknown
}

/** A page and the letter that leads there after “g”. */
interface KeyedPlace {
  readonly name: string
  readonly key?: string
}

/** `isGoing`: “g” was the key before. Undefined where the key is left to the page. */
export function actionOf(
  { key, altKey, ctrlKey, metaKey, target }: Pressed,
  places: readonly KeyedPlace[],
  isGoing: boolean,
): Action | undefined {
  if (altKey || ctrlKey || metaKey || isTyping(target)) return undefined
  const place = isGoing && places.find((each) => each.key === key.toLowerCase())
  if (place) return { type: 'go', name: place.name }
  if (key === '?') return { type: 'help' }
  if (key === '/') return { type: 'search' }
  return key === 'g' ? { type: 'begin' } : undefined
}

/** A box that is checked takes no letter. */
const TYPED =
  'input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable], [role=dialog] *, [role=alertdialog] *'
const isTyping = (target: unknown) =>
  (target as { matches?: (selector: string) => boolean } | null)?.matches?.(TYPED) === true
