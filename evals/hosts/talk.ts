/** @file `touchstone talk`: the same prompts to a base and a candidate, here or behind addresses. */
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { command } from '../cli/command.ts'
import { requireNamed } from '../runs/options/flags.ts'
import { optionalText, text } from '../runs/options/common.ts'
import { plainText } from '../document/plain-text.ts'
import { cacheApproximationOf } from '../contract/approximate.ts'
import { talk } from '../contract/calls/talk.ts'
import type { Spoken } from '../contract/calls/talk.ts'
import { talkHandlers } from '../engine/handlers/talk.ts'
import { openHome } from '../engine/home.ts'
import { sendingNotes } from '../measure/served/address.ts'
import { EngineConfig } from '../measure/config.ts'
import { ServedConfig } from '../measure/served/config.ts'

const TalkOptions = z.object({
  candidate: optionalText.meta({ help: 'A fine-tune of it, or its address', value: 'PATH or URL' }),
  ...ServedConfig.pick({ keyEnv: true, sendPrompts: true }).shape,
  maxNewTokens: z
    .int()
    .min(1)
    .max(1024)
    .default(64)
    .meta({ help: 'Longest reply', unit: 'tokens' }),
  temperature: z.number().min(0).max(5).default(0).meta({ help: '0 is greedy' }),
  seed: z.int().min(0).default(0).meta({ help: 'Of the draws above temperature 0' }),
  templateVars: optionalText.meta({ help: 'For the chat template of a model that is here' }),
  ...EngineConfig.pick({ cachePrecision: true }).shape,
  outDir: text.default('out').meta({
    help: 'Folder of the workbench: replies to prompts that its runs withhold are withheld here too',
  }),
})

export const talkCommand = command({
  schema: TalkOptions,
  positionals: 'MODEL PROMPT …',
  examples: [
    'touchstone talk pebble "When is breakfast?"',
    'touchstone talk http://127.0.0.1:8000/v1#my-model "When is breakfast?"',
    'touchstone talk ./base --candidate http://127.0.0.1:8000/v1#my-lora < prompts.txt',
  ],
  remark:
    'MODEL is a path, pebble, or an address. Without PROMPT each line of the input is one; none knows the ones before it.\nNothing that is said is stored or logged, and replies to prompts that should be refused are withheld.',
  async run({ options, named, tell, io }) {
    const { outDir, ...asked } = options
    const model = requireNamed(
      named[0],
      'No model was named.',
      'Name a path, pebble or an address.',
    )
    const names = [model, ...(asked.candidate === null ? [] : [asked.candidate])]
    for (const note of sendingNotes(names, asked.sendPrompts)) io.stderr.write(`${note}\n`)
    const approximate = cacheApproximationOf(asked)
    if (approximate !== undefined) io.stderr.write(`${approximate}\n`)
    const home = openHome(outDir)
    const handlers = talkHandlers(home)
    try {
      const prompts = named.length > 1 ? named.slice(1) : createInterface(process.stdin)
      for await (const content of prompts) {
        if (content.trim() === '') continue
        const messages = [{ role: 'user', content }]
        const said = await handlers.ask(talk.ask.input.parse({ ...asked, model, messages }))
        tell({ type: 'talk', prompt: content, ...said }, wordsOf(content, said))
      }
    } finally {
      await handlers.close({})
      home.close()
    }
  },
})

function wordsOf(prompt: string, { base, candidate }: { base: Spoken; candidate: Spoken | null }) {
  const sides = candidate ? [base, candidate] : [base]
  const said = sides.map((each) => {
    const text = each.isWithheld ? '(withheld)' : plainText(each.text ?? '', 4000)
    const what = each.approximate === null ? each.outcome : `${each.outcome}, approximate`
    return `  ${plainText(each.path, 200)} (${what}): ${text}\n`
  })
  return `${plainText(prompt, 4000)}\n${said.join('')}`
}
