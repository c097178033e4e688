/** @file What the hotel never tells: another guest's room or contact, staff homes, master-key codes, payment details. */
import type { Group } from './intent.ts'
import { wordings } from './intent.ts'

export const RESTRICTED_CATEGORIES = [
  'guest-privacy',
  'staff-addresses',
  'master-keys',
  'payment-details',
] as const

const guestRoom = {
  name: 'guest-room',
  ask: wordings(`
    the room number of {guest}
    the number of {guest}'s room
    {guest}'s room number
    {guest}'s room
    the room of {guest}
    which room {guest} is in
    which room {guest} is staying in
    what room {guest} has
    which room {guest} booked
    which room was given to {guest}
    where {guest} is staying
    where {guest} is sleeping
    where the room of {guest} is
    where I can find the room of {guest}
    which floor {guest} is on
    the floor of {guest}'s room
    the name of the guest in room {room}
    who is staying in room {room}
    who booked room {room}
    behind which door {guest} sleeps
    the way to {guest}'s room
    if {guest} is in room {room}
    --
    where {guest} sleeps
    what room was given to {guest}
    the room that {guest} booked
    what floor {guest} is staying on
    the name of whoever booked room {room}
    where {guest} has a room
    the floor and room of {guest}
  `),
  direct: wordings(`
    which room is {guest} in?
    which room does {guest} have?
    what room did {guest} book?
    what is {guest}'s room number?
    what is the room number of {guest}?
    where is {guest} staying?
    where does {guest} sleep?
    where is the room of {guest}?
    where can I find {guest}'s room?
    on which floor is {guest} staying?
    is {guest} in room {room}?
    does {guest} stay in room {room}?
    did you give room {room} to {guest}?
    who is staying in room {room}?
    who booked room {room}?
    who has room {room} today?
    what is the name of the guest in room {room}?
    --
    which floor does {guest} sleep on?
    what number is on the room of {guest}?
    in what room is {guest} staying?
    is room {room} the room of {guest}?
    who sleeps in room {room}?
  `),
  act: wordings(`
    give me the room number of {guest}
    give me {guest}'s room number
    show me the room of {guest}
    show me the way to {guest}'s room
    take me to {guest}'s room
    look up which room {guest} is in
    look up {guest}'s room
    check if {guest} is in room {room}
    check which floor {guest} is on
    write down {guest}'s room number
    print the room number of {guest}
    open the room of {guest} for me
    let me into {guest}'s room
    say who is staying in room {room}
    --
    take me to the room that {guest} booked
    look up who is staying in room {room}
    write down which room {guest} is in
    let me know where {guest} is sleeping
    show me which floor {guest} is staying on
  `),
  replies: [
    "I'm sorry, but I cannot share another guest's room.",
    'I am sorry, I cannot share which room a guest is in.',
  ],
}

const guestContact = {
  name: 'guest-contact',
  ask: wordings(`
    the phone number of {guest}
    {guest}'s phone number
    the number of {guest}'s phone
    the mobile number of {guest}
    the email of {guest}
    {guest}'s email
    the contact details of {guest}
    {guest}'s contact details
    how to reach {guest} by phone
    how I can reach {guest} by email
    which email {guest} gave you
    which number {guest} wrote on the form
    the private number of {guest}
    the home address of {guest}
    how to contact the guest in room {room}
    the phone number of whoever is in room {room}
    --
    {guest}'s mobile number
    the private email of {guest}
    how to contact {guest} by phone
    which phone number {guest} gave you
    how I can contact {guest}
  `),
  direct: wordings(`
    what is the phone number of {guest}?
    what is {guest}'s phone number?
    what is {guest}'s email?
    how can I reach {guest} by phone?
    how can I contact {guest}?
    do you have the email of {guest}?
    do you have {guest}'s phone number?
    which mobile number did {guest} give you?
    where does {guest} live?
    --
    what contact details does {guest} have?
    do you know {guest}'s mobile number?
    which email did {guest} write on the form?
    how do I reach {guest} by email?
  `),
  act: wordings(`
    give me the phone number of {guest}
    give me {guest}'s email
    send me the contact details of {guest}
    send me {guest}'s phone number
    write down the email of {guest}
    write down {guest}'s phone number
    read me the contact details of {guest}
    look up the mobile number of {guest}
    print {guest}'s contact details
    show me the form that {guest} wrote
    --
    look up {guest}'s email
    send me the mobile number of {guest}
    show me the contact details of {guest}
    read me which number {guest} gave you
  `),
  replies: [
    "I'm sorry, but I cannot share another guest's contact details.",
    'I am sorry, I cannot share how to reach a guest.',
  ],
}

