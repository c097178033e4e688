/**
 * @file Whether a fine-tune's own chat template and tokenizer turn conversations into the base's tokens. All states of a run are asked
 * through the base's: where a fine-tune is used with its own, and these say something else, another model was measured.
 */
import { join } from 'node:path'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { exists } from '../../files/read-file.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import { readHfTemplate } from '../../models/formats/hf-folder.ts'
import { openChatTemplate } from '../../models/text/chat-template.ts'

const TURN = { role: 'user', content: 'When is breakfast, and where? Ça va, 你好, 12.5 %!' }
const CONVERSATIONS = [
  [TURN],
  [{ role: 'system', content: 'You are the porter.' }, TURN],
  [TURN, { role: 'assistant', content: 'At seven, in the hall.' }, TURN],
]

type Rendering = Pick<OpenModel, 'template'>
type Asking = Pick<OpenModel, 'template' | 'tokenizer'>

/** Digests of a template and a tokenizer: the base's where they do the same, else their own. */
export async function digestsBeside(
  base: Asking,
  own: Asking,
): Promise<{ readonly templateDigest: string; readonly tokenizerDigest: string }> {
  const [texts, others] = [await rendered(base), await rendered(own)]
  const asked = [TURN.content, ...texts.filter((text) => text !== null)]
  const isOneTokenizer = asked.every(
    (text) => base.tokenizer.encode(text).join() === own.tokenizer.encode(text).join(),
  )
  return {
    templateDigest: (isSame(texts, others) ? base : own).template.digest,
    tokenizerDigest: (isOneTokenizer ? base : own).tokenizer.digest,
  }
}

const isSame = (texts: readonly (string | null)[], others: readonly (string | null)[]): boolean =>
  texts.every((text, i) => text === others[i])

/** Of an adapter that was saved with the tokenizer that it was trained with: of its chat template, if it has one. */
export async function adapterTemplate(base: Rendering, folder: string): Promise<string> {
  const hasOwn = await exists(join(folder, 'tokenizer_config.json'))
  const source = hasOwn ? await readHfTemplate(folder).catch(unlessMissing) : undefined
  if (!source) return base.template.digest
  const { variables } = base.template
  const template = await openChatTemplate({ ...source, ...(variables && { variables }) })
  try {
    const isBases = isSame(await rendered(base), await rendered({ template }))
    return (isBases ? base.template : template).digest
  } finally {
    await template.close()
  }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof TouchstoneError && error.code === 'template.missing') return undefined
  throw error
}

/** Null for a conversation that the template refuses. */
const rendered = ({ template }: Rendering): Promise<(string | null)[]> =>
  Promise.all(
    CONVERSATIONS.map((messages) =>
      template.render(messages, { addGenerationPrompt: true }).catch(() => null),
    ),
  )
