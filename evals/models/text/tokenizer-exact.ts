/**
 * @file Rewrites `tokenizer.json` so that the library gives the reference's ids.
 *
 * The library's `Digits`, `Whitespace`, `Punctuation` and `ByteLevel` use JavaScript's `\d`, `\w` and `\s`, which differ
 * from Unicode's, or join what the reference separates. Its `Split` translates the pattern and does neither.
 */
import type { JsonObject } from '../../files/read-file.ts'
import { SPACE_MARK, type TokenizerJson } from './tokenizer-json.ts'

/** GPT-2's byte-level pattern, which `ByteLevel` uses with `use_regex`. */
const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/** `\w` of the reference's `Whitespace`: Unicode word characters with joiners, without superscripts. */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d'

export function forLibrary(json: TokenizerJson): JsonObject {
  return {
    ...json,
    normalizer: json.normalizer ?? null,
    pre_tokenizer: exactPreTokenizer(json.pre_tokenizer ?? null),
    decoder: json.decoder ?? null,
    // It adds special tokens, which `encode` never does.
    post_processor: null,
  }
}

type Stage = Readonly<Record<string, unknown>> | null

const split = (pattern: string, behavior: 'Removed' | 'Isolated', invert: boolean): Stage => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior,
  invert,
})

/** Keeps only the matches. */
const matches = (pattern: string) => split(pattern, 'Removed', true)

/** Keeps the matches and the text between them. */
const isolate = (pattern: string) => split(pattern, 'Isolated', false)

/** Pieces that each end with a match, and the rest. */
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

/** The reference also splits before each mark, unless `split` is false. Older files have `add_prefix_space`. */
function exactMetaspace(stage: NonNullable<Stage>): Stage {
  const scheme = stage.prepend_scheme ?? (stage.add_prefix_space === false ? 'never' : 'always')
  const marked = { ...stage, prepend_scheme: scheme }
  if (stage.split === false) return marked
  const words = matches(`${SPACE_MARK}[^${SPACE_MARK}]*|[^${SPACE_MARK}]+`)
  return { type: 'Sequence', pretokenizers: [marked, words] }
}
