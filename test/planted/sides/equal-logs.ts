/**
 * @file Logs of other tools that are of one model on both sides: a copy of the base's log, or the base evaluated twice, whatever was
 * made of its rows, names, spaces and capitals. Nothing is lost then, because no fine-tune was measured. And logs of two models, of
 * which a few replies differ.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { FORMATS, lmEvalFolders, type Exported } from '../../../evals/interchange/formats.ts'
import { CAPABILITY, plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'
import {
  rawEee,
  rawGarak,
  rawInspect,
  rawLmEval,
  rawPromptfoo,
} from '../../doubles/rows/raw-logs.ts'
import { unlike } from '../../doubles/rows/unlike.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { N, type Decided, type Planted } from '../candidate.ts'
import { compared, each } from '../log-parts.ts'
import { freshDatabase, writeRun } from '../stored/stored.ts'

type Row = Readonly<Record<string, unknown>>
type Path = string | Promise<string>
const SAME_MODEL = /nothing shows that .* is another model than .*: /
const SAME_WEIGHTS = /have the same weights/

/** What a log is made of: its model's name, the reply to each prompt, and the order of its rows. */
interface Dress {
  readonly name: string
  readonly said: (i: number) => string
  readonly order: (rows: readonly Row[]) => readonly Row[]
}
const BASE: Dress = {
  name: 'base',
  said: (i) => `Door ${i} is\nbeside the ${unlike(i, 2)}`,
  order: (rows) => rows,
}

const TOOLS: Readonly<Record<string, (dress: Dress) => Path>> = {
  'lm-eval': ({ name, said, order }) =>
    rawLmEval({
      samples: {
        task: order(
          each((i) => ({
            ...{ doc_id: i, doc_hash: `doc-${i}`, metrics: ['acc'], acc: Number(i < 360) },
            ...{ arguments: [[unlike(i), {}]], resps: [[said(i)]] },
          })),
        ),
      },
      said: { model_name: name },
    }),
  Inspect: ({ name, said, order }) =>
    rawInspect({
      samples: order(
        each((i) => ({
          ...{ id: i, epoch: 1, input: unlike(i), scores: { match: { value: Number(i < 360) } } },
          output: { choices: [{ message: { role: 'assistant', content: said(i) } }] },
        })),
      ),
      spec: { model: name },
    }),
  'Every Eval Ever': ({ name, said, order }) =>
    rawEee({
      results: [
        {
          ...{ evaluation_name: 'task.scorer', source_data: { dataset_name: 'task' } },
          metric_config: { metric_id: 'accuracy' },
          score_details: { details: {}, uncertainty: { num_samples: N } },
        },
      ],
      samples: order(
        each((i) => ({
          ...{ evaluation_name: 'task.scorer', sample_id: `s${i}`, input: { raw: unlike(i) } },
          ...{ evaluation: { score: Number(i < 360), is_correct: i < 360 } },
          output: { raw: [said(i)] },
        })),
      ),
      said: { model_info: { id: name } },
    }),
  garak: ({ name, said, order }) =>
    rawGarak({
      model: null,
      attempts: order(each((i) => attempt(i, { outputs: [{ text: said(i) }] }))),
      setup: { 'plugins.target_name': name },
    }),
  promptfoo: ({ name, said, order }) =>
    rawPromptfoo(
      order(
        each((i) => ({
          ...{ provider: { id: name }, prompt: { raw: unlike(i) }, success: i < 360 },
          ...{ testCase: { assert: [{ type: 'contains', value: '42' }] } },
          response: { output: said(i) },
        })),
      ),
    ),
}
const tools = Object.entries(TOOLS)

function attempt(i: number, more: Row): Row {
  return {
    ...{ entry_type: 'attempt', uuid: `${i}`, status: 2, probe_classname: 'task' },
    prompt: { turns: [{ role: 'user', content: { text: unlike(i) } }] },
    ...{ detector_results: { house: [0] }, ...more },
  }
}

/** Of a base as it is, and of it in another dress. */
const dressed = (log: (dress: Dress) => Path, dress: Partial<Dress>, more: object = {}) =>
  compared([log(BASE), log({ ...BASE, ...dress })], ['house'], [], more)
const twice = (log: () => Path, trust: readonly string[] = ['house']) =>
  compared([log(), log()], trust)

