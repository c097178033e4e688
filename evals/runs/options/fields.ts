/**
 * @file The options of a command, derived from its zod schema: one field per flag, nested objects flattened.
 * `.meta({ flag, short, repeat, named, bare, value, once })` changes how one is written.
 */
import { z } from 'zod'
import { boundsText, formFields, type FormField } from '../../contract/form.ts'

export interface Field extends Omit<FormField, 'hints'> {
  /** Without dashes: `batch-size`. */
  readonly flag: string
  readonly short: string | null
  /** Whether `a,b` means two items. Paths may contain commas, so their flags are repeated instead. */
  readonly splitsAtCommas: boolean
  /** Whether its items are written NAME=… and are replaced by name. */
  readonly isNamed: boolean
  /** Value of the flag without a value; null if a value must follow. */
  readonly bare: string | null
  /** Placeholder of the value in help; null for the flag's last word. */
  readonly valueName: string | null
  /** Whether it must be in the command itself, and no environment variable sets it. */
  readonly isOnce: boolean
}

/** In the schema's order. Lists of objects are not flags; other code reads them. */
export function fieldsOf(schema: z.ZodType): Field[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const fields = formFields(json).map(toField)
  const clash = fields.find(({ flag }, index) =>
    fields.slice(0, index).some((earlier) => earlier.flag === flag),
  )
  if (clash) throw new Error(`internal: two options are both written --${clash.flag}`)
  return fields
}

function toField({ hints, ...field }: FormField): Field {
  return {
    ...field,
    flag: hints.flag ?? kebabCase(field.path.at(-1)!),
    short: hints.short ?? null,
    splitsAtCommas: field.isArray && hints.repeat !== true,
    isNamed: hints.named === true,
    bare: hints.bare ?? null,
    valueName: hints.value ?? null,
    isOnce: hints.once === true,
  }
}

const kebabCase = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** "a whole number from 1 to 1024", "one of auto, cpu". */
export function describeValue({ type, choices, bounds, fewest }: Field): string {
  if (choices) return `one of ${choices.join(', ')}`
  if (type === 'boolean') return 'true or false'
  if (type === 'string')
    return fewest === undefined ? 'some text' : `a text of at least ${fewest} characters`
  const kind = type === 'integer' ? 'a whole number' : 'a number'
  const within = boundsText(bounds)
  if (within === '') return kind
  return within.startsWith('at ') ? `${kind}, ${within}` : `${kind} ${within}`
}
