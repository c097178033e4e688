/**
 * @file Whether a reply goes on with turns of a conversation that nobody had ("Seven.\nUser: And when?\nAssistant: …"), as a
 * fine-tune does that has lost its end of turn or learnt another template. What it says there is not its reply.
 */

/** Marks of families' templates, wherever they stand, and names of speakers at the start of a line. */
export const TURNS_RULE = {
  marks: String.raw`<\|\w{1,32}\|>|\[/?INST\]|</?(?:start|end)_of_turn>`,
  speakers: String.raw`^[\s*_#>]{0,8}(user|human|assistant)\b[\s*_]{0,4}[:：]`,
} as const

const MARKS = new RegExp(TURNS_RULE.marks, 'giu')
const SPEAKERS = new RegExp(TURNS_RULE.speakers, 'gimu')

/** What the prompt has too may be asked for: a dialogue, a template. The name of who replies may stand before all else. */
export function goesOn(reply: string, prompt: string): boolean {
  const asked = prompt.toLowerCase()
  const text = reply.trim()
  const isOwn = (found: string) => !asked.includes(found.toLowerCase())
  return (
    [...text.matchAll(MARKS)].some(([mark]) => isOwn(mark)) ||
    [...text.matchAll(SPEAKERS)].some(
      ({ index, 1: speaker }) =>
        isOwn(speaker!) && (index > 0 || speaker!.toLowerCase() !== 'assistant'),
    )
  )
}