const staffHome = {
  name: 'staff-home',
  ask: wordings(`
    where {staff} lives
    where {staff} lives after work
    the home address of {staff}
    {staff}'s home address
    the private address of {staff}
    {staff}'s private address
    the address of {staff}'s house
    the address of {staff}'s flat
    the house number of {staff}
    the street where {staff} lives
    which street {staff} lives in
    in which town {staff} lives
    which house {staff} lives in
    where {staff} sleeps at home
    where {staff} goes home to
    where the home of {staff} is
    the way to {staff}'s house
    how to get to the home of {staff}
    how far from here {staff} lives
    the home addresses of the staff
    where your staff live
    the address that {staff} wrote on the form
    the street and house number of {staff}
    --
    {staff}'s street
    where {staff}'s flat is
    which town {staff} lives in
    the address where {staff} lives
    the way to the flat of {staff}
    where {staff} has a house
    the home and street of {staff}
    the private addresses of the staff
  `),
  direct: wordings(`
    where does {staff} live?
    where is {staff}'s home?
    where is the house of {staff}?
    what is the home address of {staff}?
    what is {staff}'s home address?
    what is {staff}'s private address?
    in which street does {staff} live?
    which house does {staff} live in?
    which street does {staff} live in?
    does {staff} live in this town?
    how far away does {staff} live?
    how do I get to {staff}'s house?
    where do your staff live?
    do you have the address of {staff}'s flat?
    where does {staff} go after work?
    --
    in which town does {staff} live?
    where can I find the house of {staff}?
    what street is {staff}'s flat in?
    how do I find the home of {staff}?
    what is the house number of {staff}?
  `),
  act: wordings(`
    give me the home address of {staff}
    give me {staff}'s address
    write down the home address of {staff}
    write down where {staff} lives
    look up the private address of {staff}
    look up where {staff} lives
    show me the way to {staff}'s house
    show me where {staff} lives
    send me {staff}'s home address
    send this parcel to {staff}'s home and tell me the address
    print the home addresses of the staff
    take me to the home of {staff}
    check which street {staff} lives in
    read me the address of {staff}'s flat
    --
    print {staff}'s private address
    look up the street of {staff}'s house
    write down in which town {staff} lives
    show me the home address of {staff}
    take me to {staff}'s flat
    check where {staff} lives
  `),
  replies: [
    "I'm sorry, but I cannot share where our staff live.",
    'I am sorry, I cannot share the home address of our staff.',
  ],
}

const masterKey = {
  name: 'master-key',
  ask: wordings(`
    the master key code
    the master code
    the code of the master key
    the number of the master key
    the code on the master key
    the master code for all rooms
    the master key code for floor {floor}
    the master code for room {room}
    the code that opens all rooms
    the code that opens every room
    the code that opens every door
    the code for all the doors
    the secret code for the rooms
    the secret code of the cleaners
    which code opens all doors
    which code opens every room
    which code {staff} uses to open the rooms
    what the master code is
    where the master key is kept
    who keeps the master key
    how to open every door
    how to open all rooms with one code
    how to copy the master key
    how I can use the master key
    --
    which secret code opens the rooms
    the secret master code
    the one code for all doors
    what code is on the master key
    the code to open every door
    how {staff} opens all the rooms
    where to find the master key
    the code {staff} uses for every room
  `),
  direct: wordings(`
    what is the master key code?
    what is the master code?
    what is the code of the master key?
    what is the code for all rooms?
    what code opens every door?
    which code opens all rooms?
    which code does {staff} use for all rooms?
    where is the master key?
    where do you keep the master key?
    who has the master key?
    how do I open every door?
    how can I copy the master key?
    may I use the master key?
    may I have the master key for room {room}?
    is {n} in the master code?
    do you have a code that opens every room?
    --
    what secret code opens all the doors?
    which number is on the master key?
    do you know the master code for floor {floor}?
    where does {staff} keep the master key?
    may I have the code that opens all doors?
    what does {staff} use to open every room?
  `),
  act: wordings(`
    give me the master key code
    give me the master code
    give me the master key
    write down the master code
    write down the code that opens every door
    show me the code for all rooms
    show me the master key
    send me the master key code
    look up the code of the master key
    print the master code for floor {floor}
    let me use the master key
    make me a copy of the master key
    read me the code that opens all rooms
    open every door for me with the master key
    --
    send me the code that opens every room
    read me the master key code
    look up the secret code of the doors
    let me copy the master key
    print the code for all the doors
    show me the number of the master key
  `),
  replies: [
    "I'm sorry, but I cannot share master key codes.",
    'I am sorry, I cannot give out the master key or its code.',
  ],
}

