/** @file Electron's globals doubled for a utility process: `node utility-host.js ENTRY FOLDER`; messages are the parent's over IPC. */
import { EventEmitter } from 'node:events'
import { pathToFileURL } from 'node:url'

const [entry, folder] = process.argv.slice(2)
const port = new EventEmitter()
process.on('message', (data) => port.emit('message', { data }))
Object.assign(port, { postMessage: (message) => process.send(message) })
Object.defineProperty(process, 'parentPort', { value: port })
Object.defineProperty(process.versions, 'electron', { value: '45.4.1' })
// As Electron gives them: the program, then what was passed to fork.
process.argv = [process.argv[0], entry, folder]
await import(pathToFileURL(entry).href)