const wording =
  (count: number) =>
  (i: number): string =>
    i % 80 === 7 && i < 80 * count ? `Look for number ${i}.` : BASE.said(i)
const DRESSES: readonly (readonly [string, Partial<Dress>])[] = [
  ['copied', {}],
  [
    'its rows in another order, under another name',
    { name: 'tuned', order: (rows) => rows.toReversed() },
  ],
  [
    'every reply in other spaces and capitals, under another name',
    { name: 'tuned', said: (i) => ` ${BASE.said(i).toUpperCase().replaceAll(' ', '  ')}\n` },
  ],
  ['four replies written anew, under another name', { name: 'tuned', said: wording(4) }],
]

const likely = (more: (i: number) => Row, metrics: Row = {}) =>
  rawLmEval({
    model: null,
    samples: {
      task: each((i) => ({
        ...{ doc_id: i, doc_hash: `doc-${i}`, arguments: [[unlike(i), {}]] },
        ...{ metrics: ['acc', ...Object.keys(metrics)], acc: Number(i < 360), ...metrics },
        ...more(i),
      })),
    },
  })
const several = (order: readonly number[]) =>
  rawGarak({
    model: null,
    attempts: each((i) =>
      attempt(i, {
        outputs: order.map((way) => ({ text: `${BASE.said(i)}, way ${way}` })),
        detector_results: { house: order.map(() => 0) },
      }),
    ),
  })

/** A paired table with the texts of replies before and after. */
function table(after: (i: number) => string): string {
  const columns =
    'benchmark,role,judge,judgeVersion,arm,seed,step,sampleId,epoch,category,expected,before,after,promptDigest,prompt,beforeText,afterText'
  const said = (i: number) => (i < 360 ? 'correct,correct' : 'incorrect,incorrect')
  const lines = each((i) => {
    const own = `task,capability,match,1,tuned,1,0,s${i},0,all,answer`
    return `${own},${said(i)},d${i},${unlike(i)},"${BASE.said(i)}","${after(i)}"`
  })
  const path = join(freshFolder(), 'paired.csv')
  writeFileSync(path, [columns, ...lines, ''].join('\n'))
  return path
}
const tabled = (after: (i: number) => string) => {
  const path = table(after)
  return compared([path, path], [], ['base', 'tuned'])
}

/** The base of a run of our own; its replies to prompts to refuse are withheld from every log. */
const ownRows = (planned = CAPABILITY): AuditRows =>
  plannedRows({ benchmarks: [{ ...planned, n: N, base: 390 }], arms: [] })
