/** @file `sweep --plan-power`: how small a peak the planned seeds and places see, and how many seeds a peak of a given size needs. */
import { readFile } from 'node:fs/promises'
import { counted } from '../contract/words.ts'
import { Results } from '../contract/results.ts'
import type { PeakPlan, Sweep } from '../contract/sweeps.ts'
import type { PlanLine } from '../contract/job.ts'
import { usageError } from '../errors/touchstone-error.ts'
import { canonicalJson } from '../files/canonical-json.ts'
import { meanAndSd, meanOf } from '../statistics/summary.ts'
import { axesOf } from './cells/cell.ts'
import { parseSeeds } from './cells/values.ts'
import type { SweepConfig } from './config.ts'
import { HEIGHTS, secondsOfTest, seedsNeeded, smallestSeen } from './detectors/peak-power.ts'
import { FEWEST_PLACES } from './detectors/peak-statistic.ts'
import { MOST_LOOKS } from './findings.ts'
import { TEST_ERROR } from './metrics.ts'

/** A line for each axis; with what more seeds would see if `planPower` is set, and only where a place has others on both sides if not. */
export async function powerLines(config: SweepConfig): Promise<PlanLine[]> {
  const seeds = parseSeeds(config.seeds).length
  const fewest = config.planPower ? 2 : FEWEST_PLACES
  const axes = axesOf(config).filter(({ values }) => values.length >= fewest)
  const pilot = config.pilot === null ? null : await pilotOf(config.pilot)
  return axes.map(({ name: axis, values }) => {
    const places = values.length
    const isTold = config.planPower && places >= FEWEST_PLACES
    const needed = isTold
      ? HEIGHTS.map((height) => ({ height, seeds: seedsNeeded(places, height) }))
      : []
    const sd = pilot?.sd ?? null
    const power = { axis, seeds, places, smallest: smallestSeen(seeds, places), sd, needed }
    return { what: powerText(power), count: seeds, unit: 'seed', seconds: null, power }
  })
}

/** Of the tests for peaks, along the axes and at `looks` of each training. */
export function testSeconds(config: SweepConfig, looks: number): number {
  const seeds = parseSeeds(config.seeds).length
  const along = axesOf(config).map(({ values }) => values.length)
  const places = new Set([...along, Math.min(MOST_LOOKS, looks)])
  return [...places].reduce((sum, count) => sum + secondsOfTest(seeds, count), 0)
}

function powerText({ axis, places, smallest, sd, needed }: PeakPlan): string {
  if (places < FEWEST_PLACES)
    return `at ${counted(places, 'place')} cannot see a peak along ${axis}, which needs a place on each side: name ${FEWEST_PLACES} or more`
  const size = (height: number) => {
    const units =
      sd === null ? '' : ` (${Number((height * sd).toPrecision(2))} of the ${TEST_ERROR})`
    return `${counted(height, 'standard deviation')}${units}`
  }
  const sees =
    smallest === null
      ? `cannot see a peak along ${axis}`
      : `see a peak of ${size(smallest)} along ${axis} in 80 % of sweeps`
  const others = needed.map(
    ({ height, seeds }) => `${size(height)}: ${seeds === null ? 'more than 40' : seeds}`,
  )
  const needs = others.length > 0 ? `; seeds that a peak needs: ${others.join(', ')}` : ''
  return `at ${counted(places, 'place')} ${sees}${needs}`
}

/** The standard deviation between seeds of the pilot's test error, pooled over places. */
async function pilotOf(path: string): Promise<{ sd: number }> {
  const read = await readFile(path, 'utf8').then((text) => Results.safeParse(JSON.parse(text)))
  const sweep = read.data?.sweep
  const variances = sweep ? variancesOf(sweep) : []
  if (variances.length === 0) {
    throw usageError(
      `--pilot ${path} holds no sweep with the test errors of two seeds.`,
      'Name the results.json of a sweep over the same testbed with other seeds.',
    )
  }
  return { sd: Math.sqrt(meanOf(variances)) }
}

const variancesOf = ({ cells }: Sweep): number[] =>
  [...Map.groupBy(cells, ({ spec }) => canonicalJson([spec.line, spec.axes])).values()].flatMap(
    (group) => {
      const errors = group.flatMap(({ metrics }) =>
        metrics.filter(({ name }) => name === TEST_ERROR).map(({ value }) => value),
      )
      const sd = errors.length > 1 ? meanAndSd(errors).sd! : null
      return sd === null ? [] : [sd ** 2]
    },
  )
