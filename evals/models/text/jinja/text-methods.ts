/** @file Methods of Python's strings that the template library lacks or does otherwise. */
import {
  bool,
  callable,
  integer,
  isDict,
  isText,
  itemsOf,
  list,
  numberIn,
  repr,
  str,
  text,
  tuple,
  type Call,
  type Value,
} from './values.ts'

/** What Python's `str.isspace` accepts; JavaScript's `\s` differs. */
const SPACE =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const SPACES_BEFORE = new RegExp(`^[${SPACE}]+`, 'u')
const SPACES_AFTER = new RegExp(`[${SPACE}]+$`, 'u')
const WORDS = new RegExp(`[^${SPACE}]+`, 'gu')
const LINES = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/u

type Side = 'both' | 'left' | 'right'

/** Without white space, or without the characters of `chars`, at one end or both. */
export function stripped(value: string, chars: Value | undefined, side: Side): string {
  if (!isText(chars)) {
    const left = side === 'right' ? value : value.replace(SPACES_BEFORE, '')
    return side === 'left' ? left : left.replace(SPACES_AFTER, '')
  }
  const points = Array.from(value)
  const set = new Set(chars.value)
  let [start, end] = [0, points.length]
  if (side !== 'right') while (start < end && set.has(points[start]!)) start++
  if (side !== 'left') while (end > start && set.has(points[end - 1]!)) end--
  return points.slice(start, end).join('')
}

export const capitalised = (value: string): string =>
  value.slice(0, 1).toUpperCase() + value.slice(1).toLowerCase()

const titled = (value: string) =>
  value.replace(/\p{L}+/gu, (word) => word[0]!.toUpperCase() + word.slice(1).toLowerCase())

/** Python's `%` on a text: `%s`, `%r`, `%d`, `%i`, `%f` with a precision, and `%%`. */
export function percentFormat(format: string, operand: Value): string {
  const values = operand.type === 'TupleValue' ? (operand.value as Value[]) : [operand]
  let next = 0
  const made = format.replace(
    /%(?:\((?<name>[^)]*)\))?(?:\.(?<digits>\d+))?(?<kind>[srdif%])/gu,
    (_, name: string | undefined, digits: string | undefined, kind: string) => {
      if (kind === '%') return '%'
      const value = name === undefined ? values[next++] : namedIn(operand, name)
      if (!value) throw new Error('not enough arguments for format string')
      return formatted(value, kind, digits)
    },
  )
  if (next < values.length && !isDict(operand)) {
    throw new Error('not all arguments converted during string formatting')
  }
  return made
}

const namedIn = (value: Value, name: string) => (isDict(value) ? value.value.get(name) : undefined)

function formatted(value: Value, kind: string, digits: string | undefined): string {
  if (kind === 's') return str(value)
  if (kind === 'r') return repr(value)
  const number = numberIn(value)
  if (number === undefined) throw new Error(`%${kind} format: a number is required`)
  return kind === 'f' ? number.toFixed(Number(digits ?? 6)) : String(Math.trunc(number))
}

/** Python's `str.format` with positions and names, without format specifications but for `.Nf`. */
function braceFormat(format: string, args: readonly Value[]): string {
  const last = args.at(-1)
  const named = last?.type === 'KeywordArgumentsValue' ? (last.value as Map<string, Value>) : null
  let next = 0
  return format.replace(
    /\{\{|\}\}|\{(?<field>\w*)(?:!(?<how>[rs]))?(?::\.(?<digits>\d+)f)?\}/gu,
    (found: string, field: string | undefined, how: string | undefined, digits?: string) => {
      if (found === '{{' || found === '}}') return found[0]!
      const isPlace = field === '' || /^\d+$/u.test(field!)
      const place = isPlace ? args[field === '' ? next++ : Number(field)] : named?.get(field!)
      if (!place) throw new Error(`no argument for the replacement field {${field}}`)
      if (digits !== undefined) return formatted(place, 'f', digits)
      return how === 'r' ? repr(place) : str(place)
    },
  )
}

