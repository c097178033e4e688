/** @file Every section, in reading order, and the outputs that show it. */
import type { Section } from '../contract/document.ts'
import type { GateResult } from '../contract/gate.ts'
import type { Results } from '../contract/results.ts'
import {
  budgetComparisonSection,
  budgetLines,
  budgetSection,
  followedSection,
  worstSection,
} from './sections/cells/budget.ts'
import { directionSection } from './sections/causes/direction.ts'
import { attributionSection } from './sections/causes/rows.ts'
import { locationSection } from './sections/causes/weights.ts'
import { categoriesSection } from './sections/categories.ts'
import {
  commandSection,
  digestsSection,
  limitsSection,
  reproduceSection,
} from './sections/closing.ts'
import { comparedSection } from './sections/compared.ts'
import {
  generatedSection,
  mergeLinesBriefly,
  mergeLinesSection,
  prunedSection,
  routersSection,
} from './sections/composed.ts'
import { placeRows } from './pointers.ts'
import { certificatesBriefly, certificatesSection } from './sections/signed/certificates.ts'
import { contextsSection } from './sections/contexts.ts'
import { correctedLines } from './sections/corrected-lines.ts'
import { federationSection } from './sections/federation.ts'
import { flipsSection } from './sections/flips.ts'
import { forgettingSection } from './sections/forgetting.ts'
import { categoryMapSection } from './sections/front/category-map.ts'
import { claimsSection, primarySection } from './sections/front/claims.ts'
import { exceptionsSection, signatureSection } from './sections/front/closing.ts'
import { guideSection } from './sections/front/guide.ts'
import { outcomesSection } from './sections/front/outcomes.ts'
import { progressSection } from './sections/front/progress.ts'
import { tilesSection } from './sections/front/tiles.ts'
import {
  adviceSection,
  assumptionsSection,
  decisionSection,
  decisionSections,
  gateSection,
} from './sections/gate.ts'
import { correctedSection, judgesSection } from './sections/judges.ts'
import { matchedSection } from './sections/matched.ts'
import { remediesSection } from './sections/remedies.ts'
import { mitigationSection } from './sections/mitigation.ts'
import { notesSection } from './sections/notes.ts'
import { pairsSection } from './sections/pairs.ts'
import { perplexitySection } from './sections/perplexity.ts'
import { ratesSection } from './sections/rates.ts'
import { betweenSeeds, seedsSection } from './sections/seeds.ts'
import { servedBriefly, servedSection } from './served/section.ts'
import { changeSection, spectraSection } from './sections/spectra.ts'
import { spectrumLines } from './sections/spectrum-lines.ts'
import { besideSection, peakEffectSection } from './sections/cells/peak-effects.ts'
import { descentSection, reboundSection } from './sections/cells/sweep-panels.ts'
import {
  sweepChartsSection,
  sweepFailuresSection,
  sweepFiguresSection,
  sweepLines,
  sweepSummarySection,
} from './sections/cells/sweep.ts'
import { planSection } from './sections/signed/plan.ts'
import { taskSection } from './sections/tasks/task.ts'
import { thoughtsSection } from './sections/thoughts.ts'
import { trajectoriesSection } from './sections/trajectories.ts'
import { hasVerdict } from '../contract/results.ts'
import { withoutContexts } from './view.ts'

type Build = (results: Results) => Section[]
type Output = 'html' | 'window' | 'card' | 'terminal'

const where =
  (isShown: (results: Results) => boolean, build: Build): Build =>
  (results) =>
    isShown(results) ? build(results) : []
const isPassed = ({ gate }: Results) => gate?.outcome === 'PASS'
/** Of the prompts as they are; what contexts change stands in a section of its own. */
const plainly =
  (build: Build): Build =>
  (results) =>
    build(withoutContexts(results))
/** On a page of the report that is signed. */
const onSheet =
  (sheet: NonNullable<Section['sheet']>, build: Build): Build =>
  (results) =>
    build(results).map((found) => ({ ...found, sheet }))
const isUnjudged = (results: Results) => !hasVerdict(results)

/**
 * `html` is the report, in the order in which a signer reads; `window` the same, but for replies, which have a view of their own, and advice,
 * which can be begun there;
 * `card` the Markdown page, without prompts or replies; `terminal` the lines printed when a run ends.
 */
