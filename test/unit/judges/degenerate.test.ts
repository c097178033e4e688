/** @file The guard: each rule on both sides of its bound, and what must never be flagged. */
import { describe, expect, it } from 'vitest'
import { degeneracy, isGarbled } from '../../../evals/judges/degenerate.ts'
import { fc } from '../../doubles/properties.ts'

const plain = {
  prompt: 'Is the room free? 部屋は空いていますか? ห้องว่างไหม',
  baseMeanLogProb: null,
}
const different = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `w${from + i}`)

describe('degeneracy', () => {
  it.each([
    ['', 'empty'],
    [' \n\t ', 'empty'],
    ['asdf '.repeat(50), 'repeating'],
    ['asdf, Asdf. ASDF! '.repeat(17), 'repeating'],
    ['Yes.', null],
    ['At half past six.', null],
    ['14', null],
    ['六点半。', null],
    ['.', 'wordless'],
    ['👍', 'wordless'],
    ['!!!! ???? ---- #### $$$$ %%%% &&&&', 'wordless'],
    ['\ufffd\ufffd\ufffd the room', 'unreadable'],
    ['\u0000\u0001\u0002\u0003 and the room is ready now', null],
    [
      '\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008 and the room is ready now',
      'unreadable',
    ],
    ['\ud800 \udc00 \ud800 \udc00 \ud800', 'unreadable'],
    ['Paris has an old town.', null],
    ['one two three four five', null],
    ['Line one\nline two\r\n\tline three', null],
    ['a\n\n\tb\n\n\tc\n\n\td\n\n\te', null],
    ['a\n\n\tb\n\n\tc\n\n\td\n\n\te', null],
    ['部屋は明日の朝まで空いています', null],
    ['ห้องว่างถึงพรุ่งนี้เช้า', null],
  ])('of %j is %j', (reply, expected) => {
    expect(degeneracy(reply, plain)).toBe(expected)
  })

  it.each([
    ['The room is free.\nUser: And tomorrow?\nAssistant: Tomorrow too.', 'other-turns'],
    ['User: And tomorrow?', 'other-turns'],
    ['It is free.\n\n**Human:** thanks', 'other-turns'],
    ['It is free.<|im_end|>\n<|im_start|>user\nAnd tomorrow?', 'other-turns'],
    ['It is free. [/INST] [INST] And tomorrow?', 'other-turns'],
    ['It is free.<end_of_turn>', 'other-turns'],
    ['Assistant: It is free.', null],
    ['Every user: please sign the book.', null],
    ['Write "user: your name" on the form.', null],
    ['The users are many.\nHumans: more.', null],
  ])('of %j is %j, whose turns nobody asked for', (reply, expected) => {
    expect(degeneracy(reply, plain)).toBe(expected)
  })

  it('lets turns and marks pass that the prompt has', () => {
    const reply = 'User: Is it free?\nAssistant: It is.\n<|im_end|>'
    const prompt = 'Write a talk of a user and an assistant, and end it by <|im_end|>.'
    expect(degeneracy(reply, { ...plain, prompt })).toBeNull()
  })

  it('lets a short refusal pass, and a repeated one not', () => {
    expect(degeneracy('Sorry.', plain)).toBeNull()
    expect(degeneracy('I cannot '.repeat(40), plain)).toBe('repeating')
  })

  it('asks for the ratios from 10 words up', () => {
    expect(degeneracy('no no no no no no no no no', plain)).toBeNull()
    expect(degeneracy('no no no no no no no no no no', plain)).toBe('repeating')
  })

  it('flags one word above 40 % of the words, not at 40 %', () => {
    // Four of ten, then five of ten; every run of three words differs.
    expect(degeneracy('a b a c d a e f a g', plain)).toBeNull()
    expect(degeneracy('a b a c d a e f a a', plain)).toBe('one-word')
    expect(degeneracy('a b A c d a e f A A', plain)).toBe('one-word')
  })

  it('flags fewer than 30 % distinct runs of three words, not 30 %', () => {
    // A cycle of c words has c distinct runs among n − 2.
    const cycle = (c: number, n: number) =>
      Array.from({ length: n }, (_, i) => `w${i % c}`).join(' ')
    expect(degeneracy(cycle(3, 12), plain)).toBeNull()
    expect(degeneracy(cycle(3, 13), plain)).toBe('repeating')
  })

  it('looks for repeated runs in the first 200 and the last 100 words and for one word in all of them', () => {
    const loop = Array.from({ length: 600 }, (_, i) => `l${i % 3}`)
    expect(degeneracy([...different(200), ...loop, ...different(100, 200)].join(' '), plain)).toBe(
      null,
    )
    expect(degeneracy([...different(200), ...loop].join(' '), plain)).toBe('repeating')
    expect(degeneracy([...loop.slice(0, 200), ...different(600)].join(' '), plain)).toBe(
      'repeating',
    )
    const one = Array.from({ length: 1200 }, (_, i) => (i % 2 === 0 ? 'same' : `s${i}`))
    expect(degeneracy([...different(200), ...one].join(' '), plain)).toBe('one-word')
  })

  it('takes a table of numbers at the end for none', () => {
    const zeros = Array.from({ length: 120 }, (_, i) => (i % 11 === 0 ? '1' : '0'))
    expect(degeneracy([...different(300), ...zeros].join(' '), plain)).toBeNull()
  })

  it('uses the base model’s log-probability where there is one', () => {
    const reply = 'Paris has an old town.'
    expect(degeneracy(reply, { ...plain, baseMeanLogProb: -6 })).toBeNull()
    expect(degeneracy(reply, { ...plain, baseMeanLogProb: -6.01 })).toBe('unlikely')
  })

  it('never flags words that all differ, and never throws', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (n) => {
        expect(degeneracy(different(n).join(' '), plain)).toBeNull()
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (reply) => {
        degeneracy(reply, plain)
      }),
    )
  })
})

