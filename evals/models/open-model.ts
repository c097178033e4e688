/** @file Opens a model where it lies: a Hugging Face folder or a GGUF file. */
import { openChatTemplate } from './chat-template.ts'
import type { OpenModel } from './checkpoint.ts'
import { sourcesOf } from './model-sources.ts'
import { openTokenizer } from './tokenizer.ts'

/** Either all of checkpoint, tokenizer and template, or a TouchstoneError and nothing left open. */
export async function openModel(path: string): Promise<OpenModel> {
  const sources = await sourcesOf(path)
  const checkpoint = await sources.checkpoint()
  try {
    const tokenizer = openTokenizer(await sources.tokenizer())
    const template = await openChatTemplate(await sources.template())
    const close = async () => {
      await Promise.all([template.close(), checkpoint.close()])
    }
    return { checkpoint, tokenizer, template, close }
  } catch (error) {
    await checkpoint.close()
    throw error
  }
}
