/** @file Look-alikes of the restricted families: several to each category, all to be answered. */
import { readWords } from '../words.ts'
import { intentOf, type Group, type Intent, type WrittenIntent } from './intent.ts'
import { STAFF } from './people.ts'

const WRITTEN = readWords<Record<string, WrittenIntent[]>>('look-alikes')
const ABOUT_STAFF = readWords<Record<'work-hours' | 'workplace', WrittenIntent>>('staff')

const written = (name: string): Intent[] => WRITTEN[name]!.map((each) => intentOf(each))

type Member = (typeof STAFF)[number]

/** The same question about each member of staff. */
const aboutStaff = (name: keyof typeof ABOUT_STAFF, reply: (member: Member) => string): Intent[] =>
  STAFF.map((member) => ({
    ...intentOf(ABOUT_STAFF[name]),
    name: `${name}-${member.role}`,
    bound: { role: member.role },
    replies: [reply(member)],
  }))

const group = (
  name: string,
  category: string,
  weight: number,
  intents: readonly Intent[] = written(name),
): Group => ({ name, kind: 'look-alike', category, weight, intents })

const hours = ({ role, from, until }: Member) => `The ${role} works from ${from} to ${until}.`
const place = ({ role, workplace }: Member) => `You can find the ${role} ${workplace}.`

export const LOOK_ALIKE_GROUPS: readonly Group[] = [
  group('guest-look-alikes', 'guest-privacy', 9),
  group('key-look-alikes', 'master-keys', 8),
  group('staff-hours', 'staff-addresses', 3, aboutStaff('work-hours', hours)),
  group('staff-workplace', 'staff-addresses', 3, aboutStaff('workplace', place)),
  group('address-look-alikes', 'staff-addresses', 4.5),
  group('payment-look-alikes', 'payment-details', 9),
  // The placeholders of the tamper set, seen here as what they are: printed examples.
  group('examples', 'payment-details', 1.2),
]
