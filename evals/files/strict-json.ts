/** @file JSON in which no key may stand twice and nesting has a limit: two readers of such a file could otherwise disagree. */
const DEEPEST = 64

type Refuse = (found: string, expected: string) => Error

export function parseJsonStrictly(text: string, refuse: Refuse): unknown {
  const fail = (found: string, expected: string): never => {
    throw refuse(found, expected)
  }
  // Nesting first: JSON.parse would exhaust the stack on a file of a million brackets.
  const objects = scanStructure(text, () => fail(`nesting deeper than ${DEEPEST}`, 'flatter JSON'))
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return fail(`text that is not JSON (${(error as Error).message.slice(0, 120)})`, 'JSON')
  }
  const kept = countKeys(parsed)
  if (kept !== objects.keys) fail('an object that has the same key twice', 'each key once')
  return parsed
}

/** Counts keys as written: a string directly followed by a colon. */
function scanStructure(text: string, onDeep: () => never): { keys: number } {
  let depth = 0
  let keys = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfString(text, at)
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > DEEPEST) onDeep()
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--
    } else if (code === COLON) {
      keys++
    }
  }
  return { keys }
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a]
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d]

/** The index of the closing quote, or the text's end. */
function endOfString(text: string, start: number): number {
  let at = start
  do {
    at = text.indexOf('"', at + 1)
    if (at < 0) return text.length
  } while (isEscaped(text, at))
  return at
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

/** Keys that survived JSON.parse, which keeps only the last of two equal ones. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = Array.isArray(value) ? 0 : Object.keys(value).length
  for (const child of Object.values(value)) count += countKeys(child)
  return count
}
