/** @file Binary operators of Jinja2 on values of the template library, with Python's meaning. */
import { percentFormat } from './text-methods.ts'
import {
  bool,
  float,
  isDict,
  isEqual,
  isList,
  isText,
  isUndefined,
  itemsOf,
  list,
  numberIn,
  numeric,
  str,
  text,
  type Value,
} from './values.ts'

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '//': (a, b) => Math.floor(a / b),
  // The sign of the divisor, as in Python.
  '%': (a, b) => a - b * Math.floor(a / b),
}

const ORDER: Readonly<Record<string, (a: number) => boolean>> = {
  '<': (a) => a < 0,
  '>': (a) => a > 0,
  '<=': (a) => a <= 0,
  '>=': (a) => a >= 0,
}

/** Throws where Python raises. */
export function binary(operator: string, a: Value, b: Value): Value {
  if (operator === '==') return bool(isEqual(a, b))
  if (operator === '!=') return bool(!isEqual(a, b))
  if (operator === '~') return text(str(a) + str(b))
  if (operator === 'in') return bool(isIn(a, b))
  if (operator === 'not in') return bool(!isIn(a, b))
  const made =
    operator in ORDER
      ? compared(operator, a, b)
      : (onTexts(operator, a, b) ?? onNumbers(operator, a, b))
  if (made) return made
  throw new Error(`"${operator}" between ${a.type} and ${b.type}`)
}

function isIn(item: Value, container: Value): boolean {
  if (isUndefined(container)) return false
  if (isText(container)) {
    if (!isText(item)) throw new Error('only a text can be in a text')
    return container.value.includes(item.value)
  }
  if (isDict(container)) return isText(item) && container.value.has(item.value)
  const items = itemsOf(container)
  if (!items) throw new Error(`a value of type ${container.type} is not iterable`)
  return items.some((each) => isEqual(each, item))
}

function compared(operator: string, a: Value, b: Value): Value | undefined {
  const [x, y] = [numberIn(a), numberIn(b)]
  if (x !== undefined && y !== undefined) return bool(ORDER[operator]!(x - y))
  if (!isText(a) || !isText(b)) return undefined
  return bool(ORDER[operator]!(a.value < b.value ? -1 : Number(a.value > b.value)))
}

function onTexts(operator: string, a: Value, b: Value): Value | undefined {
  if (operator === '+' && isText(a) && isText(b)) return text(a.value + b.value)
  if (operator === '+' && isList(a) && isList(b)) return list([...a.value, ...b.value])
  if (operator === '%' && isText(a)) return text(percentFormat(a.value, b))
  if (operator !== '*') return undefined
  const [repeated, times] = isText(a) || isList(a) ? [a, numberIn(b)] : [b, numberIn(a)]
  if (times === undefined) return undefined
  const count = Math.max(0, times)
  if (isText(repeated)) return text(repeated.value.repeat(count))
  const rounds = Array.from({ length: count })
  return isList(repeated) ? list(rounds.flatMap(() => repeated.value)) : undefined
}

function onNumbers(operator: string, a: Value, b: Value): Value | undefined {
  const [x, y] = [numberIn(a), numberIn(b)]
  if (x === undefined || y === undefined) return undefined
  if (['/', '//', '%'].includes(operator) && y === 0) throw new Error('division by zero')
  if (operator === '/') return float(x / y)
  if (operator === '**') return y < 0 ? float(x ** y) : numeric(x ** y, a, b)
  const compute = ARITHMETIC[operator]
  return compute && numeric(compute(x, y), a, b)
}
