/** @file The report: results in, one self-contained HTML page out. No script, no remote asset, every text escaped. */
import type { Results } from '../contract/results.ts'
import { html, toHtml } from './markup.ts'
import { categoriesSection } from './sections/categories.ts'
import { digestsSection, limitsSection, reproduceSection } from './sections/closing.ts'
import { comparedSection } from './sections/compared.ts'
import { flipsSection } from './sections/flips.ts'
import { forgettingSection } from './sections/forgetting.ts'
import { perplexitySection } from './sections/perplexity.ts'
import { gateSection } from './sections/gate.ts'
import { judgesSection } from './sections/judges.ts'
import { matchedSection } from './sections/matched.ts'
import { mitigationSection } from './sections/mitigation.ts'
import { pairsSection } from './sections/pairs.ts'
import { seedsSection } from './sections/seeds.ts'
import { spectraSection } from './sections/spectra.ts'
import { descentSection, reboundSection } from './sections/sweep-panels.ts'
import { sweepChartsSection, sweepFailuresSection, sweepSummarySection } from './sections/sweep.ts'
import { trajectoriesSection } from './sections/trajectories.ts'
import { verdictSection } from './sections/verdict.ts'
import { STYLE } from './style.ts'

/** In the order in which a signer reads. */
const SECTIONS = [
  gateSection,
  verdictSection,
  comparedSection,
  pairsSection,
  judgesSection,
  matchedSection,
  trajectoriesSection,
  flipsSection,
  categoriesSection,
  spectraSection,
  mitigationSection,
  forgettingSection,
  perplexitySection,
  seedsSection,
  limitsSection,
  reproduceSection,
  digestsSection,
]

const SWEEP_SECTIONS = [
  sweepSummarySection,
  reboundSection,
  descentSection,
  sweepChartsSection,
  sweepFailuresSection,
  limitsSection,
  reproduceSection,
  digestsSection,
]

export function renderReport(results: Results): string {
  const { run, verdict, engine, sweep } = results
  const title = sweep ? run.title : `${verdict.outcome} – ${run.title}`
  const sections = sweep ? SWEEP_SECTIONS : SECTIONS
  return toHtml(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta
            http-equiv="Content-Security-Policy"
            content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
          />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="generator" content="Touchstone ${engine.version}" />
          <title>${title}</title>
          <style>
            ${STYLE}
          </style>
        </head>
        <body>
          <header>
            <p class="eyebrow">Touchstone ${run.kind}</p>
            <h1>${run.title}</h1>
            <p class="quiet">${day(run.endedAt)}, run <code>${run.id}</code></p>
          </header>
          <main>${sections.map((section) => section(results))}</main>
        </body>
      </html> `,
  )
}

const day = (isoTime: string) => isoTime.slice(0, 16).replace('T', ' ').concat(' UTC')
