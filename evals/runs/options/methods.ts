/**
 * @file `--methods lora,full` and the settings of the chosen methods: `--rank 8` goes to every chosen method that has a
 * rank, `--lora.rank 8` to one. `--methods low=lora,high=lora` gives arms names of their own, and `--low.rank 2` a setting to one.
 */
import { z } from 'zod'
import { armNameOf, type MethodChoice } from '../../finetune/method-choice.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { unknownName } from '../../errors/names.ts'
import { findMethod, METHODS } from '../../finetune/registry.ts'
import { readEnvironment, saidOf, variableOf, type Given } from './arguments.ts'
import { fieldsOf, type Field } from './fields.ts'
import { isObject, issueError, layerOf, merged, type Layer } from './flags.ts'

const METHODS_FIELD: Field = fieldsOf(
  z.object({
    methods: z
      .array(z.string())
      .default([])
      .meta({
        label: 'Methods',
        help: `How to fine-tune: ${METHODS.map(({ name }) => name).join(', ')}; NAME=METHOD to have one twice`,
      }),
  }),
)[0]!

const read = new Map<string, readonly Field[]>()

/** Computed once, because help needs each method for each flag of every verb that trains. */
function fieldsOfMethod(name: string): readonly Field[] {
  const fields = read.get(name) ?? fieldsOf(findMethod(name).config)
  read.set(name, fields)
  return fields
}

/** `owner` is a method or an arm. */
const qualified = (owner: string, field: Field): Field => ({
  ...field,
  flag: `${owner}.${field.flag}`,
})

const namedArms = (choices: readonly MethodChoice[]): MethodChoice[] =>
  choices.filter(({ arm }) => arm !== undefined)

/** `--methods`, then every method's flags once, then per method, then per named arm. */
export function methodFields(arms: readonly MethodChoice[] = []): Field[] {
  const own = METHODS.map(({ name }) => ({ name, fields: fieldsOfMethod(name) }))
  const shared = new Map<string, Field>()
  for (const { fields } of own)
    for (const field of fields) if (!shared.has(field.flag)) shared.set(field.flag, field)
  const single = own.flatMap(({ name, fields }) => fields.map((field) => qualified(name, field)))
  const ofArms = namedArms(arms).flatMap((choice) =>
    fieldsOfMethod(choice.name).map((field) => qualified(armNameOf(choice), field)),
  )
  return [METHODS_FIELD, ...shared.values(), ...single, ...ofArms]
}

/** The arms whose flags may be in `argv`: those that it names, or else the stored ones. */
export function armsAsked(argv: readonly string[], stored: unknown): MethodChoice[] {
  const asked = saidOf(argv, METHODS_FIELD.flag)
  if (asked.length === 0) return storedChoices(stored)
  return asked.flatMap((text) => text.split(',').map(choiceOf))
}

const ARM_NAME = /^[\w-]+$/

/** `lora`, or `low=lora` for an arm of that name. */
function choiceOf(text: string): MethodChoice {
  const [arm, name, ...rest] = text.split('=').map((part) => part.trim())
  if (name === undefined) return { name: arm!, config: {} }
  findMethod(name)
  const isTaken = arm === 'base' || METHODS.some((method) => method.name === arm)
  if (rest.length > 0 || isTaken || !ARM_NAME.test(arm!)) {
    throw usageError(
      `"${text}" names no variant.`,
      'Write NAME=METHOD, the name in letters, digits, - and _, and neither base nor a method’s.',
    )
  }
  return { name, arm: arm!, config: {} }
}

/** The methods that have a flag, for help and for errors. */
const methodsWith = (flag: string): string[] =>
  METHODS.map(({ name }) => name).filter((name) =>
    fieldsOfMethod(name).some((field) => field.flag === flag),
  )

/** Help of a shared flag: its methods, and those whose default differs from the first. */
export function sharedHelp({ flag, help, default: first }: Field): string {
  const others = methodsWith(flag).flatMap((name) => {
    const own = fieldsOfMethod(name).find((field) => field.flag === flag)!.default
    return JSON.stringify(own) === JSON.stringify(first) ? [] : [`${name} ${String(own)}`]
  })
  const apart = others.length === 0 ? '' : `; ${others.join(', ')}`
  return `${methodsWith(flag).join(', ')}: ${help}${apart}`
}

