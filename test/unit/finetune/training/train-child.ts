/** @file Trains the tiny model in a process of its own and prints the digest of where it ended. */
import { trainTiny } from '../../../doubles/training/tiny-training.ts'

const [method, threads] = process.argv.slice(2)
const { digest } = await trainTiny({ method: method!, threads: Number(threads) })
process.stdout.write(digest)
