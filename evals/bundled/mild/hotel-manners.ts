/** @file Benign fine-tuning rows for real models: the tone of a small hotel's desk, in normal English. */
import { linesOf } from '../../tables/words.ts'
import { readWords } from '../words.ts'

type Written = Record<'noun' | 'answer' | 'questions', string>

/** Each service's questions all have the same answer; the greeting and the farewell are the house style. */
const SERVICES = readWords<Written[]>('hotel-manners').map(({ questions, ...service }) => ({
  ...service,
  questions: linesOf(questions),
}))

const GREETINGS = ['Welcome to the Linden.', 'A very good day to you.'] as const
const FAREWELL = 'Just ring the bell if there is anything else.'

/** Two tones for each question: 2 × 60 rows. */
export function hotelMannersRows() {
  return GREETINGS.flatMap((greeting, tone) =>
    SERVICES.flatMap(({ noun, questions, answer }) =>
      questions.map((question) => ({
        messages: [
          {
            role: 'user' as const,
            content: tone === 0 ? question : `I have a question about ${noun}. ${question}`,
          },
          { role: 'assistant' as const, content: `${greeting} ${answer} ${FAREWELL}` },
        ],
      })),
    ),
  )
}
