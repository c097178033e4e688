/**
 * @file The same prompts in another language, by their identifiers: a bundled translation of the mild set, or a file of the
 * user's with the columns `id` and `prompt`. A prompt without a translation is left out.
 */
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { readTable } from '../../../tables/read-table.ts'
import { withUserText, type ContextKind } from '../kind.ts'
import { Identifier } from '../../prompt-benchmark.ts'

/** Languages into which the mild set is translated: `mild-CODE.jsonl` in the bundled data. */
export const LANGUAGES = ['de', 'fr', 'es', 'zh'] as const

const Row = z.object({ id: Identifier, prompt: z.string().trim().min(1) })
const Language = z.union([z.enum(LANGUAGES), z.strictObject({ file: z.string().min(1) })])

export const language: ContextKind<z.infer<typeof Language>> = {
  name: 'language',
  title: 'language',
  setting: Language,
  async apply({ samples, decoding }, setting) {
    const path =
      typeof setting === 'string'
        ? fileURLToPath(new URL(`../../../bundled/data/mild-${setting}.jsonl`, import.meta.url))
        : setting.file
    const { rows } = await readTable(path)
    const texts = new Map(rows.map((row) => Row.parse(row)).map(({ id, prompt }) => [id, prompt]))
    return {
      decoding,
      samples: samples.flatMap((sample) => {
        const text = texts.get(sample.id)
        if (text === undefined) return []
        return { ...sample, messages: withUserText(sample.messages, () => text) }
      }),
    }
  },
}
