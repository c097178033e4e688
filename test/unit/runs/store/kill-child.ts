/** @file Run by `kill.test.ts` on its own Node: tells the store rows until it is killed. */
import { runJob } from '../../../../evals/runs/run-job.ts'
import { openStore } from '../../../../evals/runs/store/store.ts'
import { EXAMPLES, variant } from '../../../doubles/rows/job-events.ts'

const [path = ''] = process.argv.slice(2)
const store = openStore(path)
const startSeq = store.lastSeq('run-1')
const { signal } = new AbortController()

await runJob(
  { runId: 'run-1', workspace: '.', startSeq, sinks: [store.sink], signal },
  async ({ emit, seal }) => {
    emit(startSeq === 0 ? EXAMPLES['job-start'] : EXAMPLES['job-resume'])
    process.stdout.write('ready\n')
    for (let n = 0; n < 2_000_000; n++) {
      emit(variant('reply', n))
      emit(variant('verdict', n))
      const { arm, seed, step, benchmark, epoch } = EXAMPLES.reply.row
      seal({ arm, seed, step, benchmark, epoch, sampleId: `q${n}`, text: 'placeholder' })
      if (n % 50 === 49) emit(variant('evaluation-end', n))
    }
  },
)
