/** @file What a fact sheet says of the training: what was changed, on which data, with how much compute. */
import { z } from 'zod'
import {
  counted,
  listed,
  percent,
  shortDigest,
  stateName,
  wholeNumber,
} from '../../contract/words.ts'
import type { Results } from '../../contract/results.ts'
import type { ArtifactRow, SubjectIdentity } from '../../contract/rows.ts'
import type { Answer } from '../../contract/signed/fact-sheet.ts'
import { trainingFlops } from './flops.ts'
import { answerOf, cited, type Cited } from './rows.ts'

/** What the maker of a sheet says of the base, which no row does. */
export interface Given {
  /** Operations of the base's own training; null where they are not known. */
  readonly baseFlops: number | null
}

const Training = z.object({
  training: z.object({
    steps: z.int(),
    batchSize: z.int(),
    gradientAccumulationSteps: z.int(),
    learningRate: z.number(),
  }),
})
const trainingOf = ({ run }: Results) => Training.safeParse(run.config).data?.training

const bases = (results: Results) => cited(results, 'subjects', ({ arm }) => arm === 'base')
const tuned = (results: Results) => cited(results, 'subjects', ({ arm }) => arm !== 'base')
const trainedHere = (results: Results) =>
  cited(results, 'subjects', ({ method }) => method !== null)

const dataIn = (results: Results) =>
  cited(results, 'artifacts', ({ content }) => content?.kind === 'training-data')

const contentOf = ({ content }: ArtifactRow) =>
  content?.kind === 'training-data' ? content : undefined

const size = ({ parameters }: SubjectIdentity) =>
  parameters === 0 ? 'a size that is not known' : `${wholeNumber(parameters)} parameters`

export const baseAnswer = (results: Results): Answer | null =>
  answerOf(
    bases(results),
    (row) => `${row.title}, ${size(row)}, SHA-256 ${shortDigest(row.weightsDigest)}`,
  )

export const changeAnswer = (results: Results): Answer | null =>
  answerOf(tuned(results), ({ title, method, trainableParameters, ...row }) => {
    const how = method === null ? 'made elsewhere' : `trained here by ${method}`
    const many =
      trainableParameters > 0 ? `, ${wholeNumber(trainableParameters)} parameters trained` : ''
    return `${title}, seed ${row.seed}: ${how}${many}`
  })

export const digestAnswer = (results: Results): Answer | null =>
  answerOf(
    tuned(results).filter(({ row }) => (row.adapterDigest ?? row.weightsDigest) !== ''),
    (row) => `${stateName(row)}: SHA-256 ${row.adapterDigest ?? row.weightsDigest}`,
  )

export const sizeAnswer = (results: Results): Answer | null =>
  answerOf(
    tuned(results).filter(({ row }) => row.parameters > 0),
    (row) => `${stateName(row)}: ${size(row)}`,
  )

export function settingsAnswer(results: Results): Answer | null {
  const training = trainingOf(results)
  const arms = trainedHere(results)
  if (!training || arms.length === 0) return null
  const { steps, batchSize, gradientAccumulationSteps, learningRate } = training
  const seeds = [...new Set(arms.map(({ row }) => row.seed))].join(', ')
  const text = `${counted(steps, 'step')} of ${counted(batchSize * gradientAccumulationSteps, 'row')}, learning rate ${learningRate}, seeds ${seeds}`
  return { text, pointers: ['/run/config/training', ...arms.map(({ pointer }) => pointer)] }
}

export const dataAnswer = (results: Results): Answer | null =>
  answerOf(dataIn(results), (row) => {
    const { rows, tokens } = contentOf(row)!
    const size = tokens === undefined ? '' : `, ${wholeNumber(tokens)} tokens`
    return `${row.path}: ${counted(rows, 'row')}${size}, SHA-256 of its tokens and labels ${row.digest}`
  })

/** Only where the data was checked. */
export function lintAnswer(results: Results): Answer | null {
  const checked = dataIn(results).filter(({ row }) => contentOf(row)?.lint !== undefined)
  return answerOf(checked, (row) => {
    const { lint = [], rows } = contentOf(row)!
    if (lint.length === 0) return `${row.path}: no check of the data found a row`
    const found = lint.map((each) => `${each.title} in ${percent(each.rows / rows)} of the rows`)
    return `${row.path}: ${listed(found)}`
  })
}

interface Computed extends Cited<SubjectIdentity> {
  readonly flops: number
}

/** Of each training here whose data says how many tokens it has; rows are taken as often as the steps ask for. */
function computedIn(results: Results): { all: Computed[]; more: string[] } | undefined {
  const training = trainingOf(results)
  const [data] = dataIn(results)
  const { rows = 0, tokens } = (data && contentOf(data.row)) ?? {}
  if (!training || !data || rows === 0 || tokens === undefined) return undefined
  const { steps, batchSize, gradientAccumulationSteps } = training
  const seen = (steps * batchSize * gradientAccumulationSteps * tokens) / rows
  const all = trainedHere(results).map(({ row, pointer }) => {
    const { parameters, trainableParameters: trained } = row
    return { row, pointer, flops: trainingFlops({ parameters, trained, tokens: seen }) }
  })
  return { all, more: [data.pointer, '/run/config/training'] }
}

export function flopsAnswer(results: Results): Answer | null {
  const found = computedIn(results)
  if (!found) return null
  const flopsOf = new Map(found.all.map(({ row, flops }) => [row, flops]))
  return answerOf(
    found.all,
    (row) => `${stateName(row)}: ${flopsOf.get(row)!.toExponential(2)} FLOPs`,
    found.more,
  )
}

/** Null where the base's own training is not known. */
export function ratioAnswer(results: Results, { baseFlops }: Given): Answer | null {
  const found = computedIn(results)
  if (!found || baseFlops === null) return null
  const flopsOf = new Map(found.all.map(({ row, flops }) => [row, flops]))
  return answerOf(
    found.all,
    (row) =>
      `${stateName(row)}: ${(flopsOf.get(row)! / baseFlops).toExponential(2)} of the ${baseFlops.toExponential(2)} FLOPs that the maker of this sheet gives for the base`,
    found.more,
  )
}

export function machineAnswer({ engine }: Results): Answer {
  const { cpu, device, threads, platform } = engine
  return {
    text: `${cpu}, ${platform}, device ${device}, ${counted(threads, 'thread')}`,
    pointers: ['/engine'],
  }
}

export function timeAnswer(results: Results): Answer | null {
  const { startedAt, endedAt } = results.run
  const minutes = (Date.parse(endedAt) - Date.parse(startedAt)) / 60_000
  if (minutes <= 0) return null
  const pointers = ['/run/startedAt', '/run/endedAt']
  return { text: `${minutes.toFixed(1)} minutes, with all measurements`, pointers }
}
