/**
 * @file `--methods lora,full` and the settings of the chosen methods: `--rank 8` goes to every chosen method that has a
 * rank, `--lora.rank 8` to one.
 */
import { z } from 'zod'
import { TouchstoneError, unknownName } from '../errors.ts'
import { findMethod, METHODS } from '../finetune/registry.ts'
import { readEnvironment, variableOf, type Given } from './arguments.ts'
import { fieldsOf, type Field } from './fields.ts'
import { isObject, issueError, layerOf, merged, type Layer } from './flags.ts'

export interface MethodChoice {
  readonly name: string
  readonly config: Record<string, unknown>
}

const METHODS_FIELD: Field = fieldsOf(
  z.object({
    methods: z
      .array(z.string())
      .default([])
      .meta({
        label: 'Methods',
        help: `How to fine-tune: ${METHODS.map(({ name }) => name).join(', ')}`,
      }),
  }),
)[0]!

const fieldsOfMethod = (name: string): Field[] => fieldsOf(findMethod(name).config)

const qualified = (method: string, field: Field): Field => ({
  ...field,
  flag: `${method}.${field.flag}`,
})

/** `--methods`, then every method's own flags once, then the same for one method alone. */
export function methodFields(): Field[] {
  const own = METHODS.map(({ name }) => ({ name, fields: fieldsOfMethod(name) }))
  const shared = new Map<string, Field>()
  for (const { fields } of own)
    for (const field of fields) if (!shared.has(field.flag)) shared.set(field.flag, field)
  const single = own.flatMap(({ name, fields }) => fields.map((field) => qualified(name, field)))
  return [METHODS_FIELD, ...shared.values(), ...single]
}

/** The methods that have a flag, for help and for errors. */
export const methodsWith = (flag: string): string[] =>
  METHODS.map(({ name }) => name).filter((name) =>
    fieldsOfMethod(name).some((field) => field.flag === flag),
  )

/** What help says of a shared flag: whose it is, and which of them begin elsewhere than the first. */
export function sharedHelp({ flag, help, default: first }: Field): string {
  const others = methodsWith(flag).flatMap((name) => {
    const own = fieldsOfMethod(name).find((field) => field.flag === flag)!.default
    return JSON.stringify(own) === JSON.stringify(first) ? [] : [`${name} ${String(own)}`]
  })
  const apart = others.length === 0 ? '' : `; ${others.join(', ')}`
  return `${methodsWith(flag).join(', ')}: ${help}${apart}`
}

/** About each method: where it comes from, how near to it this is, and what is uncertain or disputed. */
export const aboutMethods = (): string =>
  METHODS.map(({ name, title, paper, faithfulness, notes = [] }) =>
    [`  ${name}: ${title} (${paper}; ${faithfulness})`, ...notes.map((note) => `    ${note}`)].join(
      '\n',
    ),
  ).join('\n')

/** `stored` holds what a preset and a file say of methods; only names that are chosen count. */
export function chooseMethods(
  stored: unknown,
  given: Given,
  environment: Readonly<Record<string, string | undefined>>,
): MethodChoice[] {
  const before = storedChoices(stored)
  const fromEnvironment = readEnvironment(environment, methodFields())
  const named = namesIn(given) ?? namesIn(fromEnvironment) ?? before.map(({ name }) => name)
  named.forEach(findMethod)
  refuseTwice(named)
  refuseUnused(given, named)
  return named.map((name) => {
    const base = before.find((choice) => choice.name === name)?.config ?? {}
    const config = merged([
      base,
      ownLayer(name, fromEnvironment, variableOf),
      ownLayer(name, given),
    ])
    return { name, config: parseMethod(name, config) }
  })
}

const namesIn = (given: Given): string[] | undefined => {
  if (!given.has(METHODS_FIELD.flag)) return undefined
  const { methods } = layerOf([METHODS_FIELD], given)
  return (methods as string[]).filter((name) => name !== '')
}

/** The shared flags, then those for this method alone. */
function ownLayer(name: string, given: Given, nameOf?: (flag: string) => string): Layer {
  const fields = fieldsOfMethod(name)
  const alone = fields.map((field) => qualified(name, field))
  return merged([layerOf(fields, given, nameOf), layerOf(alone, given, nameOf)])
}

function parseMethod(name: string, config: Layer): Record<string, unknown> {
  const fields = fieldsOfMethod(name)
  const known = fields.flatMap(({ path: [key] }) => key!)
  const unknown = Object.keys(config).find((key) => !known.includes(key))
  if (unknown !== undefined) throw unknownName(`setting of ${name}`, unknown, known)
  const parsed = findMethod(name).config.safeParse(config)
  if (parsed.success) return parsed.data as Record<string, unknown>
  throw issueError(parsed.error.issues[0]!, fields, config)
}

function storedChoices(stored: unknown): MethodChoice[] {
  if (stored === undefined) return []
  const choices = Array.isArray(stored) ? stored.map(toChoice) : [undefined]
  if (choices.every((choice) => choice !== undefined)) return choices
  throw new TouchstoneError('usage.invalid', {
    problem: 'The "methods" of the configuration file cannot be read.',
    remedy: 'Write them as ["lora"] or [{"name": "lora", "config": {"rank": 8}}].',
  })
}

function toChoice(entry: unknown): MethodChoice | undefined {
  if (typeof entry === 'string') return { name: entry, config: {} }
  if (!isObject(entry) || typeof entry['name'] !== 'string') return undefined
  const { name, config = {} } = entry
  return isObject(config) ? { name: String(name), config } : undefined
}

function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice === undefined) return
  throw new TouchstoneError('usage.invalid', {
    problem: `The method "${twice}" is named twice.`,
    remedy: 'Name each method once; compare settings in separate runs.',
  })
}

function refuseUnused(given: Given, names: readonly string[]): void {
  const used = new Set(
    names.flatMap((name) => fieldsOfMethod(name).flatMap(({ flag }) => [flag, `${name}.${flag}`])),
  )
  const unused = methodFields()
    .slice(1)
    .find(({ flag }) => given.has(flag) && !used.has(flag))
  if (!unused) return
  const [method = ''] = unused.flag.includes('.')
    ? unused.flag.split('.')
    : methodsWith(unused.flag)
  throw new TouchstoneError('usage.invalid', {
    problem: `--${unused.flag} belongs to ${method}, and ${names.length === 0 ? 'no method was named' : `the methods are ${names.join(', ')}`}.`,
    remedy: `Add ${method} to --methods, or leave --${unused.flag} out.`,
  })
}