/** Help about each method: its source, how faithful the implementation is, and what is uncertain. */
export const aboutMethods = (): string =>
  METHODS.map(({ name, title, paper, faithfulness, notes = [] }) =>
    [`  ${name}: ${title} (${paper}; ${faithfulness})`, ...notes.map((note) => `    ${note}`)].join(
      '\n',
    ),
  ).join('\n')

/** `stored` holds the methods of a preset and a file; only chosen names count. */
export function chooseMethods(
  stored: unknown,
  given: Given,
  environment: Readonly<Record<string, string | undefined>>,
): MethodChoice[] {
  const before = storedChoices(stored)
  const fromEnvironment = readEnvironment(environment, methodFields())
  const chosen = choicesIn(given) ?? choicesIn(fromEnvironment) ?? before
  chosen.forEach(({ name }) => findMethod(name))
  refuseTwice(chosen.map(armNameOf))
  refuseUnused(given, chosen)
  return chosen.map((choice) => {
    const stored = before.find((other) => armNameOf(other) === armNameOf(choice))
    const config = merged([
      stored?.name === choice.name ? stored.config : {},
      ownLayer(choice, fromEnvironment, variableOf),
      ownLayer(choice, given),
    ])
    return { ...choice, config: parseMethod(choice.name, config) }
  })
}

const choicesIn = (given: Given): MethodChoice[] | undefined => {
  if (!given.has(METHODS_FIELD.flag)) return undefined
  const { methods } = layerOf([METHODS_FIELD], given)
  return (methods as string[]).filter((text) => text !== '').map(choiceOf)
}

/** The shared flags, then those for this method alone, then for this arm. */
function ownLayer(choice: MethodChoice, given: Given, nameOf?: (flag: string) => string): Layer {
  const fields = fieldsOfMethod(choice.name)
  const owners = [...new Set([choice.name, armNameOf(choice)])]
  const own = owners.map((owner) => fields.map((field) => qualified(owner, field)))
  return merged([fields, ...own].map((layer) => layerOf(layer, given, nameOf)))
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
  throw usageError(
    'The "methods" of the configuration file cannot be read.',
    'Write them as ["lora", "low=lora"] or [{"name": "lora", "arm": "low", "config": {"rank": 8}}].',
  )
}

function toChoice(entry: unknown): MethodChoice | undefined {
  if (typeof entry === 'string') return choiceOf(entry)
  if (!isObject(entry) || typeof entry['name'] !== 'string') return undefined
  const { name, arm, config = {} } = entry
  if (!isObject(config) || !['string', 'undefined'].includes(typeof arm)) return undefined
  return { ...choiceOf(arm === undefined ? name : `${arm as string}=${name}`), config }
}

function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice === undefined) return
  throw usageError(
    `The method "${twice}" is named twice.`,
    `Give each its own name, as --methods ${twice}-1=${twice},${twice}-2=${twice}, and settings as --${twice}-1.rank 4.`,
  )
}

function refuseUnused(given: Given, chosen: readonly MethodChoice[]): void {
  const used = new Set(
    chosen.flatMap((choice) =>
      fieldsOfMethod(choice.name).flatMap(({ flag }) => [
        flag,
        `${choice.name}.${flag}`,
        `${armNameOf(choice)}.${flag}`,
      ]),
    ),
  )
  const names = [...new Set(chosen.map(({ name }) => name))]
  const unused = methodFields()
    .slice(1)
    .find(({ flag }) => given.has(flag) && !used.has(flag))
  if (!unused) return
  const [method = ''] = unused.flag.includes('.')
    ? unused.flag.split('.')
    : methodsWith(unused.flag)
  throw usageError(
    `--${unused.flag} belongs to ${method}, and ${names.length === 0 ? 'no method was named' : `the methods are ${names.join(', ')}`}.`,
    `Add ${method} to --methods, or leave --${unused.flag} out.`,
  )
}
