/** @file Whatever a model, a file or a user wrote stays text in the report. */
import { describe, expect, test } from 'vitest'
import { paragraph, quote } from '../../../evals/document/blocks.ts'
import { sectionsMarkup } from '../../../evals/document/html.ts'
import { html, toHtml, type Content } from '../../../evals/document/markup.ts'
import { fc } from '../../doubles/properties.ts'

const shown = (text: string) => toHtml(html`<p title="${text}">${text}</p>`)

test.each([
  ['a script', '<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
  ['an end of the attribute', '" onload="alert(1)', '&quot; onload=&quot;alert(1)'],
  ['other quotes', "' `", '&#39; &#96;'],
  ['an entity', '&lt;', '&amp;lt;'],
  ['control characters', '\u0000\u0007\u001b[31m', '␀␇␛[31m'],
  ['a carriage return', 'one\rtwo', 'one␍two'],
  ['8-bit controls', '\u009b', '⟨U+009B⟩'],
  ['reversed text', 'abc\u202egnp.exe', 'abc⟨U+202E⟩gnp.exe'],
  ['isolates', '\u2066a\u2069', '⟨U+2066⟩a⟨U+2069⟩'],
  ['what has no width', 'a\u200bb\u00adc\ufeff', 'a⟨U+200B⟩b⟨U+00AD⟩c⟨U+FEFF⟩'],
  ['half a character', 'a\ud800b', 'a\ufffdb'],
  ['line breaks and tabs, which are kept', 'a\n\tb', 'a\n\tb'],
  ['letters of any script', 'ß Ω 日本 🙂', 'ß Ω 日本 🙂'],
])('%s', (_, hostile, safe) => {
  expect(shown(hostile)).toBe(`<p title="${safe}">${safe}</p>`)
})

test('no text whatever makes a tag, an attribute or an entity', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const [, attribute, content] = /^<p title="([^"]*)">([^<]*)<\/p>$/s.exec(shown(text)) ?? []
      expect(attribute).toBeDefined()
      expect(content).toBe(attribute)
      expect(content!.replace(/&(amp|lt|gt|quot|#39|#96);/g, '')).not.toMatch(/[&<>"'`]/)
    }),
  )
})

describe('what may be put in', () => {
  test('markup made here stays markup, also in lists', () => {
    const items = ['a', '<'].map((item) => html`<b>${item}</b>`)
    expect(toHtml(html`<i>${items}</i>`)).toBe('<i><b>a</b><b>&lt;</b></i>')
  })

  test('nothing is nothing, and zero is a number', () => {
    expect(toHtml(html`${null}${undefined}${false}${0}`)).toBe('0')
  })

  test('an object out of a JSON file cannot pose as markup', () => {
    const forged = JSON.parse('{"markup":"<b>","Symbol(markup)":"<b>"}') as Content
    expect(() => toHtml(html`${forged}`)).toThrow(TypeError)
  })
})

test('a megabyte is cut with a note of how much', () => {
  const quotation = (text: string) =>
    toHtml(sectionsMarkup([{ heading: null, blocks: [paragraph([quote(text)])] }]))
  const text = quotation(`<${'x'.repeat(999_999)}`)
  expect(text.length).toBeLessThan(2000)
  expect(text).toMatch(/>&lt;x+<span class="note"> … 998,800 more characters are in results\.json/)
  expect(quotation('short')).toContain('>short</span')
})
