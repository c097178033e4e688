/** @file Opens a model where it lies: a Hugging Face folder or a GGUF file. */
import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { TouchstoneError } from '../errors.ts'
import type { TemplateSource } from './chat-template.ts'
import { openChatTemplate } from './chat-template.ts'
import type { Checkpoint, OpenModel } from './checkpoint.ts'
import { exists, unreadable } from './files.ts'
import { openGguf } from './gguf.ts'
import { openHfCheckpoint, readHfText } from './hf-folder.ts'
import type { TokenizerSource } from './tokenizer.ts'
import { openTokenizer } from './tokenizer.ts'

const SUPPORTED = 'a Hugging Face folder (config.json and .safetensors) or a .gguf file'

/** Either all of checkpoint, tokenizer and template, or a TouchstoneError and nothing left open. */
export async function openModel(path: string): Promise<OpenModel> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error)
  })
  if (found.isDirectory()) {
    await requireConfig(path)
    const checkpoint = await openHfCheckpoint(path)
    return withText(checkpoint, () => readHfText(path, checkpoint.config))
  }
  if (path.endsWith('.gguf')) {
    const { checkpoint, text } = await openGguf(path)
    return withText(checkpoint, async () => text())
  }
  throw notAModel(path)
}

async function withText(
  checkpoint: Checkpoint,
  readText: () => Promise<{ tokenizer: TokenizerSource; template: TemplateSource }>,
): Promise<OpenModel> {
  try {
    const text = await readText()
    const tokenizer = openTokenizer(text.tokenizer)
    const template = await openChatTemplate(text.template)
    const close = async () => {
      await Promise.all([template.close(), checkpoint.close()])
    }
    return { checkpoint, tokenizer, template, close }
  } catch (error) {
    await checkpoint.close()
    throw error
  }
}

function notAModel(path: string): TouchstoneError {
  if (/\.(bin|pt|pth|ckpt|pkl|pickle)$/iu.test(path)) {
    return new TouchstoneError('checkpoint.pickle', { path })
  }
  const found = path.endsWith('.safetensors')
    ? 'weights without their folder (give the folder)'
    : `a file of type "${extname(path) || 'none'}"`
  return new TouchstoneError('checkpoint.unrecognised', { path, found, supported: SUPPORTED })
}

/** A folder that is not a model is answered with what it is. */
async function requireConfig(folder: string): Promise<void> {
  if (await exists(join(folder, 'config.json'))) return
  const names = await readdir(folder)
  const ggufs = names.filter((name) => name.endsWith('.gguf'))
  const found = names.includes('adapter_config.json')
    ? 'an adapter without its base model'
    : ggufs.length > 0
      ? `a folder with ${ggufs.slice(0, 3).join(', ')} (give the file itself)`
      : names.includes('refs') && names.includes('snapshots')
        ? 'a download cache (give one folder under snapshots)'
        : names.length === 0
          ? 'an empty folder'
          : 'a folder without config.json'
  throw new TouchstoneError('checkpoint.unrecognised', {
    path: folder,
    found,
    supported: SUPPORTED,
  })
}