function split(value: string, [separator, most]: readonly Value[], fromRight = false): Value {
  const limit = most && numberIn(most)! >= 0 ? numberIn(most)! : Infinity
  if (!isText(separator)) return list(wordsOf(value, limit).map(text))
  if (separator.value === '') throw new Error('empty separator')
  const parts = value.split(separator.value)
  if (parts.length - 1 <= limit) return list(parts.map(text))
  const { value: mark } = separator
  const cut = fromRight ? parts.length - limit : limit
  const kept = fromRight
    ? [parts.slice(0, cut).join(mark), ...parts.slice(cut)]
    : [...parts.slice(0, cut), parts.slice(cut).join(mark)]
  return list(kept.map(text))
}

function wordsOf(value: string, limit: number): string[] {
  const words: string[] = []
  for (const { 0: word, index } of value.matchAll(WORDS)) {
    if (words.length >= limit) return [...words, value.slice(index).replace(SPACES_AFTER, '')]
    words.push(word)
  }
  return words
}

function partition(value: string, mark: string, fromRight: boolean): Value {
  const at = fromRight ? value.lastIndexOf(mark) : value.indexOf(mark)
  const parts =
    at >= 0
      ? [value.slice(0, at), mark, value.slice(at + mark.length)]
      : fromRight
        ? ['', '', value]
        : [value, '', '']
  return tuple(parts.map(text))
}

/** As Python counts: in characters, not in UTF-16 units. */
const place = (value: string, at: number) =>
  integer(at < 0 ? -1 : Array.from(value.slice(0, at)).length)

function lines(value: string): string[] {
  const parts = value.split(LINES)
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts
}

const matches = (pattern: RegExp) => (value: string) => bool(pattern.test(value))
const given = ([first]: readonly Value[]): string => {
  if (!isText(first)) throw new Error('the argument must be a text')
  return first.value
}

const METHODS: Readonly<Record<string, (value: string, args: readonly Value[]) => Value>> = {
  strip: (value, [chars]) => text(stripped(value, chars, 'both')),
  lstrip: (value, [chars]) => text(stripped(value, chars, 'left')),
  rstrip: (value, [chars]) => text(stripped(value, chars, 'right')),
  split: (value, args) => split(value, args),
  rsplit: (value, args) => split(value, args, true),
  splitlines: (value) => list(lines(value).map(text)),
  partition: (value, args) => partition(value, given(args), false),
  rpartition: (value, args) => partition(value, given(args), true),
  find: (value, args) => place(value, value.indexOf(given(args))),
  rfind: (value, args) => place(value, value.lastIndexOf(given(args))),
  index(value, args) {
    if (!value.includes(given(args))) throw new Error('substring not found')
    return place(value, value.indexOf(given(args)))
  },
  count: (value, args) => integer(value.split(given(args)).length - 1),
  format: (value, args) => text(braceFormat(value, args)),
  join: (value, [items]) => text(itemsOf(items!)!.map(given1).join(value)),
  removeprefix: (value, args) =>
    text(value.startsWith(given(args)) ? value.slice(given(args).length) : value),
  removesuffix: (value, args) =>
    text(
      given(args) !== '' && value.endsWith(given(args))
        ? value.slice(0, -given(args).length)
        : value,
    ),
  title: (value) => text(titled(value)),
  capitalize: (value) => text(capitalised(value)),
  isdigit: matches(/^\p{Nd}+$/u),
  isalpha: matches(/^\p{L}+$/u),
  isalnum: matches(/^[\p{L}\p{Nd}]+$/u),
  isspace: matches(new RegExp(`^[${SPACE}]+$`, 'u')),
}

const given1 = (value: Value): string => given([value])

/** The method `name` of a text, or undefined where the library's own is used. */
export function textMethod(value: string, name: string): Value | undefined {
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
  const call: Call | undefined = method && ((args) => method(value, args))
  return call && callable(call)
}
