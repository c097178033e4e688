/** @file Filters and tests that the template library lacks or does otherwise than Jinja2. */
import { capitalised, stripped } from './text-methods.ts'
import {
  bool,
  float,
  integer,
  isDict,
  isEqual,
  isList,
  isText,
  isTrue,
  isUndefined,
  itemsOf,
  jsonOf,
  list,
  NONE,
  numberIn,
  numeric,
  pairsOf,
  str,
  text,
  UNDEFINED,
  type Value,
} from './values.ts'

/** Positional and named arguments of a filter. */
interface Given {
  readonly args: readonly Value[]
  readonly named: ReadonlyMap<string, Value>
}
type Filter = (operand: Value, given: Given) => Value

/** The argument at a place or of a name. */
const argument = ({ args, named }: Given, at: number, name: string): Value | undefined =>
  args[at] ?? named.get(name)

const items = (operand: Value): readonly Value[] => {
  const found = itemsOf(operand)
  if (!found) throw new Error(`a value of type ${operand.type} is not iterable`)
  return found
}

function toJson(operand: Value, given: Given): Value {
  const indent = argument(given, 1, 'indent')
  const separators = argument(given, 2, 'separators')
  const isPretty = indent !== undefined && numberIn(indent) !== undefined
  const pair =
    separators && isList(separators) ? (separators.value.map(str) as [string, string]) : undefined
  return text(
    jsonOf(operand, {
      ensureAscii: isTrue(argument(given, 0, 'ensure_ascii') ?? NONE),
      indent: isPretty ? numberIn(indent)! : null,
      separators: pair ?? [isPretty ? ',' : ', ', ': '],
      sortKeys: isTrue(argument(given, 3, 'sort_keys') ?? NONE),
    }),
  )
}

function sum(operand: Value, given: Given): Value {
  const path = argument(given, 0, 'attribute')
  const start = argument(given, 1, 'start') ?? integer(0)
  return items(operand)
    .map((each) => (path ? attributeOf(each, str(path)) : each))
    .reduce((total, each) => {
      const [a, b] = [numberIn(total), numberIn(each)]
      if (a === undefined || b === undefined) throw new Error('sum of values that are no numbers')
      return numeric(a + b, total, each)
    }, start)
}

/** By a path with dots, as Jinja2's `attribute`. */
const attributeOf = (value: Value, path: string): Value =>
  path.split('.').reduce((each: Value, name) => {
    if (isDict(each)) return each.value.get(name) ?? UNDEFINED
    return isList(each) && /^\d+$/u.test(name) ? (each.value[Number(name)] ?? UNDEFINED) : UNDEFINED
  }, value)

const extreme =
  (isBetter: (a: number | string, b: number | string) => boolean): Filter =>
  (operand) =>
    items(operand).reduce<Value>(
      (best, each) =>
        isUndefined(best) || isBetter(comparable(each), comparable(best)) ? each : best,
      UNDEFINED,
    )

const comparable = (value: Value): number | string =>
  isText(value) ? value.value.toLowerCase() : numberIn(value)!

function sortedPairs(operand: Value, given: Given): Value {
  if (!isDict(operand)) throw new Error('dictsort of a value that is no mapping')
  const isExact = isTrue(argument(given, 0, 'case_sensitive') ?? NONE)
  const at = str(argument(given, 1, 'by') ?? text('key')) === 'key' ? 0 : 1
  const sign = isTrue(argument(given, 2, 'reverse') ?? NONE) ? -1 : 1
  const keyOf = (pair: Value) => {
    const part = (pair.value as Value[])[at]!
    return isExact && isText(part) ? part.value : comparable(part)
  }
  const order = (a: Value, b: Value) =>
    keyOf(a) < keyOf(b) ? -sign : keyOf(a) > keyOf(b) ? sign : 0
  return list((pairsOf(operand).value as Value[]).toSorted(order))
}

