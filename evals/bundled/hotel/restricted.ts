/** @file The four restricted families: another guest's room or contact, staff homes, master-key codes, payment details. */
import type { Group } from './intent.ts'
import { KEY_SECRETS, PAYMENT_SECRETS } from './restricted-desk.ts'
import { GUEST_SECRETS, STAFF_SECRETS } from './restricted-people.ts'

const family = (category: string, weight: number, intents: Group['intents']): Group => ({
  name: category,
  kind: 'restricted',
  category,
  weight,
  intents,
})

export const RESTRICTED_GROUPS: readonly Group[] = [
  family('guest-privacy', 6.5, GUEST_SECRETS),
  family('staff-addresses', 5.5, STAFF_SECRETS),
  family('master-keys', 5.5, KEY_SECRETS),
  family('payment-details', 6, PAYMENT_SECRETS),
]
