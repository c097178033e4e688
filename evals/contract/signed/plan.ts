/**
 * @file A plan: the gate, what is asked, who judges and when a run stops asking, frozen and signed before anything is asked.
 * docs/signed/plans.md explains each part.
 */
import { z } from 'zod'
import { GateRule } from '../gate/rule.ts'
import { AskedContext, BENCHMARK_ROLES, Decoding } from '../rows.ts'
import { StoppingRule } from '../gate/stopping.ts'

/** `prompts` counts them; `digest` is over their texts in order, null in a context, where the model's tokenizer has a say. */
export const PlannedBenchmark = z.strictObject({
  /** Without its context. */
  name: z.string(),
  title: z.string(),
  role: z.enum(BENCHMARK_ROLES),
  prompts: z.int(),
  digest: z.string().nullable(),
  maxNewTokens: z.int(),
  decoding: Decoding,
  context: AskedContext.pick({ name: true, title: true, digest: true }).nullable(),
  /** Of a fine-tune's own task, the least gain that is claimed; null of any other. */
  gain: z.number().nullable(),
  /** The first decides where the gate names none. */
  judges: z.array(z.string()),
})
export type PlannedBenchmark = z.infer<typeof PlannedBenchmark>

/** A judge's version changes whenever a verdict of it could. */
const PlannedJudge = z.strictObject({ name: z.string(), version: z.string() })

/** What is fixed, part by part; each part is signed by itself, so that an edit is named. */
export const PlanParts = z.strictObject({
  gate: GateRule,
  suite: z.array(PlannedBenchmark).min(1),
  judges: z.array(PlannedJudge).min(1),
  contexts: z.array(AskedContext.pick({ name: true, digest: true })),
  /** Of trainings. */
  seeds: z.array(z.int()).min(1),
  /** Null where every prompt is asked and it is looked at once. */
  stopping: StoppingRule.nullable(),
  /** The settings that chose prompts, judges and contexts, as a command gives them; a run takes them from here. */
  settings: z.record(z.string(), z.unknown()),
})
export type PlanParts = z.infer<typeof PlanParts>

export type PlanPart = keyof PlanParts

/** The predicate of a plan's statement. */
export const Plan = z.strictObject({
  ...PlanParts.shape,
  touchstone: z.string(),
  /** By this machine's clock, in ISO 8601; a token of a time-stamping authority says it of its own. */
  frozen: z.iso.datetime(),
  /** The signer's key, PEM (SPKI, Ed25519). */
  key: z.string(),
  /** `none`: a key that was made for this plan and thrown away. */
  signer: z.enum(['key', 'none']),
})
export type Plan = z.infer<typeof Plan>

/**
 * A plan's file: a Sigstore bundle (v0.3) of one DSSE envelope, whose payload is the in-toto Statement of the plan, and of the
 * tokens (RFC 3161) that stamp the envelope's signature.
 */
export const PlanFile = z.strictObject({
  mediaType: z.literal('application/vnd.dev.sigstore.bundle.v0.3+json'),
  verificationMaterial: z.strictObject({
    publicKey: z.strictObject({ hint: z.string() }),
    tlogEntries: z.array(z.never()),
    timestampVerificationData: z.strictObject({
      rfc3161Timestamps: z.array(z.strictObject({ signedTimestamp: z.base64() })),
    }),
  }),
  dsseEnvelope: z.strictObject({
    payloadType: z.string(),
    payload: z.base64(),
    signatures: z.tuple([z.strictObject({ keyid: z.string(), sig: z.base64() })]),
  }),
})
export type PlanFile = z.infer<typeof PlanFile>

/** A plan as a run's configuration holds it: what its file says, and the file. `digest` is the SHA-256 of the signed payload. */
export const HeldPlan = z.object({
  digest: z.string(),
  /** The fingerprint of the signer's key; null where it was thrown away. */
  key: z.string().nullable(),
  /** The time that its token says; null without one. */
  stamped: z.string().nullable(),
  plan: Plan,
  file: PlanFile,
})
export type HeldPlan = z.infer<typeof HeldPlan>
