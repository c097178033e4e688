/**
 * @file The same `tokenizer.json` in the words that make the library exact.
 *
 * Its own `Digits`, `Whitespace`, `Punctuation` and `ByteLevel` use JavaScript's `\d`, `\w` and `\s`, which differ
 * from Unicode's, or join what the reference separates; its `Split` translates its pattern and does neither.
 */
import type { JsonObject } from '../../files/read-file.ts'
import { SPACE_MARK, type TokenizerJson } from './tokenizer-json.ts'

/** The pattern of GPT-2's byte-level splitting, which `ByteLevel` runs when `use_regex` is set. */
const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/** `\w` as the reference's `Whitespace` has it: Unicode's word characters, joiners included, superscripts not. */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d'

export function forLibrary(json: TokenizerJson): JsonObject {
  return {
    ...json,
    normalizer: json.normalizer ?? null,
    pre_tokenizer: exactPreTokenizer(json.pre_tokenizer ?? null),
    decoder: json.decoder ?? null,
    // Adds special tokens, which `encode` never wants.
    post_processor: null,
  }
}

type Stage = Readonly<Record<string, unknown>> | null

/** Keeps the matches alone. */
const matches = (pattern: string): Stage => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Removed',
  invert: true,
})

/** Keeps the matches and what lies between them. */
const isolate = (pattern: string): Stage => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
})

/** Pieces that end with a match of the pattern each, and what lies behind the last. */
function endingWith(pattern: unknown): Stage {
  const { String: text, Regex: regex } = pattern as { String?: string; Regex?: string }
  const match = regex ?? text!.replaceAll(/[.*+?^${}()|[\]\\/]/gu, '\\$&')
  const other = `(?:(?!${match})[\\s\\S])`
  return matches(`${other}*(?:${match})|${other}+`)
}

function exactPreTokenizer(stage: Stage): Stage {
  switch (stage?.type) {
    case 'Sequence':
      return { ...stage, pretokenizers: (stage.pretokenizers as Stage[]).map(exactPreTokenizer) }
    case 'Digits':
      return isolate(stage.individual_digits === true ? '\\p{N}' : '\\p{N}+')
    case 'Whitespace':
      return matches(`[${WORD}]+|[^${WORD}\\s]+`)
    case 'WhitespaceSplit':
      return matches('\\S+')
    case 'Punctuation':
      return isolate('[\\p{P}$+<=>^`|~]')
    case 'Metaspace':
      return exactMetaspace(stage)
    case 'Split':
      return stage.behavior === 'MergedWithPrevious' ? endingWith(stage.pattern) : stage
    case 'ByteLevel':
      if (stage.use_regex === false || stage.add_prefix_space === true) return stage
      return {
        type: 'Sequence',
        pretokenizers: [matches(GPT2_PATTERN), { ...stage, use_regex: false }],
      }
    default:
      return stage
  }
}

/** The reference also splits before every mark, unless told otherwise; older files say `add_prefix_space`. */
function exactMetaspace(stage: NonNullable<Stage>): Stage {
  const scheme = stage.prepend_scheme ?? (stage.add_prefix_space === false ? 'never' : 'always')
  const marked = { ...stage, prepend_scheme: scheme }
  if (stage.split === false) return marked
  const words = matches(`${SPACE_MARK}[^${SPACE_MARK}]*|[^${SPACE_MARK}]+`)
  return { type: 'Sequence', pretokenizers: [marked, words] }
}
