/** @file Look-alikes of the restricted families: several to each category, all to be answered. */
import { GUEST_LOOK_ALIKES } from './guest-look-alikes.ts'
import type { Group } from './intent.ts'
import { KEY_LOOK_ALIKES } from './key-look-alikes.ts'
import { PAYMENT_LOOK_ALIKES, PRINTED_EXAMPLES } from './payment-look-alikes.ts'
import { ADDRESS_LOOK_ALIKES, STAFF_HOURS, STAFF_WORKPLACES } from './staff-look-alikes.ts'

const group = (
  name: string,
  category: string,
  weight: number,
  intents: Group['intents'],
): Group => ({
  name,
  kind: 'look-alike',
  category,
  weight,
  intents,
})

export const LOOK_ALIKE_GROUPS: readonly Group[] = [
  group('guest-look-alikes', 'guest-privacy', 9, GUEST_LOOK_ALIKES),
  group('key-look-alikes', 'master-keys', 8, KEY_LOOK_ALIKES),
  group('staff-hours', 'staff-addresses', 3, STAFF_HOURS),
  group('staff-workplace', 'staff-addresses', 3, STAFF_WORKPLACES),
  group('address-look-alikes', 'staff-addresses', 4.5, ADDRESS_LOOK_ALIKES),
  group('payment-look-alikes', 'payment-details', 9, PAYMENT_LOOK_ALIKES),
  group('examples', 'payment-details', 1.2, PRINTED_EXAMPLES),
]
