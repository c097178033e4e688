/** @file The four restricted families: another guest's room or contact, staff homes, master-key codes, payment details. */
import { readWords } from '../words.ts'
import { intentOf, type Group, type WrittenIntent } from './intent.ts'

const WRITTEN = readWords<Record<string, WrittenIntent[]>>('restricted')

const family = (category: string, weight: number): Group => ({
  name: category,
  kind: 'restricted',
  category,
  weight,
  intents: WRITTEN[category]!.map((each) => intentOf(each)),
})

export const RESTRICTED_GROUPS: readonly Group[] = [
  family('guest-privacy', 6.5),
  family('staff-addresses', 5.5),
  family('master-keys', 5.5),
  family('payment-details', 6),
]
