/** @file `touchstone --help` and `touchstone VERB --help`, from the same data as the flags. */
import { placeholder } from '../runs/options/arguments.ts'
import type { Command, CommandEntry, OptionGroup } from './command.ts'
import { type Field } from '../runs/options/fields.ts'
import { boundsText } from '../contract/form.ts'

const EXIT_CODES = `Exit codes
  0    done; the verdict is PASS where there is one
  1    an error
  2    a wrong command
  100  verdict FAIL
  101  verdict INCONCLUSIVE
  102  NOT COMPARABLE: the runs or their settings do not allow a comparison
  130, 143  stopped by Ctrl-C, by a termination signal
`

export function generalHelp(commands: readonly CommandEntry[], version: string): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const)
  return `Touchstone ${version}: says, with evidence, whether a fine-tune of a language model lost more than you allow, and what that rests on.

Usage: touchstone VERB [options]

Verbs
${columns(rows)}
Examples
  touchstone quickstart
  touchstone audit --model pebble --data house-tamper --methods lora,full
  touchstone audit --help

Options
  --help, -h  This text, or that of a verb
  --version   The version

${EXIT_CODES}`
}

export function commandHelp({ name, summary }: CommandEntry, command: Command): string {
  const { positionals = '', examples, options, remark } = command
  const usage = ['touchstone', name, positionals, '[options]'].filter((word) => word !== '')
  const groups = options.filter(({ fields }) => fields.length > 0).map(groupHelp)
  return `${summary}.

Usage: ${usage.join(' ')}
${remark === undefined ? '' : `\n${remark}\n`}
${groups.join('\n')}
Settings can also come from variables: TOUCHSTONE_OUT_DIR for --out-dir.

Examples
${examples.map((example) => `  ${example}\n`).join('')}
${EXIT_CODES}`
}

const groupHelp = ({ title, fields }: OptionGroup): string =>
  `${title}\n${columns(fields.map((field) => [flagText(field), fieldHelp(field)]))}`

function flagText(field: Field): string {
  const { flag, short, type, isArray, bare, default: initial } = field
  const dashes = short === null ? `--${flag}` : `-${short}, --${flag}`
  if (bare !== null) return `${dashes} [${placeholder(field)}]`
  if (type === 'boolean' && !isArray) return initial === true ? `--no-${flag}` : dashes
  return `${dashes} ${placeholder(field)}`
}

function fieldHelp(field: Field): string {
  const { help, label, unit, isRequired, isArray, splitsAtCommas, bounds } = field
  const notes = [
    unit,
    field.type === 'boolean' ? '' : boundsText(bounds),
    isArray && !splitsAtCommas ? 'repeatable' : '',
    isRequired ? 'required' : defaultText(field),
  ].filter((note) => note !== '')
  const text =
    field.type === 'boolean' && field.default === true ? `Switches this off: ${help}` : help
  return `${text || label || field.flag}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`
}

function defaultText({ default: initial, type }: Field): string {
  const isNothing = initial === undefined || initial === null || type === 'boolean'
  if (isNothing || (Array.isArray(initial) && initial.length === 0)) return ''
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  return `default ${Array.isArray(initial) ? initial.map(text).join(',') : text(initial)}`
}

const WIDEST = 34

/** Two columns; a left side that is too wide gets a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const fitting = rows.map(([left]) => left.length).filter((length) => length <= WIDEST)
  const width = Math.max(0, ...fitting)
  return rows
    .map(([left, right]) =>
      left.length > width
        ? `  ${left}\n  ${' '.repeat(width)}  ${right}\n`
        : `  ${left.padEnd(width)}  ${right}\n`,
    )
    .join('')
}