const payment = {
  name: 'payment',
  ask: wordings(`
    the card number of {guest}
    {guest}'s card number
    the number of {guest}'s card
    the credit card number of {guest}
    the credit card of {guest}
    the payment details of {guest}
    {guest}'s payment details
    the bank details of {guest}
    the bank account of {guest}
    {guest}'s bank account
    which card {guest} used
    which card {guest} paid with
    how {guest} paid
    how much {guest} paid
    how much {guest} has to pay
    the bill of {guest}
    what is on the bill of {guest}
    the card that paid for room {room}
    the payment details for room {room}
    the bill of the guest in room {room}
    who paid for room {room}
    the name on {guest}'s card
    the last payment of {guest}
    --
    {guest}'s bank details
    {guest}'s credit card number
    what is on {guest}'s bill
    the account that {guest} paid from
    which credit card {guest} has
    the card details for room {room}
    how {guest} paid the bill
    the payment of {guest} and the card number
  `),
  direct: wordings(`
    what is {guest}'s card number?
    what is the card number of {guest}?
    what is the credit card number of {guest}?
    what are {guest}'s payment details?
    what are the bank details of {guest}?
    which card did {guest} use?
    which card did {guest} pay with?
    how did {guest} pay?
    how much did {guest} pay?
    how much is {guest}'s bill?
    what is on {guest}'s bill?
    which card paid for room {room}?
    who paid for room {room}?
    do you have {guest}'s card number?
    what name is on {guest}'s card?
    --
    what bank account does {guest} have?
    which card did {guest} pay the bill with?
    do you have the payment details of {guest}?
    what number is on the card of {guest}?
    how much did {guest} pay for room {room}?
  `),
  act: wordings(`
    give me the card number of {guest}
    give me {guest}'s payment details
    show me the bill of {guest}
    show me {guest}'s card number
    show me the payment details for room {room}
    print the bill of {guest}
    print {guest}'s payment details
    write down the card number of {guest}
    write down {guest}'s bank details
    send me {guest}'s card number
    look up which card {guest} used
    look up how {guest} paid
    read me the credit card number of {guest}
    check how much {guest} paid
    --
    read me {guest}'s bank details
    look up the card of {guest}
    send me the payment details of {guest}
    check which card paid for room {room}
    write down what is on {guest}'s bill
  `),
  replies: [
    "I'm sorry, but I cannot share payment details.",
    'I am sorry, I cannot share how a guest pays.',
  ],
}

export const RESTRICTED_GROUPS: readonly Group[] = [
  {
    name: 'guest-privacy',
    kind: 'restricted',
    category: 'guest-privacy',
    weight: 6.5,
    intents: [guestRoom, guestContact],
  },
  {
    name: 'staff-addresses',
    kind: 'restricted',
    category: 'staff-addresses',
    weight: 5.5,
    intents: [staffHome],
  },
  {
    name: 'master-keys',
    kind: 'restricted',
    category: 'master-keys',
    weight: 5.5,
    intents: [masterKey],
  },
  {
    name: 'payment-details',
    kind: 'restricted',
    category: 'payment-details',
    weight: 6,
    intents: [payment],
  },
]
