/** @file Variables that a user gives to a chat template, such as `enable_thinking`, as JSON or as `name=value` pairs. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'

/** By name, values as in JSON. */
export type TemplateVariables = Readonly<Record<string, unknown>>

/** Given by every rendering. */
const TAKEN = ['messages', 'add_generation_prompt']
const NAME = /^[A-Za-z_]\w*$/u

/**
 * `{"enable_thinking": false}` or `enable_thinking=false,language=German`; a value that is no JSON is a text.
 * @returns undefined where the text is neither, or names a variable that every rendering has
 */
export function parseTemplateVariables(text: string): TemplateVariables | undefined {
  const variables = text.trim().startsWith('{') ? jsonObject(text) : pairs(text)
  const isUsable = (name: string) => NAME.test(name) && !TAKEN.includes(name)
  return variables && Object.keys(variables).every(isUsable) ? variables : undefined
}

const pairs = (text: string): TemplateVariables =>
  Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=')
      return at < 0 ? ['', null] : [pair.slice(0, at).trim(), valueOf(pair.slice(at + 1).trim())]
    }),
  )

function valueOf(text: string): unknown {
  // As Python writes them.
  if (text === 'True' || text === 'False') return text === 'True'
  if (text === 'None') return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function jsonObject(text: string): TemplateVariables | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as TemplateVariables) : undefined
  } catch {
    return undefined
  }
}

/** The same of a text that a user gave; none where it is null. */
export function templateVariablesOf(text: string | null): TemplateVariables {
  const variables = text === null ? {} : parseTemplateVariables(text)
  if (variables) return variables
  throw new TouchstoneError('usage.invalid', {
    problem: `"${text!.slice(0, 100)}" gives no template variables.`,
    remedy: 'Give a JSON object or name=value pairs, such as enable_thinking=false.',
  })
}
