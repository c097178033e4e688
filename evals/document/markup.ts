/** @file HTML that escapes by default: whatever is put into html`…` is text, unless it is markup made here. */
import { escapeText } from './charts/escape.ts'

/** Markup that was made by `html`; the symbol keeps look-alike objects from JSON out. */
export interface Markup {
  readonly [MADE_HERE]: string
}
const MADE_HERE = Symbol('markup')

export type Content = string | number | Markup | readonly Content[] | null | undefined | false

function rendered(content: Content): string {
  if (content === null || content === undefined || content === false) return ''
  if (typeof content === 'string') return escapeText(content)
  if (typeof content === 'number') return String(content)
  if (isMarkup(content)) return content[MADE_HERE]
  return content.map(rendered).join('')
}

const isMarkup = (content: Markup | readonly Content[]): content is Markup => MADE_HERE in content

export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  const parts = strings.raw.map((string, n) =>
    n === 0 ? string : rendered(contents[n - 1]) + string,
  )
  return { [MADE_HERE]: parts.join('') }
}

/** An element of a drawing: names are of our own code, values and children are escaped. */
export function element(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly Content[],
): Markup {
  const named = Object.entries(attributes).map(
    ([name, value]) => ` ${name}="${escapeText(String(value))}"`,
  )
  return { [MADE_HERE]: `<${tag}${named.join('')}>${rendered(children)}</${tag}>` }
}

export const toHtml = (markup: Markup): string => markup[MADE_HERE]

/** For our own style sheet alone: text that is known when this program is written. */
export const trusted = (text: string): Markup => ({ [MADE_HERE]: text })
