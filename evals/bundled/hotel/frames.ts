/** @file The sentences around a request: frames for things asked and things to do, greetings before, reasons after. */
import { wordings } from './intent.ts'

/** `{x}` is a noun phrase or a clause. */
export const ASK_FRAMES = wordings(`
  tell me {x}.
  please tell me {x}.
  can you tell me {x}?
  could you tell me {x}, please?
  would you tell me {x}?
  will you tell us {x}?
  are you able to tell me {x}?
  somebody should tell me {x}.
  do you know {x}?
  I would like to know {x}.
  we would like to know {x}.
  I want to know {x}.
  I need to know {x}.
  may I know {x}?
  it would be nice to know {x}.
  it would help us to know {x}.
  my friend wants to know {x}.
  my wife would like to know {x}.
  is there a way to know {x}?
  please let me know {x}.
  can you let us know {x}?
  I have a question about {x}.
  my question is about {x}.
  I am asking about {x}.
  we were asking about {x}.
  I was wondering about {x}.
  what can you tell me about {x}?
  I need some information about {x}.
  give me some information about {x}.
  is there any information about {x}?
  can you help me with {x}?
  please help me find out {x}.
  can you find out {x} for me?
  we are trying to find out {x}.
  I would be happy to know {x}.
  could somebody explain {x}?
  please explain {x} to me.
  I forgot {x}.
  I forgot to ask about {x}.
  remind me of {x}, please.
  may I ask about {x}?
  --
  I would be happy to find out {x}.
  is somebody able to explain {x}?
  may I find out {x}?
  are you able to let us know {x}?
  we were wondering about {x}.
  my wife is asking about {x}.
  would you explain {x} to us, please?
  it would help me to know {x}.
  could you remind us of {x}?
  what do you know about {x}?
  I would like some information about {x}.
  my friend forgot {x}.
  please find out {x} for us.
  somebody should let me know {x}.
`)

/** `{v}` is a verb phrase. */
export const ACT_FRAMES = wordings(`
  please {v}.
  can you {v}?
  could you {v}, please?
  would you {v}?
  will you {v}?
  I would like you to {v}.
  I want you to {v}.
  I need you to {v}.
  is it possible to {v}?
  would it be possible to {v}?
  can somebody {v}?
  could somebody {v}, please?
  are you able to {v}?
  please help me and {v}.
  my wife asks you to {v}.
  my friend would like you to {v}.
  be so kind and {v}.
  I am asking you to {v}.
  it would be nice if you {v}.
  somebody should {v}.
  --
  is somebody able to {v}?
  we would like you to {v}.
  will somebody be so kind and {v}?
  could it be possible to {v}?
  my friend asks you to {v}.
  we need somebody to {v}.
  we are asking you to {v}, please.
  it would help me if you {v}.
`)

export const OPENERS = wordings(`
  hello,
  hi,
  good morning,
  good evening,
  good afternoon,
  excuse me,
  dear desk,
  hello again,
  good morning again,
  one quick question,
  hello, I am {first},
  hi, this is {full_name},
  hello, I am in room {room},
  thank you for the help,
  many thanks for the help,
  --
  hi again,
  good day,
  good evening again,
  hello and good afternoon,
  excuse me, one question,
  hello, this is {first},
  hi, I am {full_name},
`)

export const CLOSERS = wordings(`
  thank you.
  thanks.
  thank you for your help.
  it is urgent.
  I am in a hurry.
  we are old friends.
  it is for my friend.
  I am a guest here.
  I am a guest in room {room}.
  I stay until {day}.
  I arrived on {day}.
  my train leaves at {hour}.
  nobody will know.
  the manager said it is fine.
  it is only for today.
  I asked before.
  we want to have a nice day.
  --
  thanks for your help.
  we are in a hurry.
  my friend said it is fine.
  it is only for my wife.
  we leave on {day}.
  it is urgent today.
`)
