/** @file What is known of the chat template of a log of lm-eval: its text, its digest, or only that there was one. */
import { expect, test } from 'vitest'
import { sha256 } from '../../../../evals/files/digest.ts'
import { comparability } from '../../../../evals/findings/gate/comparability.ts'
import { importRuns } from '../../../../evals/interchange/import.ts'
import { rawLmEval } from '../../../doubles/rows/raw-logs.ts'

const TEXT = '{{ messages }}'
type Said = Readonly<Record<string, unknown>>
const OF = { benchmark: 'task', judge: 'acc,none' }

async function between(before: Said, after: Said) {
  const [one, two] = await Promise.all(
    [before, after].map(async (said) => {
      const row = { doc_id: 0, doc_hash: 'd', metrics: ['acc'], acc: 1, arguments: [['x', {}]] }
      return (await importRuns(rawLmEval({ samples: { task: [row] }, said })))[0]!
    }),
  )
  return comparability(one!, two!, OF)
}
const differing = async (before: Said, after: Said) =>
  (await between(before, after)).differences.map(({ field }) => field)

test('its text has the digest that lm-eval gives it', async () => {
  const { differences, unknown } = await between(
    { chat_template: TEXT },
    { chat_template: TEXT, chat_template_sha: sha256(TEXT) },
  )
  expect(differences).toEqual([])
  expect(unknown).not.toContain('template')
  const sha = { chat_template_sha: sha256(TEXT) }
  expect(await differing({ chat_template: `${TEXT}!` }, sha)).toEqual(['template'])
  expect(await differing({ ...sha, chat_template: `${TEXT}!` }, sha)).toEqual(['template'])
})

test('which one log tells alone differs', async () => {
  expect(await differing({}, { chat_template: TEXT })).toEqual(['template'])
  expect(await differing({ chat_template_sha: null }, { chat_template: TEXT })).toEqual([
    'template',
  ])
})

test.each<[string, Said]>([
  ['nothing', {}],
  ['that there was one', { config: { apply_chat_template: true } }],
  ['its name alone', { apply_chat_template: 'brief' }],
  ['that a server put it in', { chat_template: '', chat_template_sha: null }],
])('of which both logs tell %s is not known', async (_, said) => {
  const { differences, unknown } = await between(said, said)
  expect(differences).toEqual([])
  expect(unknown).toContain('template')
})

test('that was put in on one side alone, or under another name, is another way to ask', async () => {
  const applied = (value: unknown) => ({ config: { apply_chat_template: value } })
  expect(await differing(applied(false), applied(true))).toEqual(['prompts'])
  expect(await differing(applied('brief'), applied('long'))).toEqual(['prompts'])
  expect(await differing({}, applied(false))).toEqual([])
})
