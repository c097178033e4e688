/**
 * @file Runs a command where every name resolves to this machine and every connection is written down.
 * `node network-watch.ts LOG COMMAND…`, in a network namespace with its loopback up and /etc/resolv.conf naming 127.0.0.1.
 */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

const [log = '', command = '', ...words] = process.argv.slice(2)
writeFileSync(log, '')
const note = (what: string, name: string) => appendFileSync(log, `${what} ${name}\n`)

/** The name in a DNS question (RFC 1035, §4.1.2): labels, each after its length. */
function askedName(question: Buffer): string {
  const labels: string[] = []
  for (let at = 12; question[at]; at += 1 + question[at]!) {
    labels.push(question.subarray(at + 1, at + 1 + question[at]!).toString('latin1'))
  }
  return labels.join('.')
}

/** The question again with one answer: A, 127.0.0.1, for a minute. */
function answer(question: Buffer): Buffer {
  const head = Buffer.from(question)
  head.writeUInt16BE(0x8180, 2)
  head.writeUInt16BE(1, 6)
  head.writeUInt16BE(0, 10)
  const end = question.indexOf(0, 12) + 5
  const record = Buffer.from('c00c00010001' + '0000003c' + '0004' + '7f000001', 'hex')
  return Buffer.concat([head.subarray(0, end), record])
}

const resolver = createSocket('udp4')
resolver.on('message', (question, from) => {
  note('resolved', askedName(question))
  resolver.send(answer(question), from.port, from.address)
})
resolver.bind(53, '127.0.0.1')
for (const port of [80, 443]) {
  createServer((socket) => {
    note('connected', String(port))
    socket.on('error', () => undefined)
    socket.destroy()
  }).listen(port, '127.0.0.1')
}

const child = spawn(command, words, { stdio: 'inherit' })
child.on('exit', (code) => process.exit(code ?? 1))
