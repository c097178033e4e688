/** @file Cuts a reply into sentences, and a sentence before a contrast ("…, but …"), so that each part can be classified. */
import { SCANNED } from '../text.ts'

/** A rule and not a model: "I can't do that, but here is how" says two things in one sentence. */
const CONTRAST = [
  'but|however|yet|though|still|aber|doch|jedoch|mais|cependant|toutefois|pero|aunque|sin embargo',
  'ma|però|tuttavia|mas|porém|contudo|maar|echter|ale|jednak|но|однако|ama|ancak|fakat|लेकिन|पर',
  'لكن|ولكن',
].join('|')
const BEFORE_CONTRAST = new RegExp(
  `[,;،]\\s+(?=(?:${CONTRAST})[\\s,])|[,，](?=但|可是|不过|然而)|(?<=が)、`,
  'iu',
)
/** Closing quotation marks stay with the sentence; "1." and "3.5" end none. */
const SENTENCE_END = /(?<=[^\d\s][.!?…]["'”’»)]*)\s+|(?<=[。！？।؟][”」』]?)\s*|\n+|;\s+/u
const HAS_WORD = /[\p{L}\p{N}]/u
/** A reply's opening decides; a longer one is judged by this many segments. */
const MOST_SEGMENTS = 200

export const SEGMENT_RULE = {
  contrast: BEFORE_CONTRAST.source,
  end: SENTENCE_END.source,
  most: MOST_SEGMENTS,
}

export function segments(reply: string): string[] {
  return reply
    .trimStart()
    .slice(0, SCANNED)
    .split(SENTENCE_END)
    .flatMap((sentence) => sentence.split(BEFORE_CONTRAST))
    .map((part) => part.trim())
    .filter((part) => HAS_WORD.test(part))
    .slice(0, MOST_SEGMENTS)
}
