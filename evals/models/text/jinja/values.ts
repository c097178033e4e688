/**
 * @file Values of the template library, and what Python makes of them: truth, equality, `str`, `repr` and JSON.
 */
import * as library from '@huggingface/jinja'

/** A value of the library; `type` names its class. */
export interface Value {
  readonly type: string
  readonly value: unknown
  readonly builtins: ReadonlyMap<string, Value>
}

export interface Scope {
  set(name: string, value: unknown): Value
  setVariable(name: string, value: Value): Value
  lookupVariable(name: string): Value
}

export type Call = (args: Value[], scope: Scope) => Value

export interface Statement {
  readonly type: string
}
export interface Program extends Statement {
  readonly type: 'Program'
}

/** The package's own types cannot be resolved from an ECMAScript module (imports without extensions). */
interface Library {
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): unknown[]
  parse(tokens: unknown[]): Program
  readonly Environment: new (parent?: Scope) => Scope
  readonly Interpreter: new (scope: Scope) => LibraryInterpreter
}

/** The parts of the library's interpreter that are used or replaced. */
interface LibraryInterpreter {
  run(program: Program): Value
  evaluate(node: Statement | undefined, scope: Scope): Value
  evaluateArguments(args: readonly Statement[], scope: Scope): [Value[], Map<string, Value>]
  evaluateMemberExpression(node: Statement, scope: Scope): Value
  evaluateTestExpression(node: Statement, scope: Scope): Value
  applyFilter(operand: Value, filter: Statement, scope: Scope): Value
}

export const jinja = library as unknown as Library

/** A plain JavaScript value as the library's: whole numbers become integers. */
export const valueOf = (input: unknown): Value => new jinja.Environment().set('value', input)

type Class = new (value: unknown) => Value
const classOf = (sample: unknown) => valueOf(sample).constructor as Class
const [Integer, Float, List, Dict, Callable] = [1, 0.5, [], {}, () => null].map(classOf) as [
  Class,
  Class,
  Class,
  Class,
  Class,
]

const scope = new jinja.Environment()
const Tuple = new jinja.Interpreter(scope).evaluate(
  { type: 'TupleLiteral', value: [] } as Statement,
  scope,
).constructor as Class

export const integer = (value: number): Value => new Integer(value)
export const float = (value: number): Value => new Float(value)
export const text = (value: string): Value => valueOf(value)
export const bool = (value: boolean): Value => valueOf(value)
export const list = (items: readonly Value[]): Value => new List([...items])
export const tuple = (items: readonly Value[]): Value => new Tuple([...items])
export const dict = (entries: Iterable<readonly [string, Value]>): Value =>
  new Dict(new Map(entries))
export const callable = (call: Call): Value => new Callable(call)
export const NONE = valueOf(null)
export const UNDEFINED = valueOf(undefined)

export const isText = (value: Value | undefined): value is Value & { value: string } =>
  value?.type === 'StringValue'
export const isList = (value: Value): value is Value & { value: Value[] } =>
  value.type === 'ArrayValue' || value.type === 'TupleValue'
export const isDict = (value: Value): value is Value & { value: Map<string, Value> } =>
  value.type === 'ObjectValue'
export const isUndefined = ({ type }: Value): boolean => type === 'UndefinedValue'
const isFloat = ({ type }: Value) => type === 'FloatValue'

/** Of a number or a truth value, which Python counts as 0 or 1. */
export const numberIn = (value: Value): number | undefined =>
  ['IntegerValue', 'FloatValue', 'BooleanValue'].includes(value.type)
    ? Number(value.value)
    : undefined

/** A float if either operand is one. */
export const numeric = (result: number, ...operands: readonly Value[]): Value =>
  operands.some(isFloat) ? float(result) : integer(result)

export function isTrue(value: Value): boolean {
  if (isList(value)) return value.value.length > 0
  return isDict(value) ? value.value.size > 0 : Boolean(value.value)
}

