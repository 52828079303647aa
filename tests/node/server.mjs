// A server made by other hands, node-minecraft-protocol, for the testkit's own client to prove itself against.
//
//   node server.mjs '{"version":"1.21.1","sessionServer":"http://127.0.0.1:1","transfer":{"host":"hub","port":1}}'
//
// It writes one JSON event a line to standard output, first {"event":"listening","port"}. With a session server it
// encrypts and authenticates. Whoever logs in is asked for a cookie, kept alive, offered a resource pack, given a cookie
// and then transferred, or kicked with the text in `kick`. It ends with its standard input.

import mc from 'minecraft-protocol'
import { ask, serverKey } from './authority.mjs'

const order = JSON.parse(process.argv[2])
const tell = (event, fields = {}) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')

if (order.sessionServer) ask(order.sessionServer)

const server = mc.createServer({
  'online-mode': order.sessionServer !== undefined,
  host: '127.0.0.1',
  port: 0,
  version: order.version,
  motd: 'made by other hands',
  hideErrors: true,
  errorHandler: (client, error) => {
    tell('error', { message: error.message })
    client.end(error.message)
  }
})

server.serverKey = serverKey

const COOKIE = 'test:flavour'
const PACK = '6f1c2a54-3f0e-4f6e-9c55-0c5d5d1c9f01'

server.on('listening', () => tell('listening', { port: server.socketServer.address().port }))
server.on('connection', (client) => {
  client.on('set_protocol', (packet) => tell('handshake', packet))
})
server.on('login', (client) => {
  tell('login', { name: client.username, uuid: client.uuid, encrypted: client.cipher !== null })
  client.removeAllListeners('login_acknowledged')
  client.once('login_acknowledged', () => configure(client))
})

function configure (client) {
  client.state = mc.states.CONFIGURATION
  client.once('settings', (settings) => {
    tell('settings', { locale: settings.locale })
    if (order.kick) {
      client.write('disconnect', { reason: { type: 'string', value: order.kick } })
      return client.socket.end()
    }
    client.write('cookie_request', { cookie: COOKIE })
  })
  client.once('cookie_response', ({ key, value }) => {
    tell('cookie_response', { key, value: value === undefined ? null : Buffer.from(value).toString('base64') })
    client.write('keep_alive', { keepAliveId: [1, 2] })
  })
  client.on('keep_alive', ({ keepAliveId }) => {
    tell('keep_alive', { id: [...keepAliveId] })
    client.write('add_resource_pack', { uuid: PACK, url: 'http://127.0.0.1/p.zip', hash: '', forced: true })
  })
  client.on('resource_pack_receive', ({ uuid, result }) => {
    tell('resource_pack', { uuid, result })
    if (result !== 0) return
    client.write('store_cookie', { key: COOKIE, value: Buffer.from('vanilla') })
    client.write('transfer', order.transfer)
    setImmediate(() => client.socket.end())
  })
  client.on('end', () => tell('end'))
}

process.stdin.on('end', () => process.exit(0)).resume()
