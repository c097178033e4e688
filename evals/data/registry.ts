/** @file Every format of fine-tuning data, the more specific first: a preference file has a prompt column too. */
import type { DataFormat } from './format.ts'
import { alpaca } from './formats/alpaca.ts'
import { openaiChat, shareGpt } from './formats/chat.ts'
import { labelledText } from './formats/labelled-text.ts'
import { preference } from './formats/preference.ts'
import { promptReply } from './formats/prompt-reply.ts'
import { rawText } from './formats/raw-text.ts'

export const FORMATS: readonly DataFormat[] = [
  openaiChat,
  shareGpt,
  preference,
  alpaca,
  promptReply(),
  labelledText,
  rawText(),
]

/** The first format whose columns are all present. */
export const formatOf = (columns: readonly string[]): DataFormat | undefined =>
  FORMATS.find((format) =>
    format.columns.every((names) => names.some((name) => columns.includes(name))),
  )
