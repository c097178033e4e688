/** @file Chat templates: what templates of published models need, and strangers' programs that must be stopped. */
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ClosableTemplate } from '../../../../evals/models/text/chat-template.ts'
import { openChatTemplate, renderAll } from '../../../../evals/models/text/chat-template.ts'
import { CHATML } from '../../../doubles/models/tiny-checkpoint.ts'

let open: ClosableTemplate[] = []
afterEach(async () => {
  await Promise.all(open.map((template) => template.close()))
  open = []
})

async function template(text: string, deadlineMs?: number): Promise<ClosableTemplate> {
  const opened = await openChatTemplate(
    { path: 'model', text, source: 'test', specialTokens: { bos_token: '<s>' } },
    deadlineMs,
  )
  open.push(opened)
  return opened
}

const CHAT = [{ role: 'user', content: 'Where is the pool?' }]
const PROMPT = { addGenerationPrompt: true }
const render = async (text: string) => (await template(text)).render(CHAT, PROMPT)
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => value,
    (error: unknown) => (error as { code?: string }).code ?? `not ours: ${String(error)}`,
  )

describe('a template', () => {
  test.each([
    ['special tokens', '{{ bos_token }}{{ eos_token }}', '<s>'],
    ['trimmed blocks', '  {% if true %}\n  x\n  {% endif %}\ny', '  x\ny'],
    ['tools that are none', '{{ tools is none }} {{ documents is none }}', 'True True'],
    ['Python’s names', '{{ True and not False and None is none }}', 'True'],
    ['range', '{% for i in range(3) %}{{ i }}{% endfor %}', '012'],
    ['range by steps', '{% for i in range(5, 0, -2) %}{{ i }}{% endfor %}', '531'],
    ['namespaces', '{% set n = namespace(x=1) %}{% set n.x = 2 %}{{ n.x }}', '2'],
    ['json', '{{ messages[0] | tojson }}', '{"role": "user", "content": "Where is the pool?"}'],
    ['the same date every day', '{{ strftime_now("%d %b %Y %B %%") }}', '26 Jul 2024 July %'],
    [
      'the generation prompt',
      CHATML,
      '<|im_start|>user\nWhere is the pool?<|im_end|>\n<|im_start|>assistant\n',
    ],
  ])('has %s', async (_, text, expected) => {
    expect(await render(text)).toBe(expected)
  })

  test('renders thousands in order through one thread', async () => {
    const opened = await template('{{ messages[0].content }}')
    const chats = Array.from({ length: 5000 }, (_, i) => [{ role: 'user', content: String(i) }])
    const texts = await renderAll(opened, chats, PROMPT)
    expect(texts).toEqual(chats.map(([message]) => message!.content))
  })

  test('sees role and content alone', async () => {
    const opened = await template('{{ messages[0] | tojson }}')
    const message = { role: 'user', content: 'x', expected: 'refuse' }
    expect(await opened.render([message], PROMPT)).toBe('{"role": "user", "content": "x"}')
  })
})

describe('a template fails', () => {
  test('that raises, with its message', async () => {
    const opened = await template('{{ raise_exception("Roles must alternate") }}')
    await expect(opened.render(CHAT, PROMPT)).rejects.toMatchObject({
      code: 'template.failed',
      message: expect.stringContaining('Roles must alternate') as string,
    })
    expect(await codeOf(opened.render(CHAT, PROMPT))).toBe('template.failed')
  })

  test.each([
    ['one that cannot be parsed', '{% for %}'],
    ['one with a megabyte of text', 'x'.repeat(2 ** 20 + 1)],
    ['one nested without end', '{{ ' + '('.repeat(100_000)],
  ])('when opened: %s', async (_, text) => {
    expect(await codeOf(template(text))).toBe('template.failed')
  })

  test.each([
    ['one with an unknown filter', '{{ messages | nothing }}'],
    ['one with a range of a billion', '{% for i in range(1000000000) %}{% endfor %}'],
    ['one that writes more than any context holds', '{{ "x" * 1000000 }}'.repeat(20)],
  ])('when rendered: %s', async (_, text) => {
    expect(await codeOf(render(text))).toBe('template.failed')
  })

  const LOOP = '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}'

  test('that loops, at its deadline, and the next conversation is answered', async () => {
    const opened = await template(`{% if messages[0].content == "loop" %}${LOOP}{% endif %}ok`, 300)
    const before = process.cpuUsage()
    expect(await codeOf(opened.render([{ role: 'user', content: 'loop' }], PROMPT))).toBe(
      'template.failed',
    )
    // Looked at once per deadline, so it is stopped within two; the rest is for starting the next thread.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000)
    expect(await opened.render(CHAT, PROMPT)).toBe('ok')
  })

  test('that fills memory, without harm to this process', async () => {
    const grow =
      '{% set n = namespace(x=["0123456789abcdef"]) %}' +
      '{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x | length }}'
    const opened = await template(grow, 20_000)
    expect(await codeOf(opened.render(CHAT, PROMPT))).toBe('template.failed')
  })

  test('when its thread was not let down by a busy caller', async () => {
    const opened = await template('ok', 100)
    const answer = opened.render(CHAT, PROMPT)
    // The answer arrives while this thread does something else, longer than the deadline.
    for (const until = Date.now() + 500; Date.now() < until;);
    expect(await answer).toBe('ok')
  })

  test('a late answer does not let the process end before it is closed', async () => {
    const opened = await template('ok')
    const unref = vi.spyOn(Worker.prototype, 'unref')
    const answer = codeOf(opened.render(CHAT, PROMPT))
    // The answer waits to be read when the thread is stopped.
    for (const until = Date.now() + 300; Date.now() < until;);
    await opened.close()
    expect(await answer).toBe('template.failed')
    expect(unref).not.toHaveBeenCalled()
    unref.mockRestore()
  })

  test('after it was closed it can be closed again', async () => {
    const opened = await template('ok')
    await opened.close()
    await opened.close()
  })
})
