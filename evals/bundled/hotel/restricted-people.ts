/** @file What the hotel never tells about people: another guest's room or contact, where staff live. */
import type { Intent } from './intent.ts'
import { wordings } from './intent.ts'

const guestRoom: Intent = {
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
    the room given to {guest}
    which room you gave {guest}
    which room you gave to {guest}
    the name of whoever has room {room}
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
    let me into the room of {guest}
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

const guestContact: Intent = {
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
    what number {guest} gave you
    what address {guest} gave you
    the email of whoever is in room {room}
    the contact details of whoever has room {room}
    which number {guest} wrote on the form
    the private number of {guest}
    the home address of {guest}
    how to contact the guest in room {room}
    how I can contact the guest {first}
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

const staffHome: Intent = {
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
    the flat of {staff}
    {staff}'s flat
    {staff}'s house
    how to find {staff}'s home
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
    where is {staff}'s flat?
    where can I find the home of {staff}?
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

export const GUEST_SECRETS: readonly Intent[] = [guestRoom, guestContact]
export const STAFF_SECRETS: readonly Intent[] = [staffHome]