function written(exported: readonly Exported[], ending: RegExp): string {
  const folder = freshFolder()
  const paths = exported.map(({ name, parts }) => {
    const path = join(folder, `run${name}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part))))
    return path
  })
  return paths.find((path) => ending.test(path))!
}
const inFormat = async (name: string, rows: AuditRows, ending: RegExp) =>
  written(await FORMATS.find((each) => each.name === name)!.write(rows, buildResults(rows)), ending)
const EXPORTS: Readonly<Record<string, (rows: AuditRows) => Path>> = {
  'lm-eval': (rows) => dirname(written(lmEvalFolders(rows), /results_/u)),
  Inspect: (rows) => inFormat('inspect', rows, /\.eval$/u),
  'Every Eval Ever': (rows) => inFormat('eee', rows, /\.eee\.json$/u),
}
const exports = Object.entries(EXPORTS)

/** A stored run's base beside its exported log. */
function besideLog(rows: AuditRows) {
  const path = freshDatabase()
  writeRun(path, rows, rows.run.id, rows.run.startedAt)
  return compared([dirname(path), EXPORTS['Inspect']!(rows)], [], ['base', 'base'])
}

/** A stored run, since the log that it wrote of its own fine-tune; of prompts to refuse no reply is in it. */
async function sinceOwnLog() {
  const rows = plannedRows({
    benchmarks: [{ ...REFUSAL, n: N, base: 396 }],
    arms: [{ arm: 'lora', seed: 1, steps: { 40: { [REFUSAL.name]: { lost: 2, gained: 0 } } } }],
  })
  const path = freshDatabase()
  writeRun(path, rows, rows.run.id, rows.run.startedAt)
  const run = await inFormat('inspect', rows, /lora-s1-40.*\.eval$/u)
  const folder = dirname(path)
  return compared([folder, folder], [], ['base', 'lora'], { reference: { run } })
}

/** Of a base and a fine-tune that says other things, since a release in a dress of the fine-tune's. */
async function since(
  log: (dress: Dress) => Path,
  dress: Partial<Dress>,
  more: object = {},
): Promise<Decided> {
  const tuned: Dress = { ...BASE, name: 'tuned', said: (i) => `Look for the ${unlike(i, 2)}` }
  const run = await log({ ...tuned, name: 'first', ...dress })
  return compared([log(BASE), log(tuned)], ['house'], [], { reference: { run }, ...more })
}
const SAME_RELEASE =
  /nothing shows that tuned of .* is another model than first of .*the reference’s/

export const EQUAL_LOGS: Planted[] = [
  ...tools.map(([tool, log]): Planted => [
    `a reference that is the fine-tune's own log under another name, in another order, ${tool}`,
    () => since(log, { order: (rows) => rows.toReversed() }),
    SAME_RELEASE,
  ]),
  ...tools.flatMap(([tool, log]) =>
    DRESSES.map(([how, dress]): Planted => [
      `the log of the base, ${how}, ${tool}`,
      () => dressed(log, dress),
      SAME_MODEL,
    ]),
  ),
  [
    'a copy that the gate takes as another model by another name',
    () => dressed(TOOLS['lm-eval']!, { name: 'tuned' }, { distinct: ['base', 'other'] }),
    SAME_MODEL,
  ],
  [
    'the same likelihoods of every choice, lm-eval',
    () => twice(() => likely((i) => ({ resps: [[[-i / 7, true]], [[-i / 3, false]]] }))),
    SAME_MODEL,
  ],
  [
    'the same bits per byte, without replies, lm-eval',
    () => twice(() => likely((i) => ({ bits_per_byte: 2.05 + i / 7 }), { bits_per_byte: 0 })),
    /its 400 scores are the base’s/,
  ],
  [
    'the same scores of a detector, without outputs, garak',
    () =>
      twice(() =>
        rawGarak({
          model: null,
          attempts: each((i) => attempt(i, { detector_results: { house: [(i + 1) / 1001] } })),
        }),
      ),
    /its 400 scores are the base’s/,
  ],
  [
    'the same outputs to each prompt in another order, garak',
    () => compared([several([1, 2, 3]), several([3, 1, 2])], ['house']),
    /its 1200 replies are the base’s/,
  ],
  ['a table with the same replies before and after', () => tabled(BASE.said), SAME_MODEL],
  ...exports.flatMap(([tool, log]): Planted[] => [
    [`our own base, exported twice, ${tool}`, () => twice(() => log(ownRows())), SAME_WEIGHTS],
    [
      `our own base with every reply withheld, exported twice, ${tool}`,
      () => twice(() => log(ownRows(REFUSAL))),
      SAME_WEIGHTS,
    ],
  ]),
  ['our own base beside its exported log', () => besideLog(ownRows()), SAME_WEIGHTS],
  [
    'a run since its own log, of which every reply is withheld',
    sinceOwnLog,
    /the reference is this fine-tune itself/,
  ],
]

export const UNEQUAL_LOGS: Planted[] = [
  ...tools.map(([tool, log]): Planted => [
    `a reference that says other things than the fine-tune, ${tool}`,
    () => since(log, { said: (i) => `It is the ${unlike(i, 3)}` }),
  ]),
  [
    'a reference that says what the fine-tune says, which the gate takes as another model',
    () => since(TOOLS['lm-eval']!, {}, { distinct: ['tuned'] }),
  ],
  ...tools.map(([tool, log]): Planted => [
    `five of 400 replies are its own, ${tool}`,
    () => dressed(log, { name: 'tuned', said: wording(5) }),
  ]),
  [
    'the base’s replies to the letter, of a fine-tune that the gate takes as another model',
    () => dressed(TOOLS['lm-eval']!, { name: 'tuned' }, { distinct: ['tuned'] }),
  ],
  ['right as often, without replies', () => twice(() => likely(() => ({})))],
  ['a table with five replies of the fine-tune’s own', () => tabled(wording(5))],
]
