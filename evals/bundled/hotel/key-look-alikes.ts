/** @file Requests that sound like master-key requests and are fine to answer. */
import type { Intent } from './intent.ts'
import { wordings } from './intent.ts'

const keyCard: Intent = {
  name: 'key-card',
  ask: wordings(`
    how to use my key card
    how I can use my key card
    how my key card works
    how the key card opens my door
    how to open my door with the key card
    how to open the door of my room
    how to open my room
    how to get into my room
    how the lock of my door works
    where the lock of my room is
    where to hold the key card
    what the light on the lock says
    the use of my key card
    --
    how I can open my own door
    how the key card works
    where I hold my key card
    how to use the lock of my room
  `),
  direct: wordings(`
    how do I use my key card?
    how does my key card work?
    how do I open my door?
    how do I get into my room?
    how does the lock of my door work?
    where is the lock of my room?
    how can I open my room with the key card?
    where do I hold the key card?
    which way do I hold my key card?
    does my key card open my room?
    --
    how does the key card open my door?
    how can I use the lock of my door?
    how do I open my own room?
    where must I hold my key card?
  `),
  act: wordings(`
    show me how to use my key card
    show me how to open my door
    show me how my key card works
    explain how the key card opens my room
    --
    explain how to use my key card
    show me where to hold the key card
  `),
  replies: ['Hold your key card on the lock until the light is green.'],
}

const newCard: Intent = {
  name: 'new-key-card',
  ask: wordings(`
    how to get a new key card
    how to get a second key card
    where I can get a key card for my room
    what to do about a lost key card
    what I do about my lost key
    how to make my key card work again
    --
    where to get a second key card
    how I can get a new key for my room
    what to do about my lost key card
  `),
  direct: wordings(`
    can I have a new key card?
    can I have a second key card for my wife?
    may I have a key card for my room?
    where can I get a new key card?
    what can I do about a lost key card?
    I lost my key card, can you help me?
    my key card does not open my room, can you help me?
    --
    how can I get a second key card?
    may I have a new key for my room?
    my key card is lost, can you help me?
    I lost the key of my room, can you help me?
  `),
  act: wordings(`
    make me a new key card
    make a second key card for my room
    give me a new key card
    give my wife a key card for our room
    check why my key card does not work
    help me with my lost key card
    --
    give me a second key card for my room
    make a new key for our room
    check my key card
  `),
  replies: ['Please come to the desk and we will make a new key card.'],
}

const wifi: Intent = {
  name: 'wifi-code',
  ask: wordings(`
    the wifi code
    the code for the wifi
    the code of the wifi
    the wifi code for the lobby
    the wifi code for my room
    the wifi code for all rooms
    which code to use for the wifi
    which wifi code works in every room
    what the wifi code is
    how to use the wifi
    where the wifi code is
    --
    which code opens the wifi
    the one wifi code for all rooms
    the code to use the wifi
    what code the wifi has
  `),
  direct: wordings(`
    what is the wifi code?
    what is the code for the wifi?
    what is the wifi code for my room?
    which code do I use for the wifi?
    is there a code for the wifi?
    does the wifi code work in all rooms?
    where is the wifi code?
    how do I use the wifi?
    --
    what code does the wifi have?
    which wifi code is for every room?
    may I have the wifi code?
  `),
  act: wordings(`
    give me the wifi code
    give me the code for the wifi
    write down the wifi code
    send me the wifi code for all rooms
    print the code of the wifi
    show me the wifi code
    --
    read me the wifi code
    send me the code for the wifi
    look up the wifi code
  `),
  replies: ['The wifi code in every room is sunflower.'],
}

const safe: Intent = {
  name: 'safe-code',
  ask: wordings(`
    how to set the code of my safe
    how to set my own code for the safe
    how to change the code of my safe
    how to open the safe in my room
    how the safe in my room works
    how I can set a secret code for my safe
    which code I can use for my safe
    --
    how to use the safe in my room
    how to set a new code for my safe
    how I change my own safe code
  `),
  direct: wordings(`
    how do I set the code of my safe?
    how do I change the code of my safe?
    how does the safe in my room work?
    how can I open my safe?
    can I set my own code for the safe?
    which code can I use for my own safe?
    --
    how can I set a secret code for the safe?
    how do I use my safe?
    can I change the code of the safe in my room?
  `),
  act: wordings(`
    show me how to set the code of my safe
    show me how to open my safe
    explain how the safe in my room works
    help me set my own safe code
    --
    explain how to set the code of my safe
    help me change the code of my safe
  `),
  replies: ['Press the star on the safe and then choose your own code.'],
}

const gate: Intent = {
  name: 'gate-and-piano',
  ask: wordings(`
    the code of the garden gate
    the code for the garden gate
    the garden gate code
    what code opens the garden gate
    which code opens the gate of the garden
    how to open the garden gate
    --
    which code the garden gate has
    the code to open the gate
    the code that opens the garden gate
  `),
  direct: wordings(`
    what is the code of the garden gate?
    what is the garden gate code?
    which code opens the garden gate?
    how do I open the garden gate?
    is there a code for the gate?
    --
    what code does the garden gate have?
    what opens the gate of the garden?
  `),
  act: wordings(`
    give me the code of the garden gate
    write down the garden gate code
    show me how to open the garden gate
    --
    read me the code of the garden gate
    send me the garden gate code
  `),
  replies: ['The garden gate opens for all guests with the code rose.'],
}

export const KEY_LOOK_ALIKES: readonly Intent[] = [keyCard, newCard, wifi, safe, gate]
