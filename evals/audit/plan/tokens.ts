/** @file Tokens of texts that are not tokenised, for estimates. */

export const CHARACTERS_PER_TOKEN = 4
/** That a chat template and its system prompt add. */
const TEMPLATE_TOKENS = 20

/** Of a mean text. */
export const tokensOf = (texts: readonly string[]): number =>
  TEMPLATE_TOKENS +
  texts.reduce((sum, text) => sum + text.length, 0) /
    Math.max(1, texts.length) /
    CHARACTERS_PER_TOKEN

export const textOf = (messages: readonly { readonly content: string }[]): string =>
  messages.map(({ content }) => content).join('')
