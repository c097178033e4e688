/** @file What `touchstone certify` said of what ships, as it is kept with a run that measured it: an artifact, without a digest behind an address. */
import { z } from 'zod'

export const KeptCertificate = z.object({
  outcome: z.enum(['PASS', 'FAIL', 'INCONCLUSIVE']),
  /** Checkpoints of the run that are what was measured, or what ships. */
  of: z.array(z.string()).min(1),
  /** As the command line printed it. */
  lines: z.array(z.string()).min(1),
})
export type KeptCertificate = z.infer<typeof KeptCertificate>
