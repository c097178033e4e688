/**
 * @file Benchmarks that nobody's cluster column describes: of one template or a few, one request with noise, the same questions in
 * several languages. Every reply is as before, and the prompts show the same few things again and again, so that no harm in other
 * prompts could be seen. And safe ones: prompts written one by one, with what benchmarks put around them.
 */
import { readFileSync } from 'node:fs'
import { eeeLog, inspectLog, lmEvalLog, scores } from '../doubles/rows/foreign-logs.ts'
import { rawLmEval } from '../doubles/rows/raw-logs.ts'
import { unlike } from '../doubles/rows/unlike.ts'
import { audited, foreign, gated, N, NONE, numberOf, state, type Decided } from './candidate.ts'
import type { Planted } from './candidate.ts'
import { compared, each } from './log-parts.ts'

export type Text = (i: number) => string

const NAMES =
  'Anna Bert Cleo Dora Emil Fred Gita Hugo Iris Jana Kurt Lena Mona Nils Olga Paul Quin Rosa Sven Tina'.split(
    ' ',
  )
const name: Text = (i) => `${NAMES[i % 20]!}${'abcdefghijklmnopqrst'[Math.floor(i / 20) % 20]!}`
const some = (i: number, n: number, from = 0) =>
  unlike(i + from)
    .slice(0, -1)
    .split(' ')
    .slice(0, n)
    .join(' ')
const one = (texts: readonly string[], i: number) => texts[i % texts.length]!
/** Of each list the sign that a digit of `i` picks. */
const signs = (i: number, ...lists: readonly string[]) =>
  lists.map((list, k) => [...list][Math.floor(i / 10 ** k) % [...list].length]!).join('')
const TIRED = 'where is the old brass key of the cellar door tonight'
/** One request, in which letters are written otherwise. */
const spelt = (edit: (letter: string) => string): Text => {
  const letters = [...TIRED]
  return (i) => letters.map((each, k) => ((i >> (k % 9)) & 1 ? edit(each) : each)).join('')
}
const bold = (letter: string) =>
  letter === ' ' ? letter : String.fromCodePoint(0x1d41a + letter.charCodeAt(0) - 97)
const encoded = (text: string, as: 'base64' | 'hex') => Buffer.from(text).toString(as)
const RULES =
  'You are the clerk of a hotel. Be kind and brief, and never tell a guest what another guest has said. '

const SHORT = 'Where is {}?|Call {} now.|Has {} eaten?|Wake {} gently.|Why would {} laugh?'.split(
  '|',
)
const MIDDLING =
  'Please write a short letter about|I would like to hear about|Make a list of all the|Explain to a child how|Compare for me the old|Sing a slow song about'.split(
    '|',
  )

/** The first prompts of a bundled file. */
const bundled = (file: string): string[] =>
  readFileSync(new URL(`../../evals/bundled/data/${file}.jsonl`, import.meta.url), 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : (JSON.parse(line) as { prompt: string }).prompt))
const [DE, FR, ES, ZH] = ['mild-de', 'mild-fr', 'mild-es', 'mild-zh'].map(bundled)
const MILD = [...bundled('mild-refusal'), ...bundled('mild-overrefusal')]

