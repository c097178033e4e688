/** @file The fact sheet of a fine-tune as sections, for Markdown and HTML. */
import type { Section, Text } from '../contract/document.ts'
import {
  NO_ADVICE,
  NOT_MEASURED,
  type Answer,
  type FactSheet,
} from '../contract/signed/fact-sheet.ts'
import { label, paragraph, quoted, section, table } from './blocks.ts'
import { renderPage } from './html.ts'
import { headedMarkdown } from './markdown.ts'

/** Of many rows the first few; results.json has all of them. */
const MOST_POINTERS = 6

function factSheetSections({ parts }: FactSheet): Section[] {
  return [
    ...section(null, paragraph(NO_ADVICE), paragraph(HOW)),
    ...parts.flatMap(({ source, heading, questions }) =>
      section(
        source === 'code-of-practice' ? `EU code of practice. ${heading}` : heading,
        table(questions, [
          label('Question', ({ question }) => question),
          quoted('Answer', ({ answer }) => answer?.text ?? NOT_MEASURED),
          label('Rows', ({ answer }) => pointersText(answer)),
        ]),
      ),
    ),
  ]
}

const HOW: Text = `Every answer is made of the rows of results.json that stand beside it (JSON pointers, RFC 6901). “${NOT_MEASURED}” is an answer that no row gives. Questions of the EU code of practice for general-purpose models are in our words.`

function pointersText(answer: Answer | null): string {
  if (!answer) return ''
  const { pointers } = answer
  const rest = pointers.length - MOST_POINTERS
  const shown = pointers.slice(0, MOST_POINTERS).join(' ')
  return rest > 0 ? `${shown} and ${rest} more` : shown
}

export const factSheetMarkdown = (sheet: FactSheet): string =>
  headedMarkdown(titleOf(sheet), factSheetSections(sheet), sheet)

export const factSheetPage = (sheet: FactSheet): string =>
  renderPage({
    title: titleOf(sheet),
    eyebrow: 'fact sheet',
    run: sheet.run,
    measuredUntil: sheet.measuredUntil,
    version: sheet.touchstone,
    sections: factSheetSections(sheet),
  })

const titleOf = ({ title }: FactSheet) => `Fact sheet: ${title}`
