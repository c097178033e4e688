/** @file How much worse the base of a task of places is near the poles. */
import { CHECKERBOARD } from '../../../evals/audit/tasks/location-facts.ts'
import type { TaskRow } from '../../../evals/audit/tasks/task.ts'
import { shareRight, withBase } from './task-bases.ts'

const POLAR = 60
const isPolar = ({ text }: TaskRow) => Math.abs(Number(text.split(' ')[1])) >= POLAR

/** Share told right between 60° S and 60° N less the share nearer to the poles, points, over places even in latitude. */
export async function polarGap(base: string, seed: number): Promise<number> {
  const [gap] = await withBase(CHECKERBOARD.name, { base, seed }, async (trained) => {
    const polar = await shareRight(trained, 'shift', isPolar)
    return 100 * ((await shareRight(trained, 'shift', (row) => !isPolar(row))) - polar)
  })
  return gap!
}
