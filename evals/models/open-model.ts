/** @file Opens a model where it lies: a Hugging Face folder or a GGUF file. */
import { openChatTemplate, type ClosableTemplate } from './text/chat-template.ts'
import type { Checkpoint, OpenModel } from './checkpoint.ts'
import { sha256 } from '../files/read-file.ts'
import { sourcesOf, type ModelSources } from './model-sources.ts'
import { architectureOf, cannotWrite } from './registry.ts'
import { openTokenizer } from './text/tokenizer.ts'

/** Either all of checkpoint, tokenizer and template, or a TouchstoneError and nothing left open. */
export async function openModel(path: string): Promise<OpenModel> {
  const sources = await sourcesOf(path)
  const checkpoint = await sources.checkpoint()
  try {
    const tokenizer = openTokenizer(await sources.tokenizer())
    const template = await templateFor(checkpoint, sources)
    const close = async () => {
      await Promise.all([template.close(), checkpoint.close()])
    }
    return { checkpoint, tokenizer, template, close }
  } catch (error) {
    await checkpoint.close()
    throw error
  }
}

/** An encoder has none and needs none: who asks it for a conversation is told what it is. */
const templateFor = async (
  { config }: Checkpoint,
  sources: ModelSources,
): Promise<ClosableTemplate> =>
  architectureOf(config)?.kind === 'encoder'
    ? {
        digest: sha256(''),
        source: 'none',
        render: () => Promise.reject(cannotWrite({ name: config.model_type })),
        close: () => Promise.resolve(),
      }
    : openChatTemplate(await sources.template())
