/**
 * @file The parts of an answer that markers of thoughts divide: a second thought, one after the answer or in its middle, one that
 * is never closed or was never opened, markers in other letters or brackets. Which of them a reader is shown depends on the
 * program that shows them, so none of them alone is the answer.
 */

/** Names of published markers; words between brackets that are none divide an answer whose parts are read alike all the same. */
const NAMES =
  'think|thinking|thought|thoughts|reason|reasoning|reflect|reflection|reflexion|analysis|scratchpad|scratch_pad|monologue|inner_monologue|inner_thoughts|chain_of_thought|cot|deliberation'
const OPENS = '[<\\[{\u2039\u00ab\u2329\u27e8\u3008\u300a\u3010\u25c1]'
const CLOSES = '[>\\]}\u203a\u00bb\u232a\u27e9\u3009\u300b\u3011\u25b7]'
const MARKER = new RegExp(
  `${OPENS}\\s*(?:(?<close>/|\\|?\\s*end_(?:of_)?)|\\|?\\s*(?:begin_(?:of_)?|start_(?:of_)?)?)\\s*(?:[a-z]{1,12}:)?(?:${NAMES})(?:\\s[^<>\\[\\]{}]{0,60})?\\s*\\|?${CLOSES}`,
  'giu',
)
/** A name of a channel follows its marker, and the text of that channel another. */
const CHANNEL =
  /<\|?(?:channel|start)\|?>\s*[a-z]*\s*(?:<\|(?:channel|message)\|>\s*(?:(?:analysis|commentary|thought|final)\b)?\s*(?:<\|message\|>)?)*|<\|(?:end|message|return)\|>|<channel\|>/giu

interface Part {
  readonly text: string
  /** Between an opening marker and a closing one, or the end. */
  readonly isInside: boolean
}

/** Those with a letter or a digit; undefined where no marker is in the text. */
export function partsOf(text: string): Part[] | undefined {
  const plain = text.normalize('NFKC').replaceAll(/\p{Cf}/gu, '')
  const marks = [
    ...[...plain.matchAll(MARKER)].map(({ index, 0: { length }, groups }) => ({
      ...{ at: index, end: index + length, step: groups!.close === undefined ? 1 : -1 },
    })),
    ...[...plain.matchAll(CHANNEL)].map(({ index, 0: { length } }) => ({
      ...{ at: index, end: index + length, step: 0 },
    })),
  ].sort((a, b) => a.at - b.at)
  if (marks.length === 0) return undefined
  let [depth, from] = [0, 0]
  const parts = [...marks, { at: plain.length, end: plain.length, step: 0 }].map((mark) => {
    const part = { text: plain.slice(from, mark.at).trim(), isInside: depth > 0 }
    depth = Math.max(0, depth + mark.step)
    from = Math.max(from, mark.end)
    return part
  })
  return parts.filter((part) => /[\p{L}\p{N}]/u.test(part.text))
}
