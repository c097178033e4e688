/** @file The ids that a tokenizer adds around a plain text: `[CLS] … [SEP]`, `<s> … </s>`, or a beginning of sequence. */
import { z } from 'zod'
import type { TokenizerJson } from './tokenizer-json.ts'
import { unsupportedTokenizer } from './tokenizer-json.ts'

interface Surroundings {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

const id = z.int().min(0)
const pair = z.tuple([z.string(), id])
const piece = z.union([
  z.object({ Sequence: z.looseObject({ id: z.enum(['A', 'B']) }) }),
  z.object({ SpecialToken: z.looseObject({ id: z.string() }) }),
])
const processor = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('TemplateProcessing'),
    single: z.array(piece),
    special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(id) })),
  }),
  z.looseObject({ type: z.literal('BertProcessing'), sep: pair, cls: pair }),
  z.looseObject({ type: z.literal('RobertaProcessing'), sep: pair, cls: pair }),
  z.looseObject({ type: z.literal('ByteLevel') }),
  z.looseObject({
    type: z.literal('Sequence'),
    processors: z.array(z.looseObject({ type: z.string() })).max(16),
  }),
])

const NOTHING: Surroundings = { before: [], after: [] }

/** From `post_processor`; in a sequence, later processors are outermost. */
export function surroundingsOf(
  path: string,
  stored: TokenizerJson['post_processor'],
): Surroundings {
  if (stored === null || stored === undefined) return NOTHING
  const parsed = processor.safeParse(stored)
  if (!parsed.success)
    throw unsupportedTokenizer(path, `post_processor: ${parsed.error.issues[0]!.message}`)
  const { data } = parsed
  switch (data.type) {
    case 'ByteLevel':
      return NOTHING
    case 'BertProcessing':
    case 'RobertaProcessing':
      return { before: [data.cls[1]], after: [data.sep[1]] }
    case 'Sequence':
      return data.processors
        .map((each) => surroundingsOf(path, each))
        .reduce(
          (inner, outer) => ({
            before: [...outer.before, ...inner.before],
            after: [...inner.after, ...outer.after],
          }),
          NOTHING,
        )
    case 'TemplateProcessing':
      return aroundText(path, data)
  }
}

type Template = Extract<z.infer<typeof processor>, { type: 'TemplateProcessing' }>

function aroundText(path: string, { single, special_tokens: special }: Template): Surroundings {
  const at = single.findIndex((each) => 'Sequence' in each)
  const idsOf = (pieces: Template['single']) =>
    pieces.flatMap((each) => {
      const ids = 'SpecialToken' in each ? special[each.SpecialToken.id]?.ids : undefined
      if (!ids)
        throw unsupportedTokenizer(path, 'post_processor with a piece that it does not name')
      return ids
    })
  if (at === -1) throw unsupportedTokenizer(path, 'post_processor without a place for the text')
  return { before: idsOf(single.slice(0, at)), after: idsOf(single.slice(at + 1)) }
}