export function isEqual(a: Value, b: Value): boolean {
  const [x, y] = [numberIn(a), numberIn(b)]
  if (x !== undefined || y !== undefined) return x === y
  if (isList(a) && isList(b)) {
    return (
      a.type === b.type &&
      a.value.length === b.value.length &&
      a.value.every((each, i) => isEqual(each, b.value[i]!))
    )
  }
  if (isDict(a) && isDict(b)) {
    const same = ([key, each]: [string, Value]) => isEqual(each, b.value.get(key) ?? UNDEFINED)
    return a.value.size === b.value.size && [...a.value].every(same)
  }
  return a.type === b.type && a.value === b.value
}

/** The items that Python's `for` goes through; undefined where it refuses. */
export function itemsOf(value: Value): readonly Value[] | undefined {
  if (isList(value)) return value.value
  if (isText(value)) return Array.from(value.value, text)
  if (isDict(value)) return [...value.value.keys()].map(text)
  return isUndefined(value) ? [] : undefined
}

/** Keys with values, as pairs. */
export const pairsOf = (value: Value & { value: Map<string, Value> }): Value =>
  list([...value.value].map(([key, each]) => tuple([text(key), each])))

/** Python's `str`. */
export function str(value: Value): string {
  if (isText(value)) return value.value
  return isUndefined(value) ? '' : repr(value)
}

/** Python's `repr`. */
export function repr(value: Value): string {
  if (isText(value)) return reprOfText(value.value)
  if (value.type === 'BooleanValue') return value.value ? 'True' : 'False'
  if (value.type === 'NullValue') return 'None'
  if (isFloat(value)) return reprOfFloat(value.value as number)
  if (isDict(value)) {
    return `{${[...value.value].map(([key, each]) => `${reprOfText(key)}: ${repr(each)}`).join(', ')}}`
  }
  if (!isList(value)) return isUndefined(value) ? 'Undefined' : String(value.value)
  const inner = value.value.map(repr).join(', ')
  if (value.type === 'ArrayValue') return `[${inner}]`
  return value.value.length === 1 ? `(${inner},)` : `(${inner})`
}

function reprOfFloat(value: number): string {
  const size = Math.abs(value)
  if (value !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits, exponent] = value.toExponential().split('e') as [string, string]
    return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`
  }
  if (Object.is(value, -0)) return '-0.0'
  return Number.isInteger(value) ? value.toFixed(1) : String(value)
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function reprOfText(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'"
  const escaped = value.replace(/[\\\p{Cc}'"]/gu, (each) => {
    if (each === '"' || each === "'") return each === quote ? `\\${each}` : each
    if (each === '\\') return '\\\\'
    return ESCAPES[each] ?? `\\x${each.codePointAt(0)!.toString(16).padStart(2, '0')}`
  })
  return quote + escaped + quote
}

interface JsonOptions {
  readonly ensureAscii: boolean
  /** Spaces a level; null for one line. */
  readonly indent: number | null
  readonly separators: readonly [string, string]
  readonly sortKeys: boolean
}

const NON_ASCII = /[\x7f-\uffff]/g
const escapedUnit = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Python's `json.dumps`. */
export function jsonOf(value: Value, options: JsonOptions, depth = 0): string {
  const { ensureAscii, indent, separators, sortKeys } = options
  const quoted = (each: string) => {
    const json = JSON.stringify(each)
    return ensureAscii ? json.replace(NON_ASCII, escapedUnit) : json
  }
  if (isText(value)) return quoted(value.value)
  if (isFloat(value)) return reprOfFloat(value.value as number)
  const inner = (each: Value) => jsonOf(each, options, depth + 1)
  const joined = (parts: readonly string[], open: string, close: string) => {
    if (indent === null || parts.length === 0) return open + parts.join(separators[0]) + close
    const line = (level: number) => `\n${' '.repeat(indent * level)}`
    const between = separators[0] + line(depth + 1)
    return open + line(depth + 1) + parts.join(between) + line(depth) + close
  }
  if (isList(value)) return joined(value.value.map(inner), '[', ']')
  if (isDict(value)) {
    const entries = [...value.value]
    if (sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
    const pairs = entries.map(([key, each]) => quoted(key) + separators[1] + inner(each))
    return joined(pairs, '{', '}')
  }
  if (value.type === 'NullValue') return 'null'
  if (isUndefined(value) || typeof value.value === 'function') {
    throw new Error(`a value of type ${value.type} is not JSON`)
  }
  return JSON.stringify(value.value)
}
