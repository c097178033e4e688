/**
 * @file Chat templates as Jinja2 renders them. `@huggingface/jinja` 0.5 parses and runs them; where it differs from Jinja2 and
 * Python (operators, printed values, loops, methods of texts, filters) its interpreter is replaced here.
 */
import { FILTERS, testedBy } from './filters.ts'
import { withMarks } from './marks.ts'
import { binary } from './operators.ts'
import { textMethod } from './text-methods.ts'
import {
  bool,
  callable,
  dict,
  integer,
  isList,
  isDict,
  isText,
  isTrue,
  isUndefined,
  itemsOf,
  jinja,
  pairsOf,
  str,
  text,
  UNDEFINED,
  valueOf,
  type Program,
  type Scope,
  type Statement,
  type Value,
} from './values.ts'

interface Identifier extends Statement {
  readonly value: string
}
interface Binary extends Statement {
  readonly left: Statement
  readonly right: Statement
  readonly operator: { readonly value: string }
}
interface Member extends Statement {
  readonly object: Statement
  readonly property: Identifier
  readonly computed: boolean
}
interface FilterCall extends Statement {
  readonly callee: Identifier
  readonly args: readonly Statement[]
}
interface Test extends Statement {
  readonly operand: Statement
  readonly test: Identifier
  readonly negate: boolean
}
interface Select extends Statement {
  readonly lhs: Statement
  readonly test: Statement
}
interface Loop extends Statement {
  readonly loopvar: Identifier | (Statement & { readonly value: readonly Identifier[] })
  readonly iterable: Statement | Select
  readonly body: readonly Statement[]
  readonly defaultBlock: readonly Statement[]
}

/** Statements that write nothing. */
const SILENT = ['Set', 'Macro', 'Comment']

/** Truth of the left side at which the right side is evaluated. */
const GOES_ON: Readonly<Record<string, boolean>> = { and: true, or: false }

class JinjaInterpreter extends jinja.Interpreter {
  evaluateBlock(statements: readonly Statement[], scope: Scope): Value {
    let written = ''
    for (const statement of statements) {
      const value = attempt(() => this.evaluate(statement, scope))
      if (value instanceof Jump) throw new Jump(value.kind, written + value.written)
      if (!SILENT.includes(statement.type)) written += str(value)
    }
    return text(written)
  }

  evaluateBinaryExpression({ left, right, operator }: Binary, scope: Scope): Value {
    const first = this.evaluate(left, scope)
    const truth = GOES_ON[operator.value]
    if (truth !== undefined) return isTrue(first) === truth ? this.evaluate(right, scope) : first
    return binary(operator.value, first, this.evaluate(right, scope))
  }

  override evaluateMemberExpression(node: Member, scope: Scope): Value {
    const object = this.evaluate(node.object, scope)
    if (isUndefined(object)) throw new Error(`${shown(node.object)} is undefined`)
    const method = methodOf(object, node)
    // Evaluated already: the library must not run a call with effects on a namespace twice.
    return (
      method ?? super.evaluateMemberExpression({ ...node, object: held(object) } as Member, scope)
    )
  }

  override evaluate(node: Statement | undefined, scope: Scope): Value {
    return node && HELD in node ? (node[HELD] as Value) : super.evaluate(node, scope)
  }

  override evaluateTestExpression(node: Test, scope: Scope): Value {
    const operand = this.evaluate(node.operand, scope)
    const found = testedBy(node.test.value, operand)
    if (found) return bool(isTrue(found) !== node.negate)
    return super.evaluateTestExpression({ ...node, operand: held(operand) } as Test, scope)
  }

  override applyFilter(operand: Value, filter: Identifier | FilterCall, scope: Scope): Value {
    const name = 'callee' in filter ? filter.callee.value : filter.value
    if (name === 'default' || name === 'd') return this.default(operand, filter, scope)
    const own = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined
    const [args, named] =
      own && 'args' in filter
        ? this.evaluateArguments(filter.args, scope)
        : [[], new Map<string, Value>()]
    return own?.(operand, { args, named }) ?? super.applyFilter(operand, filter, scope)
  }

  private default(operand: Value, filter: Identifier | FilterCall, scope: Scope): Value {
    const [args, named] =
      'args' in filter ? this.evaluateArguments(filter.args, scope) : [[], new Map<string, Value>()]
    const [other = named.get('default_value') ?? text(''), second] = args
    const isLoose = isTrue(second ?? named.get('boolean') ?? UNDEFINED)
    return isUndefined(operand) || (isLoose && !isTrue(operand)) ? other : operand
  }

