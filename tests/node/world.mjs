// Servers made by other hands, node-minecraft-protocol, for players whom the edge carries to them. Each of them speaks one version and
// has a port of its own; it is made when somebody comes.
//
//   node world.mjs '{"servers":[{"version":"1.8"},{"version":"26.1","online":true,"protocol":9001,"port":25565}],"sessionServer":"http://127.0.0.1:1"}'
//
// Servers that are `online` encrypt and authenticate; `protocol` is the number to take instead of the version's own, `port` the one
// to listen at instead of a free one. It writes one JSON event a line to standard output: {"event":"listening","ports":[…]} in
// the order of the servers; for each who logs in {"event":"login", …}, then {"event":"left", …} with the number of their
// packets that came as they were sent, each answered with one of its own. It ends with its standard input.

import net from 'node:net'
import mc from 'minecraft-protocol'
import { ask, serverKey } from './authority.mjs'
import { listen, send } from './play.mjs'

const order = JSON.parse(process.argv[2])
const tell = (event, fields = {}) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')

if (order.sessionServer) ask(order.sessionServer)

/** A server that is given its sockets instead of listening itself. */
class Given extends mc.Server {
  listen () {
    const listening = net.Server.prototype.listen
    net.Server.prototype.listen = () => {}
    super.listen()
    net.Server.prototype.listen = listening
  }
}

function serve ({ version, online, protocol }) {
  const server = mc.createServer({
    Server: Given,
    version,
    'online-mode': online ?? false,
    hideErrors: true,
    errorHandler: (client, error) => {
      tell('error', { name: client.username, version, message: error.message })
      client.end(error.message)
    }
  })
  server.serverKey = serverKey
  if (protocol) server.mcversion = { ...server.mcversion, version: protocol }
  server.on('connection', (client) => {
    client.on('set_protocol', (packet) => {
      client.handshake = packet
      // It knows no players who come by a Transfer packet, and takes them here as servers do that accept them.
      if (packet.nextState === 3) client.state = mc.states.LOGIN
    })
  })
  server.on('login', (client) => {
    const { protocolVersion: protocol, serverHost: host, serverPort: port, nextState: intent } = client.handshake
    const seen = { name: client.username, version, protocol, host, port, intent }
    tell('login', { ...seen, uuid: client.uuid, encrypted: client.cipher !== null })
    let heard = 0
    const troubles = []
    listen(client, 'client', (number) => {
      heard++
      send(client, 'server', number + 1)
    }, (trouble) => troubles.push(trouble))
    client.on('end', (reason) => tell('left', { ...seen, heard, troubles, reason }))
  })
  server.on('playerJoin', (client) => send(client, 'server', 0))
  return server
}

const ports = await Promise.all(order.servers.map((served) => new Promise((resolve) => {
  let server
  const listener = net.createServer((socket) => {
    server ??= serve(served)
    server.socketServer.emit('connection', socket)
  })
  listener.listen(served.port ?? 0, '127.0.0.1', () => resolve(listener.address().port))
})))
tell('listening', { ports })

process.stdin.on('end', () => process.exit(0)).resume()