const SECTIONS: readonly (readonly [Build, ...Output[]])[] = [
  [gateSection, 'card'],
  [where(hasVerdict, gateSection), 'terminal'],
  [onSheet(1, decisionSection), 'html', 'window'],
  [tilesSection, 'window'],
  [onSheet(1, primarySection), 'html', 'window'],
  [onSheet(1, where(hasVerdict, plainly(outcomesSection))), 'html', 'window'],
  [onSheet(1, where(hasVerdict, plainly(comparedSection))), 'html', 'window'],
  [onSheet(2, where(hasVerdict, plainly(progressSection))), 'html', 'window'],
  [onSheet(2, plainly(categoryMapSection)), 'html', 'window'],
  [onSheet(2, assumptionsSection), 'html', 'window'],
  [onSheet(2, where(hasVerdict, limitsSection)), 'html', 'window'],
  [onSheet(2, exceptionsSection), 'html', 'window'],
  [onSheet(2, signatureSection), 'html'],
  [assumptionsSection, 'card'],
  [where(isPassed, assumptionsSection), 'terminal'],
  [planSection, 'html', 'window', 'card', 'terminal'],
  [adviceSection, 'html'],
  [claimsSection, 'html', 'window'],
  [servedSection, 'html', 'window', 'card'],
  [servedBriefly, 'terminal'],
  [certificatesSection, 'html', 'window', 'card'],
  [certificatesBriefly, 'terminal'],
  [contextsSection, 'html', 'window', 'card', 'terminal'],
  [taskSection, 'html', 'window', 'card', 'terminal'],
  [notesSection, 'html', 'window'],
  [where(isUnjudged, plainly(comparedSection)), 'html', 'window'],
  [plainly(pairsSection), 'html', 'window'],
  [plainly(ratesSection), 'card'],
  [where(isUnjudged, plainly(ratesSection)), 'html', 'window', 'terminal'],
  [thoughtsSection, 'html', 'window', 'card', 'terminal'],
  [plainly(judgesSection), 'html', 'window'],
  [correctedSection, 'card'],
  [correctedLines, 'terminal'],
  [attributionSection, 'html', 'window', 'card', 'terminal'],
  [locationSection, 'html', 'window', 'card', 'terminal'],
  [directionSection, 'html', 'window', 'card', 'terminal'],
  [plainly(matchedSection), 'html', 'window'],
  [plainly(mergeLinesSection), 'html', 'window', 'card'],
  [mergeLinesBriefly, 'terminal'],
  [generatedSection, 'html', 'window', 'card', 'terminal'],
  [prunedSection, 'html', 'window', 'card', 'terminal'],
  [routersSection, 'html', 'window', 'card', 'terminal'],
  [plainly(trajectoriesSection), 'html', 'window'],
  [federationSection, 'html', 'window', 'card', 'terminal'],
  [plainly(flipsSection), 'html'],
  [plainly(categoriesSection), 'html', 'window'],
  [spectraSection, 'html', 'window'],
  [spectrumLines, 'terminal'],
  [remediesSection, 'html', 'window', 'card', 'terminal'],
  [plainly(mitigationSection), 'html', 'window'],
  [plainly(forgettingSection), 'html', 'window'],
  [perplexitySection, 'html', 'window'],
  [plainly(seedsSection), 'html', 'window'],
  [plainly(betweenSeeds), 'card'],
  [where(hasVerdict, notesSection), 'terminal'],
  [where(isUnjudged, limitsSection), 'html', 'window'],
  [limitsSection, 'card'],
  [commandSection, 'card'],
  [reproduceSection, 'html', 'window'],
  [digestsSection, 'html', 'window'],
  [guideSection, 'html'],
]

const SWEEP_SECTIONS: typeof SECTIONS = [
  [sweepLines, 'terminal'],
  [sweepSummarySection, 'html', 'window', 'card'],
  [sweepFiguresSection, 'html', 'window'],
  [reboundSection, 'html', 'window', 'card'],
  [descentSection, 'html', 'window', 'card'],
  [peakEffectSection, 'html', 'window', 'card'],
  [besideSection, 'html', 'window'],
  [sweepChartsSection, 'html', 'window'],
  [sweepFailuresSection, 'html', 'window'],
  [limitsSection, 'html', 'window', 'card'],
  [commandSection, 'card'],
  [reproduceSection, 'html', 'window'],
  [digestsSection, 'html', 'window'],
]

const BUDGET_SECTIONS: typeof SECTIONS = [
  [budgetLines, 'terminal'],
  [budgetSection, 'html', 'window', 'card'],
  [followedSection, 'html', 'window', 'card'],
  [budgetComparisonSection, 'html', 'window', 'card', 'terminal'],
  [worstSection, 'html', 'window', 'card'],
  [limitsSection, 'html', 'window', 'card'],
  [commandSection, 'card'],
  [reproduceSection, 'html', 'window'],
  [digestsSection, 'html', 'window'],
]

/** Parts of the report that a view of the window shows by themselves. */
const PARTS = {
  training: [trajectoriesSection, federationSection, attributionSection],
  weights: [
    changeSection,
    attributionSection,
    locationSection,
    remediesSection,
    directionSection,
    mitigationSection,
    matchedSection,
  ],
} as const
export type Part = 'all' | keyof typeof PARTS

export const partOf = (results: Results, part: keyof typeof PARTS): Section[] =>
  PARTS[part].flatMap((build) => build(results))

/** The document of a run for one output. The card and the terminal leave out what the report folds. */
export function sectionsOf(results: Results, output: Output): Section[] {
  placeRows(results)
  const sections = registryOf(results).flatMap(([build, ...outputs]) =>
    outputs.includes(output) ? build(results) : [],
  )
  return output === 'card' || output === 'terminal' ? sections.map(briefly) : sections
}

/** Whether it gives no verdict, and says something of its own in its place. */
export const hasOwnSections = (results: Results): boolean => registryOf(results) !== SECTIONS

function registryOf({ sweep, budget }: Results): typeof SECTIONS {
  if (budget) return BUDGET_SECTIONS
  return sweep ? SWEEP_SECTIONS : SECTIONS
}

/** A decision by itself, as a terminal shows it. */
export const decidedSections = (gate: Omit<GateResult, 'advice'>): Section[] => [
  ...decisionSections(gate, (name) => name).map(briefly),
  ...(gate.outcome === 'PASS' ? assumptionsSection({ gate }) : []),
  ...planSection({ gate }),
]

/** Without what is folded, and without the rule and the columns of claims. */
const briefly = ({ heading, blocks }: Section): Section => ({
  heading,
  blocks: blocks
    .filter(({ type }) => type !== 'details')
    .map((block) => {
      if (block.type === 'decision') return { ...block, rule: '' }
      if (block.type !== 'findings') return block
      return { ...block, heads: [], rows: block.rows.map((row) => ({ ...row, cells: [] })) }
    }),
})
