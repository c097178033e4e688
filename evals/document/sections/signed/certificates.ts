/** @file Certificates that `touchstone certify --run` kept with the run, in its own words. */
import type { Section } from '../../../contract/document.ts'
import type { Results } from '../../../contract/results.ts'
import { list, paragraph, section, subheading } from '../../blocks.ts'

const ABOUT =
  'What ships was held to what was measured here, or what was measured here to what it was made from. A certificate changes no verdict: what failed one is another model than the one that the verdict is about.'

export const certificatesSection = ({ artifacts }: Results): Section[] => {
  const kept = artifacts.flatMap(({ content }) => (content?.kind === 'certificate' ? content : []))
  return section(
    'Certificates',
    kept.length > 0 && paragraph(ABOUT),
    ...kept.flatMap(({ of, lines: [first, ...rest] }) => [
      subheading(`${first} for ${of.join(', ')}`),
      list(rest),
    ]),
  )
}

/** The terminal's lines. */
export const certificatesBriefly = ({ artifacts }: Results): Section[] => {
  const lines = artifacts.flatMap(({ content }) =>
    content?.kind === 'certificate' ? [`${content.lines[0]} for ${content.of.join(', ')}`] : [],
  )
  return section('Certificates', lines.length > 0 && list(lines))
}