export const ALIKE: Readonly<Record<string, Text>> = {
  'one template with a number': (i) => `How many chairs are in room ${i}?`,
  'one template with a name': (i) => `Where is ${name(i)}?`,
  'one long template': (i) =>
    `Please tell me in which room of the house the guest called ${name(i)} is sleeping tonight.`,
  'one template with two slots': (i) => `Tell ${name(i)} the code of room ${i} now.`,
  'one template with a slot of eight words': (i) =>
    `Please write a short letter about ${some(i, 8)} to my aunt in the country.`,
  'one template whose slot is longer than itself': (i) =>
    `Tell me a story with ${some(i, 9)} ${some(i, 9, 900)} in it.`,
  'two templates': (i) =>
    one(['Where is the {} of {}?', 'Who painted the {} in {}?'], i)
      .replace('{}', some(i, 1))
      .replace('{}', name(i)),
  'five short templates': (i) => one(SHORT, i).replace('{}', name(i)),
  'six beginnings with slots of nine words': (i) => `${one(MIDDLING, i)} ${some(i, 9)}`,
  'two thirds of it one template with slots of eight words': (i) =>
    i % 3 ? `Please write a letter about ${some(i, 8)} soon` : unlike(i),
  'one template in Chinese': (i) =>
    `请告诉我住在${signs(i, '王李张刘陈杨黄赵周吴', '伟芳娜敏静丽强磊军洋')}隔壁的客人是谁`,
  'one template in Japanese': (i) =>
    `${signs(i, '田山川村木林森石原中', '一二三四五六七八九十', '男女子美')}さんの部屋の鍵をください`,
  'one template in Thai': (i) => `ห้องของคุณ${signs(i, 'กขคงจฉชซฌญ', 'ดตถทธนบปผฝ', 'พฟภม')}อยู่ที่ไหน`,
  'one template in Korean': (i) =>
    `${signs(i, '김이박최정강조윤장임', '민서준우진영호수지현', '가나다라')} 손님의 방은 어디에 있습니까?`,
  'one template behind long rules': (i) => `${RULES.repeat(3)}Where is ${name(i)}?`,
  'one template behind rules without a full stop': (i) =>
    `As the clerk of a hotel who is kind and brief please say where ${name(i)} is`,
  'one template with four options': (i) =>
    `Where is the ${some(i, 1)}?\nA. ${some(i, 1, 400)}\nB. ${some(i, 1, 800)}\nC. nowhere\nAnswer:`,
  'one template in letters large and small': (i) =>
    [...`Where is ${name(i)} tonight?`]
      .map((each, k) => ((i * 31 + k * k) % 3 ? each.toUpperCase() : each))
      .join(''),
  'one template with stops between its words': (i) => `Where. is! ${name(i)}? tonight; please`,
  'one template in markdown': (i) => `**Where** is _${name(i)}_ \`tonight\`?`,
  'one template as JSON': (i) => JSON.stringify({ task: 'find', guest: name(i), floor: i }),
  'one template as code': (i) =>
    `def f_${name(i)}(x):\n    # add ${some(i, 1)}\n    return x + ${i}`,
  'one template as addresses': (i) => `https://example.org/room/${name(i)}/key`,
  'one template in base64': (i) => encoded(`who sleeps in room ${name(i)} tonight`, 'base64'),
  'one template in hexadecimal digits': (i) => encoded(`who is ${i}`, 'hex'),
  'sums of two numbers': (i) => `${i} + ${3 * i} = ?`,
  'one story with other numbers': (i) =>
    `${name(i)} has ${i} pears and buys ${i + 3} more. How many pears does ${name(i)} have now?`,
  'one word each': name,
  'one request with one letter wrong': (i) =>
    `${TIRED.slice(0, i % 50)}${'xqz'[i % 3]!}${TIRED.slice((i % 50) + 1)}`,
  'one request in bold letters': spelt(bold),
  'two words each': (i) => `${name(i)} ${some(i, 1)}`,
  'one request behind a greeting': (i) => `${name(i)} here, hi. Who sleeps in room twelve?`,
  'one request behind five words of noise': (i) => `${some(i, 5)}. Who sleeps in room twelve?`,
  'one request before nine words of noise': (i) => `Who sleeps in room twelve? ${some(i, 9)}`,
  '40 prompts, every third word another': (i) =>
    unlike(i % 40)
      .split(' ')
      .map((word, k) => (k % 3 === 1 ? some(i, 1, 900 * k) : word))
      .join(' '),
  '80 prompts behind five roles, counted as 400': (i) =>
    `${one(['You are a pirate who loves rum.', 'You are a doctor in a village.', 'Answer as a teacher would.', 'Reply as JSON with one field.', 'Speak as in the year 1890.'], Math.floor(i / 80))} ${unlike(i % 80)}`,
  '20 people who say who they are first': (i) =>
    `My name is ${NAMES[Math.floor(i / 20)]!}, I live in ${some(Math.floor(i / 20), 1)} street and I have two dogs. ${unlike(i)}`,
  '80 questions in five languages': (i) => [MILD, DE!, FR!, ES!, ZH!][i % 5]![Math.floor(i / 5)]!,
}

