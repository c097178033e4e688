/** @file Opens a model in place: checkpoint, tokenizer and chat template. */
import { openChatTemplate, type ClosableTemplate } from './text/chat-template.ts'
import type { Checkpoint, OpenModel } from './checkpoint.ts'
import { sha256 } from '../files/digest.ts'
import { sourcesOf, type ModelSources } from './model-sources.ts'
import { architectureOf, cannotWrite } from './registry.ts'
import type { TemplateVariables } from './text/template-variables.ts'
import { openTokenizer } from './text/tokenizer.ts'

/** All three parts, or a TouchstoneError with nothing left open. */
export async function openModel(
  path: string,
  variables: TemplateVariables = {},
): Promise<OpenModel> {
  const sources = await sourcesOf(path)
  const checkpoint = await sources.checkpoint()
  try {
    const tokenizer = openTokenizer(await sources.tokenizer())
    const template = await templateFor(checkpoint, sources, variables)
    const close = async () => {
      await Promise.all([template.close(), checkpoint.close()])
    }
    return { checkpoint, tokenizer, template, close }
  } catch (error) {
    await checkpoint.close()
    throw error
  }
}

/** An encoder has none; rendering a conversation throws. */
async function templateFor(
  { config }: Checkpoint,
  sources: ModelSources,
  variables: TemplateVariables,
): Promise<ClosableTemplate> {
  const architecture = architectureOf(config)
  if (architecture?.kind !== 'encoder') {
    const source = await sources.template()
    const { thoughtMarkers } = architecture ?? {}
    return openChatTemplate({ ...source, variables, ...(thoughtMarkers && { thoughtMarkers }) })
  }
  return {
    digest: sha256(''),
    source: 'none',
    render: () => Promise.reject(cannotWrite({ name: config.model_type })),
    close: () => Promise.resolve(),
  }
}