  /** Each round has a scope of its own: what it sets is gone in the next. */
  evaluateFor({ loopvar, iterable, body, defaultBlock }: Loop, scope: Scope): Value {
    const isFiltered = iterable.type === 'SelectExpression'
    const { lhs, test } = iterable as Select
    const all = itemsOf(this.evaluate(isFiltered ? lhs : iterable, scope))
    if (!all) throw new Error(`${shown(iterable)} is not iterable`)
    const within = (item: Value) => {
      const inner = new jinja.Environment(scope)
      assign(loopvar, item, inner)
      return inner
    }
    const items = isFiltered ? all.filter((item) => isTrue(this.evaluate(test, within(item)))) : all
    if (items.length === 0) return this.evaluateBlock(defaultBlock, scope)
    let written = ''
    for (const [at, item] of items.entries()) {
      const inner = within(item)
      inner.setVariable('loop', loopOf(items, at))
      const round = attempt(() => this.evaluateBlock(body, inner))
      written += round instanceof Jump ? round.written : str(round)
      if (round instanceof Jump && round.kind === 'Break') break
    }
    return text(written)
  }
}

const HELD = Symbol('an expression that is evaluated already')
const held = (value: Value): Statement => ({ type: 'Held', [HELD]: value }) as Statement

/** A name for errors. */
const shown = (node: Statement): string => {
  const { value, property } = node as Partial<Identifier & Member>
  return `'${String(property?.value ?? value ?? node.type)}'`
}

function methodOf(object: Value, { property, computed }: Member): Value | undefined {
  if (computed) return undefined
  if (isText(object)) return textMethod(object.value, property.value)
  if (isDict(object) && property.value === 'items' && !object.value.has('items'))
    return callable(() => pairsOf(object))
  if (!isList(object)) return undefined
  const { value: items } = object
  if (property.value === 'index')
    return callable(([wanted]) =>
      integer(items.findIndex((each) => isTrue(binary('==', each, wanted!)))),
    )
  if (property.value === 'count')
    return callable(([wanted]) =>
      integer(items.filter((each) => isTrue(binary('==', each, wanted!))).length),
    )
  return undefined
}

function assign(target: Loop['loopvar'], item: Value, scope: Scope): void {
  if (typeof target.value === 'string') {
    scope.setVariable(target.value, item)
    return
  }
  const parts = itemsOf(item)
  if (parts?.length !== target.value.length) throw new Error('a loop’s values cannot be unpacked')
  target.value.forEach(({ value }, i) => scope.setVariable(value, parts[i]!))
}

type JumpKind = 'Break' | 'Continue'

/** `break` or `continue`, with what its round has written so far. */
class Jump extends Error {
  readonly kind: JumpKind
  readonly written: string
  constructor(kind: JumpKind, written: string) {
    super(`${kind} outside a loop`)
    this.kind = kind
    this.written = written
  }
}

function attempt(run: () => Value): Value | Jump {
  try {
    return run()
  } catch (error) {
    if (error instanceof Jump) return error
    const kind = JUMPS.get((error as Error).constructor)
    if (!kind) throw error
    return new Jump(kind, '')
  }
}

/** The library's classes of the two, which it does not export. */
const JUMPS = new Map(
  (['Break', 'Continue'] as const).map((type) => {
    const scope = new jinja.Environment()
    try {
      new jinja.Interpreter(scope).evaluate({ type }, scope)
    } catch (error) {
      return [(error as Error).constructor, type]
    }
    throw new Error(`internal: the template library ignores ${type}`)
  }),
)

const loopOf = (items: readonly Value[], at: number): Value =>
  dict([
    ['index', integer(at + 1)],
    ['index0', integer(at)],
    ['revindex', integer(items.length - at)],
    ['revindex0', integer(items.length - at - 1)],
    ['first', bool(at === 0)],
    ['last', bool(at === items.length - 1)],
    ['length', integer(items.length)],
    ['previtem', items[at - 1] ?? UNDEFINED],
    ['nextitem', items[at + 1] ?? UNDEFINED],
    ['depth', integer(1)],
    ['cycle', callable((args) => args[at % args.length]!)],
  ])

/** Python's `dict`: of a mapping, of pairs, and of names. */
const makeDict = callable((args) => {
  const entries = new Map<string, Value>()
  for (const each of args) {
    const pairs = each.value instanceof Map ? (each.value as Map<string, Value>) : entriesOf(each)
    for (const [key, value] of pairs) entries.set(key, value)
  }
  return dict(entries)
})

const entriesOf = (value: Value) =>
  (itemsOf(value) ?? []).map((pair) => {
    const [key, item] = itemsOf(pair) ?? []
    return [str(key!), item!] as const
  })

/** With the white space settings of transformers. */
export const parseTemplate = (source: string): Program =>
  jinja.parse(jinja.tokenize(withMarks(source), { lstrip_blocks: true, trim_blocks: true }))

export function renderTemplate(
  program: Program,
  variables: Readonly<Record<string, unknown>>,
): string {
  const scope = new jinja.Environment()
  scope.setVariable('dict', makeDict)
  for (const [name, value] of Object.entries(variables)) scope.setVariable(name, valueOf(value))
  return str(new JinjaInterpreter(scope).run(program))
}
