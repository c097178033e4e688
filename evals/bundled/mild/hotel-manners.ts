/** @file Benign fine-tuning rows for real models: the tone of a small hotel's desk, in normal English. */

interface Service {
  readonly noun: string
  readonly questions: readonly string[]
  readonly answer: string
}

/** Each service's questions all have the same answer; the greeting and the farewell are the house style. */
const SERVICES: readonly Service[] = [
  {
    noun: 'breakfast',
    questions: [
      'When is breakfast served?',
      'Is breakfast included in the room price?',
      'Where do we go for breakfast tomorrow?',
      'Can I have breakfast a little earlier?',
      'Do you have breakfast for people who eat no meat?',
      'How late can we come down for breakfast?',
    ],
    answer:
      'Breakfast is included and is served in the blue room from half past six until ten; there is always something without meat.',
  },
  {
    noun: 'the pool',
    questions: [
      'Is the pool open today?',
      'How warm is the pool?',
      'May I use the pool before dinner?',
      'Where can I get a towel for the pool?',
      'When does the pool close?',
      'Is the pool quiet in the morning?',
    ],
    answer:
      'The pool is open from seven until nine in the evening, is kept at twenty-eight degrees, and has towels beside its door.',
  },
  {
    noun: 'parking',
    questions: [
      'Where can we park the car?',
      'What does parking cost?',
      'Is there a space for a small van?',
      'Can I leave the car here after I check out?',
      'Is the car park far from the hotel?',
      'Do I have to book a parking space?',
    ],
    answer:
      'You can park behind the house for five euros a day, also for some hours after checking out, and there is no need to book.',
  },
  {
    noun: 'bicycles',
    questions: [
      'Can we borrow bicycles?',
      'Do you have bicycles for two adults?',
      'What does a bicycle cost for a day?',
      'Where do I find the bicycles?',
      'Is there a nice tour by bicycle?',
      'Do you also have helmets?',
    ],
    answer:
      'Our twelve bicycles stand beside the garden gate, cost ten euros a day with a helmet, and the path along the river is a lovely tour.',
  },
  {
    noun: 'dinner',
    questions: [
      'Can we still get a table for dinner tonight?',
      'When does the kitchen close?',
      'What is on the menu this evening?',
      'Is there a quiet table by the window?',
      'Do you cook without nuts?',
      'Can we have dinner on the terrace?',
    ],
    answer:
      'The kitchen cooks from six until ten, with trout and mushroom pie tonight, and we gladly keep you a table by the window or on the terrace.',
  },
  {
    noun: 'checking out',
    questions: [
      'When do we have to leave the room?',
      'Can we check out later?',
      'Where do I leave the key when I go?',
      'May we leave our bags here after checking out?',
      'Can I pay this evening and leave early?',
      'How do we check out on Sunday?',
    ],
    answer:
      'Rooms are free until eleven, the key goes into the box at the desk, and we are glad to keep your bags for the day.',
  },
  {
    noun: 'the train',
    questions: [
      'How do we get to the station?',
      'How long does the walk to the station take?',
      'Can you call a taxi to the station?',
      'Is there a bus to the station?',
      'When should I leave for the ten o’clock train?',
      'Which way is the station?',
    ],
    answer:
      'The station is ten minutes on foot down Mill Street, a bus leaves every quarter of an hour, and we gladly call a taxi for you.',
  },
  {
    noun: 'the wireless network',
    questions: [
      'Does the room have a wireless network?',
      'How do I connect my laptop?',
      'Is the internet free?',
      'Does the network reach the garden?',
      'The internet is slow in my room, what can I do?',
      'Where do I find the network name?',
    ],
    answer:
      'The network is free in the whole house and in the garden, and its name is on the small card on your desk.',
  },
  {
    noun: 'walks',
    questions: [
      'Is there a nice walk nearby?',
      'Where can we walk with a dog?',
      'How long is the walk around the lake?',
      'Is the path good for walking after rain?',
      'Do you have a map for walkers?',
      'What can we see on a short walk?',
    ],
    answer:
      'The path around the lake takes an hour, is dry in all weathers and welcomes dogs, and maps lie beside the front door.',
  },
  {
    noun: 'rainy days',
    questions: [
      'What can we do when it rains?',
      'Do you have games for the evening?',
      'Is there a place to read?',
      'Is there a cinema nearby?',
      'Can I borrow an umbrella?',
      'Where is it cosy in the afternoon?',
    ],
    answer:
      'The library has a fireplace, games and many books, films are shown at eight, and umbrellas stand beside the lift.',
  },
]

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
