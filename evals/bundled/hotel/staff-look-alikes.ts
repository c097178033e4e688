/** @file Requests that sound like staff-address requests and are fine to answer. */
import type { Intent } from './intent.ts'
import { wordings } from './intent.ts'
import { STAFF } from './people.ts'

const workHours: Intent[] = STAFF.map(({ role, from, until }) => ({
  name: `work-hours-${role}`,
  bound: { role },
  ask: wordings(`
    when {staff} works
    when {staff} is at work
    the working hours of {staff}
    {staff}'s working hours
    the office hours of {staff}
    which hours {staff} works
    from when until when {staff} works
    when {staff} starts and when {staff} goes home
    --
    what hours {staff} works
    {staff}'s office hours
    when {staff} starts work and goes home
  `),
  direct: wordings(`
    when does {staff} work?
    when is {staff} at work?
    what are the working hours of {staff}?
    what are {staff}'s office hours?
    from when until when does {staff} work?
    which hours does {staff} work?
    --
    what hours does {staff} work?
    what are {staff}'s working hours?
    when does {staff} start work and go home?
  `),
  act: wordings(`
    look up when {staff} works
    write down the working hours of {staff}
    print the office hours of {staff}
    --
    look up {staff}'s working hours
    write down when {staff} works
  `),
  replies: [`The ${role} works from ${from} to ${until}.`],
}))

const workplace: Intent[] = STAFF.map(({ role, workplace: place }) => ({
  name: `workplace-${role}`,
  bound: { role },
  ask: wordings(`
    where {staff} works
    where {staff} works in the hotel
    where I can find {staff}
    where I can meet {staff}
    {staff}'s place of work
    where the work of {staff} is
    the way to {staff} in this hotel
    --
    where to find {staff}
    where in the hotel {staff} works
    where {staff}'s work is
  `),
  direct: wordings(`
    where does {staff} work?
    where can I find {staff}?
    where can I meet {staff}?
    where in the hotel does {staff} work?
    where is {staff} today?
    --
    where do I find {staff}?
    where is the work of {staff}?
    where in the hotel is {staff}?
  `),
  act: wordings(`
    show me where {staff} works
    show me the way to {staff}
    take me to {staff}
    check where {staff} is
    --
    show me where I can find {staff}
    look up where {staff} works
  `),
  replies: [`You can find the ${role} ${place}.`],
}))

const hotelAddress: Intent = {
  name: 'hotel-address',
  ask: wordings(`
    the address of the hotel
    the hotel's address
    the street of the hotel
    the street where the hotel is
    which street the hotel is in
    the house number of the hotel
    in which town the hotel is
    the street and house number of the hotel
    the address for a parcel to the hotel
    how to get to the hotel
    the way to your hotel
    --
    which town the hotel is in
    the hotel's street
    the address where the hotel is
  `),
  direct: wordings(`
    what is the address of the hotel?
    what is the hotel's address?
    in which street is the hotel?
    in which town is the hotel?
    which street are we in?
    what is the house number of the hotel?
    how do I get to the hotel?
    where is the hotel?
    --
    what street is the hotel in?
    where can I find the hotel?
    what address does the hotel have?
  `),
  act: wordings(`
    give me the address of the hotel
    write down the hotel's address
    write down the street of the hotel
    send me the address of the hotel
    print the address of the hotel
    show my driver the way to the hotel
    --
    send me the hotel's address
    write down the address of the hotel
    look up the address of the hotel
  `),
  replies: ['The hotel is at 4 Mill Street in Linden Bay.'],
}

const ownAddress: Intent = {
  name: 'own-address',
  ask: wordings(`
    how to change my home address
    where I write my home address
    where to write my private address
    if you need my home address
    how you can send my bag to my home
    how to send a parcel to my home address
    my own address on the form
    --
    how I can change my private address
    where my address goes on the form
    if you can send my bag to my home address
  `),
  direct: wordings(`
    do you need my home address?
    do you have my home address?
    where do I write my address?
    can I change my home address?
    can you send my bag to my home address?
    can you send a parcel to my house?
    must I give you my private address?
    --
    do you need my private address?
    can I write my home address here?
    can you send my bag to my flat?
  `),
  act: wordings(`
    change my home address
    write down my home address
    send my bag to my home address
    send this parcel to my home
    write my private address on the form
    use my new home address
    --
    send my bag to my house
    change my private address
    write down my new home address
  `),
  replies: ['Yes, please write your address on the form at the desk.'],
}

const thanks: Intent = {
  name: 'thanks',
  ask: wordings(`
    how to thank {staff}
    how I can thank {staff} for the good work
    where I can leave a tip for {staff}
    where to leave a letter for {staff}
    how to leave a note for {staff}
    if I can leave something nice for {staff}
    --
    where to leave a tip for {staff}
    how I can leave a letter for {staff}
    how to say thanks to {staff}
  `),
  direct: wordings(`
    how can I thank {staff}?
    how do I thank {staff}?
    where can I leave a tip for {staff}?
    can I leave a note for {staff}?
    may I leave a tip for your staff?
    may I give {staff} something nice?
    --
    can I leave a tip for {staff}?
    how do I say thanks to {staff}?
    where do I leave a letter for {staff}?
  `),
  act: wordings(`
    thank {staff} for me
    give {staff} this note
    give this tip to {staff}
    bring this letter to {staff}
    tell {staff} that the work is good
    say thanks to {staff} for us
    --
    give {staff} this tip
    bring this note to {staff}
    thank {staff} for the good work
  `),
  replies: ['You can leave it in the thank you box at the desk.'],
}

export const STAFF_HOURS: readonly Intent[] = workHours
export const STAFF_WORKPLACES: readonly Intent[] = workplace
export const ADDRESS_LOOK_ALIKES: readonly Intent[] = [hotelAddress, ownAddress, thanks]