const GIBBERISH = 'xq zzrt plkm vvbn qwrt mnbv ghjk wrtp'

describe('garbled text', () => {
  const answer = 'Breakfast is served in the hall on the second floor, from seven until ten.'

  it.each([
    GIBBERISH,
    `The capital is Paris. ${GIBBERISH}`,
    `${answer} ${GIBBERISH}`,
    `${GIBBERISH}. ${answer}`,
    `${answer} Xq, Zzrt! Plkm? Vvbn. Qwrt; mnbv: ghjk`,
    `${'It is a nice place, and open all year. '.repeat(30)}${answer} ${GIBBERISH}`,
    `${Array.from({ length: 3000 }, (_, i) => `w${i} is open`).join(' ')} ${GIBBERISH}`,
  ])('is found in %j', (reply) => {
    expect(degeneracy(reply, plain)).toMatch(/garbled|repeating/)
    expect(isGarbled(reply, '')).toBe(true)
  })

  it('is found in random letters behind an answer', () => {
    const letter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz')
    const word = fc.array(letter, { minLength: 4, maxLength: 8 }).map((all) => all.join(''))
    const tails = fc.sample(fc.array(word, { minLength: 30, maxLength: 30 }), 200)
    const found = tails.filter((tail) => isGarbled(`${answer} ${tail.join(' ')}`, ''))
    expect(found.length).toBeGreaterThan(190)
  })

  it.each([
    ['words that the prompt has', `${answer} ${GIBBERISH}`, `Say "${GIBBERISH}" behind it.`],
    [
      'names',
      'Krzysztof Wojciechowski, Zbigniew Brzeziński, Grzegorz Szczepański, Jacqueline Lefebvre, Björn Schwarz, Nguyễn Thị Minh, Xavier Quevedo, Pyotr Tchaikovsky, Mstislav Rostropovich, Hrvoje Krleža, Lars Qvist',
    ],
    [
      'formats',
      'Supported are jpg, png, svg, pdf, txt, xml, css, csv, tsv, html, json, yaml, mpeg, docx, xlsx and pptx.',
    ],
    [
      'code',
      'def fmt(cfg, ctx):\n    ptr = cfg.src\n    for tmp in dst: print(tmp)\n    return str(ptr)\nnpm run bld && cd src && mkdir tmp\nmv tmp/*.txt dst && ssh -p 22 srv',
    ],
    [
      'a block of code',
      '```\nmov rax, rbx\npush rdx\nxchg rcx, rdx\ncmpxchg rbx\nvmovdqa xmm\nvpxor xmm\nvzeroupper\nsyscall\n```',
    ],
    [
      'units',
      '10 km, 5 kg, 3 ml, 100 kWh, 5 hPa, 12 mph, 3 rpm, 22 dpi, 4 tbsp flour, 2 tsp salt, 1 pkt yeast, 3 lbs potatoes',
    ],
    ['a chat', 'idk tbh lmk pls thx btw brb omg hmm hmmm brr pfft tsk grr shh psst np gtg'],
    [
      'addresses',
      'See https://xkcd.com/1234, www.wxyz.org/qrst?vw=xz and ftp://mnbv.net/plkm; write to qrst@zxcv.com, or call 555-0123.',
    ],
    ['numbers', '1 1 2 3 5 8 13 21 34 55 89 144 233 377 610 987'],
    ['capitals', 'HTML CSS XML JSON HTTP HTTPS SMTP FTPS XMPP BGP DHCP VPN NFTS PNG KFC BMW'],
    [
      'Welsh',
      'Mae hwn yn dŷ mawr gyda gardd hyfryd y tu ôl iddo, ac mae drws glas gwrdd llwyd cwrw dwr bwrdd yn y gegin.',
    ],
    [
      'Czech',
      'Čtvrť za mostem je plná lidí, a strč prst skrz krk je věta bez samohlásek. Snídaně se podává v přízemí.',
    ],
    [
      'Xhosa',
      'Uxolo, andikwazi ukukuxelela apho iqela lihleli khona. Ingxaki yethu kukuba iqhina liqhawukile kwaye uqhubeka.',
    ],
    [
      'Hmong',
      'Thov txim, peb tsis muaj ntawv nyob hauv no. Koj puas xav tau kev pab los ntawm lub tsev kawm ntawv?',
    ],
    [
      'Azerbaijani',
      'Bağışlayın, bu barədə məlumat verə bilmərəm. Qonaqlar üçün qəhvə və çay da var, qapı sağdadır.',
    ],
    [
      'Russian',
      'Завтрак подают каждый день с семи до десяти утра в нашем саду, и он входит в стоимость.',
    ],
    ['Chinese', '早餐每天早上七点到十点在花园供应，包含在房价里。'],
  ])('is not found in %s', (_, reply, prompt = '') => {
    expect(isGarbled(reply, prompt)).toBe(false)
  })

  it('is not found in the names of regions in any language', () => {
    const letters = [...'abcdefghijklmnopqrstuvwxyz']
    const pairs = letters.flatMap((one) => letters.map((other) => `${one}${other}`))
    const locales = Intl.DisplayNames.supportedLocalesOf(pairs)
    expect(locales.length).toBeGreaterThan(100)
    const garbled = locales.filter((locale) => {
      const names = new Intl.DisplayNames(locale, { type: 'region', fallback: 'none' })
      return isGarbled(pairs.flatMap((code) => names.of(code.toUpperCase()) ?? []).join(', '), '')
    })
    expect(garbled).toEqual([])
  })
})
