/**
 * @file One piece of work in a process of its own. It reads one JSON command a line and answers with one JSON line, as the peer does:
 * `{"work": "lora-step"}` repeats the work, `{"work": "deviation"}` says how far approximate work is from exact, `{"work": "quit"}` ends it; the first line says that it is ready.
 */
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { Forward } from '../../../evals/finetune/training/int8-forward.ts'
import type { Precision } from '../../../evals/models/weights/small-weights.ts'
import { numerics } from '../../../evals/native/load.ts'
import { chooseDevice, type DeviceName } from '../../../evals/runtime/device.ts'
import { DEVIATION } from './deviation.ts'
import { openWork } from './open-work.ts'
import type { WorkName } from './works.ts'

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    model: { type: 'string' },
    adapter: { type: 'string' },
    threads: { type: 'string', default: '2' },
    device: { type: 'string', default: 'cpu' },
    profile: { type: 'string' },
    checkpointing: { type: 'boolean', default: false },
    precision: { type: 'string', default: 'fp32' },
    forward: { type: 'string', default: 'exact' },
  },
})
const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`)

const work = values.work as WorkName
const open = await openWork(work, {
  model: values.model!,
  adapter: values.adapter,
  checkpointing: values.checkpointing,
  precision: values.precision as Precision,
  forward: values.forward as Forward,
  device: {
    ...chooseDevice(values.device as DeviceName, Number(values.threads)),
    profilePrefix: values.profile,
  },
})
say({ ready: true, nodes: open.nodes, buildMs: open.buildMs, arithmetic: numerics().name })
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as { work: string }
  if (command.work === 'quit') break
  if (command.work === DEVIATION.work) say(await open.deviation!())
  else if (command.work === work) say({ work, ...(await open.repeat()) })
  else say({ error: `this process does ${work}, not ${command.work}` })
}
await open.release()
process.exit(0)
