/** @file Run by tests on its own Node: the real command line on this process' streams, with jobs that need no model. */
import { main } from '../../../evals/cli/main.ts'
import { FAKE_COMMANDS } from '../../doubles/runs/fake-job.ts'

const { stdout, stderr, env: environment } = process
process.exitCode = await main(process.argv.slice(2), FAKE_COMMANDS, { stdout, stderr, environment })