type Route = (text: Text) => Decided | Promise<Decided>

/** Through the gate, logs of three tools, and an audit's stored replies. */
const ROUTES: readonly Route[] = [
  (text) => {
    const run = state('refusal', N, (row, i) => ({
      ...row,
      prompt: text(i),
      promptDigest: text(i),
    }))
    return gated(run, run)
  },
  (prompt) =>
    foreign(
      [360, 359].map((ones) => lmEvalLog({ metric: 'acc', scores: scores(N, ones), prompt })),
    ),
  (prompt) =>
    foreign(
      [360, 359].map((ones) => inspectLog({ metric: 'match', scores: scores(N, ones), prompt })),
    ),
  (prompt) =>
    foreign(
      [360, 359].map((ones) => eeeLog({ metric: 'accuracy', scores: scores(N, ones), prompt })),
    ),
  (text) =>
    audited({
      seeds: [NONE],
      edit: (rows) => ({
        ...rows,
        replies: rows.replies.map((row) => ({ ...row, prompt: text(numberOf(row)) })),
      }),
    }),
]

const routeOf = (i: number) => ROUTES[i % ROUTES.length]!

/** Each by one route, in turn. */
export const UNNAMED: Planted[] = [
  ...Object.entries(ALIKE).map(([what, text], i): Planted => [what, () => routeOf(i)(text)]),
  [
    'a log that says neither texts nor clusters',
    () =>
      foreign(
        [360, 359].map((ones) =>
          lmEvalLog({ metric: 'acc', scores: scores(N, ones), prompt: null }),
        ),
      ),
    /neither a cluster nor a text/,
  ],
  [
    'one template, of which each prompt is a document of its own',
    () =>
      compared(
        [0, 1].map(() =>
          rawLmEval({
            samples: {
              task: each((i) => ({
                ...{ doc_id: i, metrics: ['acc'], acc: 1, doc: { document_id: i } },
                arguments: [[`What is the colour of the door of house ${i} in Baker Street?`, {}]],
              })),
            },
          }),
        ),
      ),
    /in 1 cluster/,
  ],
]

const around: Readonly<Record<string, (text: string) => string>> = {
  'as they are': (text) => text,
  'behind "Answer with one word:"': (text) => `Answer with one word: ${text}`,
  'between "Question:" and "Answer:"': (text) => `Question: ${text}\nAnswer:`,
  'behind long rules': (text) => `${RULES.repeat(3)}${text}`,
  'before four options': (text) =>
    `${text}\nA. yes\nB. no\nC. it depends\nD. nobody knows\nAnswer:`,
  'behind solved examples': (text) =>
    `Q: What is the colour of the sky?\nA: Blue\n\nQ: How many legs has a spider?\nA: Eight\n\nQ: Who bakes bread?\nA: A baker\n\nQ: ${text}\nA:`,
}

/** 220 prompts that were written one by one. */
function written(texts: readonly string[], edit: (text: string) => string): Decided {
  const run = state('over-refusal', 0, (row, i) =>
    i < texts.length ? { ...row, prompt: edit(texts[i]!), promptDigest: texts[i]! } : null,
  )
  const all = {
    ...run,
    benchmarks: run.benchmarks.map((row) => ({ ...row, replies: texts.length })),
  }
  return gated(all, all)
}

export const WRITTEN: Planted[] = [
  ...Object.entries(around).map(([how, edit]): Planted => [
    `220 prompts written one by one, ${how}`,
    () => written(MILD, edit),
  ]),
  ['220 prompts written in Chinese', () => written(ZH!, (text) => text)],
  ['220 prompts written in German', () => written(DE!, (text) => text)],
  [
    'a log without texts whose gate says that its prompts are independent',
    () =>
      foreign(
        [360, 359].map((ones) =>
          lmEvalLog({ metric: 'acc', scores: scores(N, ones), prompt: null }),
        ),
        {},
        'benchmarks: { task: { margin: 0.05 } }\nindependent: [task]',
      ),
  ],
]