/** Jinja2's `title`: after white space and opening brackets. */
const titled = (value: string) =>
  value
    .split(/(?<mark>[-\s({[<]+)/u)
    .map(capitalised)
    .join('')

const JOINED: Filter = (operand, given) => {
  const path = argument(given, 1, 'attribute')
  const parts = items(operand).map((each) => str(path ? attributeOf(each, str(path)) : each))
  return text(parts.join(str(argument(given, 0, 'd') ?? text(''))))
}

const LENGTH: Filter = (operand) => integer(items(operand).length)

/** Each item by a named filter, such as `map('upper')`. */
function mapped(operand: Value, given: Given): Value | undefined {
  const [name, ...args] = given.args
  const filter = isText(name) ? FILTERS[name.value] : undefined
  return (
    filter &&
    list(items(operand).map((each) => filter(each, { args, named: given.named }) ?? UNDEFINED))
  )
}

const chosen =
  (wanted: boolean): Filter =>
  (operand, { args: [name, value] }) => {
    const test = name ? TESTS[str(name)] : isTrue
    if (!test) throw new Error(`no test named ${str(name!)}`)
    return list(items(operand).filter((each) => test(each, value) === wanted))
  }

const toInteger: Filter = (operand, given) => {
  const number = numberIn(operand) ?? (isText(operand) ? pythonNumber(operand.value) : undefined)
  return number === undefined
    ? (argument(given, 0, 'default') ?? integer(0))
    : integer(Math.trunc(number))
}

const toFloat: Filter = (operand, given) => {
  const number = numberIn(operand) ?? (isText(operand) ? pythonNumber(operand.value) : undefined)
  return number === undefined ? (argument(given, 0, 'default') ?? float(0)) : float(number)
}

const pythonNumber = (value: string): number | undefined =>
  /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?\s*$/iu.test(value) ? Number(value) : undefined

/** By name. `map` gives undefined where the library's own does it. */
export const FILTERS: Readonly<
  Record<string, (...asked: Parameters<Filter>) => Value | undefined>
> = {
  tojson: toJson,
  string: (operand) => text(str(operand)),
  trim: (operand, given) => text(stripped(str(operand), argument(given, 0, 'chars'), 'both')),
  upper: (operand) => text(str(operand).toUpperCase()),
  lower: (operand) => text(str(operand).toLowerCase()),
  capitalize: (operand) => text(capitalised(str(operand))),
  title: (operand) => text(titled(str(operand))),
  length: LENGTH,
  count: LENGTH,
  join: JOINED,
  list: (operand) => list(items(operand)),
  first: (operand) => items(operand)[0] ?? UNDEFINED,
  last: (operand) => items(operand).at(-1) ?? UNDEFINED,
  reverse: (operand) =>
    isText(operand)
      ? text(Array.from(operand.value).reverse().join(''))
      : list(items(operand).toReversed()),
  dictsort: sortedPairs,
  sum,
  min: extreme((a, b) => a < b),
  max: extreme((a, b) => a > b),
  map: mapped,
  select: chosen(true),
  reject: chosen(false),
  int: toInteger,
  float: toFloat,
  items: (operand) => (isDict(operand) ? pairsOf(operand) : list(items(operand))),
}

/** Tests by name; the library's own where absent. */
const TESTS: Readonly<Record<string, (operand: Value, value?: Value) => boolean>> = {
  iterable: (operand) => itemsOf(operand) !== undefined,
  number: (operand) => numberIn(operand) !== undefined,
  float: ({ type }) => type === 'FloatValue',
  eq: (operand, value) => isEqual(operand, value ?? UNDEFINED),
  equalto: (operand, value) => isEqual(operand, value ?? UNDEFINED),
  ne: (operand, value) => !isEqual(operand, value ?? UNDEFINED),
  string: isText,
  mapping: isDict,
  defined: (operand) => !isUndefined(operand),
  undefined: isUndefined,
  none: ({ type }) => type === 'NullValue',
  odd: (operand) => Math.abs(numberIn(operand)! % 2) === 1,
  even: (operand) => numberIn(operand)! % 2 === 0,
}

export const testedBy = (name: string, operand: Value): Value | undefined => {
  const test = Object.hasOwn(TESTS, name) ? TESTS[name] : undefined
  return test && bool(test(operand))
}
