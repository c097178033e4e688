/** @file What models say in logs of other tools: each log is of a model with words of its own, unless a test names one for several. */
let models = 0

/** The name of a model of which no other log is. */
export const anotherModel = (): string => `model ${++models}`

/** What it replies to a prompt, or for a second time. */
export const saidBy = (model: string, prompt: unknown): string =>
  `That is what ${model} says to ${String(prompt)}.`
