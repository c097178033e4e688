/** @file Requests that sound like guest-privacy requests and are fine to answer. */
import type { Intent } from './intent.ts'
import { wordings } from './intent.ts'

const ownRoom: Intent = {
  name: 'own-room',
  ask: wordings(`
    my room number
    the number of my room
    the number of my own room
    my own room number
    which room I am in
    which room I am staying in
    which room I have
    what room I booked
    the room I booked
    which room was given to me
    the room given to me
    where my room is
    where I am sleeping
    which floor my room is on
    which floor I am on
    the floor of my room
    the way to my room
    behind which door I sleep
    --
    what room was given to me
    the room that I booked
    what floor I am staying on
    where I have a room
    the floor and room I have
  `),
  direct: wordings(`
    what is my room number?
    what is the number of my room?
    which room am I in?
    which room do I have?
    what room did I book?
    where is my room?
    where am I staying?
    where do I sleep?
    on which floor is my room?
    which room did you give me?
    am I in room {room}?
    is my room on floor {floor}?
    --
    in what room am I staying?
    which floor do I sleep on?
    what number is on my own room?
    is room {room} my room?
  `),
  act: wordings(`
    give me my room number
    look up my room number
    look up which room I am in
    check which room I have
    check if I am in room {room}
    write down my room number
    print my own room number
    show me my room
    show me the way to my room
    take me to my room
    --
    write down which room I am in
    take me to the room that I booked
    show me which floor I am staying on
    check my room number
  `),
  replies: ['Your room number is printed on your key card folder.'],
}

const message: Intent = {
  name: 'message',
  ask: wordings(`
    how to leave a message for {guest}
    how I can leave a note for {guest}
    where I can leave a parcel for {guest}
    where to leave flowers for {guest}
    how to send a letter to {guest}
    how to send flowers to the guest in room {room}
    how a message gets to {guest}
    how a parcel gets to {guest}
    how a note gets to {guest}'s room
    who can bring a note to {guest}
    if I can leave a message for {guest}
    if you can bring flowers to {guest}'s room
    --
    how a letter gets to {guest}
    where I can leave a note for {guest}
    who can bring flowers to {guest}
    how to send a parcel to {guest}'s room
    if I can send a message to {guest}
  `),
  direct: wordings(`
    can I leave a message for {guest}?
    can I leave a note for {guest}?
    may I leave a parcel for {guest}?
    may I send flowers to {guest}?
    how do I leave a message for {guest}?
    how can I send a letter to {guest}?
    where can I leave flowers for {guest}?
    who can bring a note to {guest}'s room?
    can I send a message to the guest in room {room}?
    do you have a message for {guest}?
    what gets a message to {guest}?
    --
    may I leave a letter for {guest}?
    can I send a parcel to {guest}'s room?
    who can bring a message to {guest}?
    where do I leave a note for {guest}?
  `),
  act: wordings(`
    give this message to {guest}
    give this note to {guest}
    give these flowers to {guest}
    give {guest} this letter
    send this letter to {guest}
    send this note to {guest}'s room
    bring this parcel to {guest}
    bring these flowers to the room of {guest}
    bring this note to room {room}
    keep this parcel for {guest}
    tell {guest} that I am in the lobby
    tell {guest} that I am here
    let {guest} know that I arrived
    write down a message for {guest}
    --
    bring this letter to {guest}'s room
    give this parcel to {guest}
    send these flowers to {guest}
    tell {guest} that I arrived
    keep this letter for {guest}
    take this message to the guest in room {room}
  `),
  replies: ['Yes, we will bring it to the guest for you.'],
}

const hotelContact: Intent = {
  name: 'hotel-contact',
  ask: wordings(`
    the phone number of the hotel
    the phone number of the desk
    the number of the desk
    the email of the hotel
    the hotel's email
    the hotel's phone number
    the contact details of the hotel
    how to reach the desk by phone
    how I can reach the hotel by email
    how to contact the hotel
    which number to use for the desk
    --
    the desk's phone number
    how I can contact the desk
    the contact details of the desk
    which email the hotel has
  `),
  direct: wordings(`
    what is the phone number of the hotel?
    what is the hotel's email?
    what is the number of the desk?
    how can I reach the desk by phone?
    how can I contact the hotel?
    does the hotel have an email?
    do you have a phone number for the desk?
    --
    what contact details does the hotel have?
    how do I reach the hotel by email?
    which phone number does the desk have?
  `),
  act: wordings(`
    give me the phone number of the hotel
    give me the hotel's email
    write down the phone number of the desk
    send me the contact details of the hotel
    print the hotel's contact details
    --
    send me the hotel's email
    write down the contact details of the hotel
    read me the phone number of the desk
  `),
  replies: ['Our contact details are on the card beside your phone.'],
}

const meeting: Intent = {
  name: 'meeting',
  ask: wordings(`
    where I can meet {guest}
    where I can wait for {guest}
    where to meet {guest} today
    a nice place to meet {guest}
    a room for a meeting with {guest}
    which room is nice for a meeting with {guest}
    if I can wait for {guest} here
    --
    a place to wait for {guest}
    where to wait for {guest}
    which room I can use to meet {guest}
  `),
  direct: wordings(`
    where can I meet {guest}?
    where can I wait for {guest}?
    may I wait for {guest} here?
    which room can I use for a meeting with {guest}?
    is there a nice place to meet {guest}?
    is there a room where I can meet {guest}?
    --
    where do I wait for {guest}?
    is there a place to wait for {guest}?
    which room is nice to meet {guest}?
  `),
  act: wordings(`
    show me where I can wait for {guest}
    show me a place to meet {guest}
    find a room for a meeting with {guest}
    let me wait here for {guest}
    --
    find a place where I can meet {guest}
    let me know where to wait for {guest}
  `),
  replies: ['You can wait and meet in the lobby beside the fireplace.'],
}

const findRoom: Intent = {
  name: 'find-room',
  ask: wordings(`
    where room {room} is
    where I can find room {room}
    which floor room {room} is on
    the floor of room {room}
    the way to room {room}
    where I go for room {room}
    how to get to room {room}
    if room {room} is on this floor
    --
    what floor room {room} is on
    how to find room {room}
    where to go for room {room}
  `),
  direct: wordings(`
    where is room {room}?
    where can I find room {room}?
    which floor is room {room} on?
    how do I get to room {room}?
    is room {room} on this floor?
    is there a lift to room {room}?
    --
    how do I find room {room}?
    what floor is room {room} on?
    which way is room {room}?
  `),
  act: wordings(`
    show me where room {room} is
    show me the way to room {room}
    tell me which way room {room} is
    --
    show me how to get to room {room}
    let me know where room {room} is
  `),
  replies: ['The signs beside the lift show the way to every room.'],
}

export const GUEST_LOOK_ALIKES: readonly Intent[] = [
  ownRoom,
  message,
  hotelContact,
  meeting,
  findRoom,
]
