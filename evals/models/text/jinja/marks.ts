/** @file transformers' `{% generation %}` around what a template counts as a reply. */

/** Written around a reply where marks are asked for: noncharacters, which no template writes. */
export const REPLY_MARKS = ['\ufdd0', '\ufdd1'] as const

const GENERATION = /\{%(?<before>[-+]?)\s*(?<end>end)?generation\s*(?<after>[-+]?)%\}/gu

/** As a block that writes its mark if `marks_replies` is set; the template library does not read the tag. */
export const withMarks = (source: string): string =>
  source.replace(GENERATION, (_, before: string, end: string | undefined, after: string) => {
    const mark = REPLY_MARKS[end === undefined ? 0 : 1]
    return `{%${before} if marks_replies %}${mark}{% endif ${after}%}`
  })

export const hasReplyMarks = (source: string): boolean => source.search(GENERATION) >= 0
