/** @file The fact sheet of a run, from results.json alone: each question with what answers it. */
import type { Results } from '../../contract/results.ts'
import type { Answer, FactSheet } from '../../contract/signed/fact-sheet.ts'
import {
  assumedAnswer,
  changesAnswer,
  contextsAnswer,
  decisionAnswer,
  judgesAnswer,
  limitsAnswer,
  peopleAnswer,
  planAnswer,
  ratesAnswer,
  suiteAnswer,
} from './measured.ts'
import {
  baseAnswer,
  changeAnswer,
  dataAnswer,
  digestAnswer,
  flopsAnswer,
  lintAnswer,
  machineAnswer,
  ratioAnswer,
  settingsAnswer,
  sizeAnswer,
  timeAnswer,
  type Given,
} from './training.ts'

type Ask = (results: Results, given: Given) => Answer | null
/** No row of a run answers it. */
const open: Ask = () => null

type Asked = readonly (readonly [id: string, question: string, ask: Ask])[]

const PARTS: readonly (Pick<FactSheet['parts'][number], 'source' | 'heading'> & {
  readonly asked: Asked
})[] = [
  {
    source: 'fine-tune',
    heading: 'What was changed',
    asked: [
      ['base', 'Which model was changed?', baseAnswer],
      ['change', 'What was changed, and by which method?', changeAnswer],
      ['settings', 'With which settings was it trained?', settingsAnswer],
      ['digests', 'Which files are the result?', digestAnswer],
    ],
  },
  {
    source: 'fine-tune',
    heading: 'Data',
    asked: [
      ['data', 'On which data, how many rows, with which digest?', dataAnswer],
      ['lint', 'What did checks of the data find?', lintAnswer],
    ],
  },
  {
    source: 'fine-tune',
    heading: 'Compute',
    asked: [
      ['flops', 'How many operations did the training take?', flopsAnswer],
      ['ratio', 'What share of the base’s own training is that?', ratioAnswer],
      ['machine', 'On which machine?', machineAnswer],
      ['time', 'How long did it take?', timeAnswer],
      ['energy', 'How much energy did it take?', open],
    ],
  },
  {
    source: 'fine-tune',
    heading: 'What was measured',
    asked: [
      ['decision', 'What was decided?', decisionAnswer],
      ['plan', 'Was the question fixed before?', planAnswer],
      ['suite', 'On which prompts?', suiteAnswer],
      ['rates', 'Which rates, with which uncertainty?', ratesAnswer],
      ['changes', 'Which changes, with which uncertainty?', changesAnswer],
      ['judges', 'Do the judges agree?', judgesAnswer],
      ['people', 'Did people look at replies?', peopleAnswer],
      ['contexts', 'In which contexts beside the plain prompt?', contextsAnswer],
    ],
  },
  {
    source: 'fine-tune',
    heading: 'What was not measured',
    asked: [
      ['assumed', 'What does the decision take for granted?', assumedAnswer],
      ['limits', 'What do these numbers not say?', limitsAnswer],
    ],
  },
  {
    source: 'code-of-practice',
    heading: 'Model documentation: general',
    asked: [
      ['provider', 'Who is the provider?', open],
      ['name', 'What is the model called, and which files are it?', digestAnswer],
      ['dependencies', 'Which model is it made from?', baseAnswer],
      ['release', 'When, where and how is it released or offered in the Union?', open],
      ['licences', 'Under which licences, and who gets which parts?', open],
    ],
  },
  {
    source: 'code-of-practice',
    heading: 'Model documentation: properties and use',
    asked: [
      ['architecture', 'What is its architecture?', open],
      ['size', 'How many parameters does it have?', sizeAnswer],
      ['modalities', 'What goes in and comes out, and how much at most?', open],
      ['uses', 'Which uses are intended, and which are not acceptable?', open],
      ['integration', 'Which hardware and software does its use need?', open],
    ],
  },
  {
    source: 'code-of-practice',
    heading: 'Model documentation: training',
    asked: [
      ['process', 'How was the modification trained, in which steps?', settingsAnswer],
      ['rationale', 'Why was it done so?', open],
      ['data-points', 'How many data points of which kind?', dataAnswer],
      ['provenance', 'Where is the data from, and how was it obtained and chosen?', open],
      ['unsuitable', 'How was unsuitable data looked for?', lintAnswer],
      ['biases', 'How were biases of the data looked for?', open],
    ],
  },
  {
    source: 'code-of-practice',
    heading: 'Model documentation: compute and energy',
    asked: [
      ['training-time', 'How long did the training take, on what?', timeAnswer],
      ['training-compute', 'How much computation, and how was it reckoned?', flopsAnswer],
      [
        'threshold',
        'Is it a third of the base’s, from which a modifier is a provider?',
        ratioAnswer,
      ],
      ['training-energy', 'How much energy, and how was it reckoned?', open],
    ],
  },
  {
    source: 'code-of-practice',
    heading: 'Evaluations',
    asked: [
      ['methods', 'Which evaluations were made, by which methods?', suiteAnswer],
      ['results', 'What came of them, with which uncertainty?', changesAnswer],
      ['risks', 'Which systemic risks were looked for, and what was found?', open],
      ['external', 'Did somebody independent evaluate it?', open],
      ['incidents', 'Which incidents are known, and how are they followed?', open],
    ],
  },
]

export function factSheet(results: Results, given: Given): FactSheet {
  const { run, engine } = results
  return {
    run: run.id,
    title: run.title,
    touchstone: engine.version,
    measuredUntil: run.endedAt,
    parts: PARTS.map(({ source, heading, asked }) => ({
      source,
      heading,
      questions: asked.map(([id, question, ask]) => ({
        id,
        question,
        answer: ask(results, given),
      })),
    })),
  }
}
