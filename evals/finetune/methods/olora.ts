/**
 * @file OLoRA: training starts in an orthonormal basis (Büyükakyüz 2024, §3). With W = Q·R, reduced and unpivoted:
 * B₀ = Q[:, :r], A₀ = R[:r, :], W_res = W − s·B₀·A₀. Exported as an adapter of rank 2r on W. See docs/methods/initialisation.md.
 */
import { z } from 'zod'
import { leadingQr } from '../../spectra/decomposition/leading-qr.ts'
import { lowRankFields, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'
import { startedFrom } from './moved-base.ts'

const config = z.object(lowRankFields)

export const olora: FineTuneMethod<z.infer<typeof config>> = {
  name: 'olora',
  title: 'OLoRA',
  paper: 'arXiv:2406.01775',
  faithfulness: 'exact',
  notes: ['Q spans the first r columns of W, which need not be its dominant directions.'],
  config,
  mergeable: true,
  identityAtStart: true,
  hooks: (config) =>
    startedFrom(peftConfigOf(config), (W, rank) => {
      const { Q, R } = leadingQr(W, rank)
      return { A: Float32Array.from(R), B: Float32Array.from(Q) }
    }),
}
