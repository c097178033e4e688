/** @file HTML that escapes by default: whatever is put into html`…` is text, unless it is markup made here. */

/** Markup that was made by `html`; the symbol keeps look-alike objects from JSON out. */
export interface Markup {
  readonly [MADE_HERE]: string
}
const MADE_HERE = Symbol('markup')

export type Content = string | number | Markup | readonly Content[] | null | undefined | false

/** Characters that end or begin something in HTML, or that would not be seen: all become visible text. */
const SPECIAL =
  /[&<>"'`\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** Safe between tags and inside quoted attributes. Control and direction characters are shown, as ␀ or ⟨U+202E⟩. */
function escapeText(text: string): string {
  return text.toWellFormed().replace(SPECIAL, (character) => {
    const code = character.charCodeAt(0)
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return ENTITIES[character] ?? `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`
  })
}

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
