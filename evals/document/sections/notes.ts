/** @file Notes beside the decision. */
import type { Section } from '../../contract/document.ts'
import type { Results } from '../../contract/results.ts'
import { listed } from '../blocks.ts'

export const notesSection = ({ verdict }: Results): Section[] => listed('Notes', verdict.notes)
