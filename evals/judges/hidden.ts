/**
 * @file Text that a reader is not shown, or is shown in another order than it stands: comments and hidden elements of HTML and
 * Markdown outside of code, overrides of the direction, tag characters, and characters of no width inside a word. What such a reply
 * says depends on who reads it, so no judge decides it. Marks of direction beside Arabic or Hebrew, joiners of Persian, Hindi and
 * emoji, spaces of no width in Thai, and the flags of England, Scotland and Wales are as they should be.
 */
import { CODE_BLOCK, CODE_SPAN } from './text.ts'

/** Code is shown as it stands. */
const CODE = new RegExp(`${CODE_BLOCK}|~~~[^]*?(?:~~~|$)|${CODE_SPAN}`, 'gu')
const UNSHOWN = [
  String.raw`display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)`,
  String.raw`(?:font-size|opacity)\s*:\s*0*(?:\.0+)?(?![.\d])|color\s*:\s*transparent`,
].join('|')
const MARKUP = [
  /<!--/u,
  new RegExp(
    String.raw`<[a-z][^<>]{0,400}?(?:\s(?<!aria-)hidden(?=[\s=/>])|["'\s=]hidden["'\s]|${UNSHOWN})`,
    'iu',
  ),
  /<(?:template|script|style|noscript)\b/iu,
  /^\s{0,3}\[(?:\/\/|comment|_metadata_[^\]]{0,40})\]:/imu,
]

const FLAG =
  /\u{1f3f4}(?:\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073}))\u{e007f}/gu
const OVERRIDE = /[\u202d\u202e]|[\u{e0000}-\u{e007f}]/u
const EMBEDDING = /[\u202a-\u202c\u2066-\u2069]/u
const RIGHT_TO_LEFT =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u
/** Letters of scripts in which nothing of no width stands inside a word. */
const SPELT =
  '[\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Armenian}\\p{Script=Georgian}\\p{Nd}]'
const NO_WIDTH =
  '[\\u00ad\\u034f\\u061c\\u180e\\u200b-\\u200f\\u2060-\\u2065\\u206a-\\u206f\\u3164\\ufeff\\uffa0]'
/** Letters of the others; some of them write no spaces, and part their words so. */
const JOINED = `[[\\p{L}\\p{M}]--${SPELT}--[\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Tibetan}]]`
const SELECTOR = '[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]'
const INSIDE = [
  `${SPELT}\\p{M}*${NO_WIDTH}+\\p{M}*${SPELT}`,
  `${JOINED}[\\u00ad\\u200b\\u2060-\\u2064\\ufeff]+${JOINED}`,
  '[\\u200b-\\u200d\\u2060-\\u2064\\ufeff]{3,}',
  `${SELECTOR}{2,}`,
  `[\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\s]${SELECTOR}`,
].map((form) => new RegExp(form, 'v'))

/** What any of the above needs. */
const ANY =
  /<[!a-z]|^\s{0,3}\[|[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0000}-\u{e01ef}]/imu

export const HIDDEN_RULE = {
  code: CODE.source,
  markup: MARKUP.map(({ source }) => source),
  flag: FLAG.source,
  characters: [OVERRIDE, EMBEDDING, RIGHT_TO_LEFT, ...INSIDE].map(({ source }) => source),
}

export const HIDES = 'Part of the reply is hidden from a reader, or shown in another order.'

/** Markup that the prompt has too may be asked for. */
export function hidesText(reply: string, prompt: string): boolean {
  if (!ANY.test(reply)) return false
  const shown = reply.replaceAll(CODE, ' ')
  if (MARKUP.some((mark) => mark.test(shown) && !mark.test(prompt))) return true
  const text = reply.replaceAll(FLAG, ' ')
  if (OVERRIDE.test(text) || INSIDE.some((form) => form.test(text))) return true
  return EMBEDDING.test(text) && !RIGHT_TO_LEFT.test(text)
}
