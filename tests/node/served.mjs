// A server of a world: node-minecraft-protocol's, with the compression and the forwarding that it is told, and as strict as vanilla's where
// that one is and the library isn't.

import net from 'node:net'
import { createRequire } from 'node:module'
import mc from 'minecraft-protocol'
import { serverKey } from './authority.mjs'
import { learn } from './forwarding.mjs'
import { Packets } from './packets.mjs'
import { unhindered } from './play.mjs'
import { Visit } from './visit.mjs'

const [readVarInt] = createRequire(import.meta.url)('protodef').types.varint

/** The longest packet that vanilla inflates. */
const LONGEST = 1 << 23

/** How writing ends to somebody who has left. */
const GONE = new Set(['EPIPE', 'ECONNRESET'])

/** A server that is given its sockets instead of listening itself. */
class Given extends mc.Server {
  listen () {
    const listening = net.Server.prototype.listen
    net.Server.prototype.listen = () => {}
    super.listen()
    net.Server.prototype.listen = listening
  }
}

export class Served {
  constructor (order, number, tell) {
    Object.assign(this, { order, number, tell })
    this.packets = new Packets(order.version)
    this.visits = new Set()
    const { version, online, protocol } = order
    this.server = mc.createServer({
      Server: Given,
      version,
      'online-mode': online ?? false,
      hideErrors: true,
      // It would compile a schema for each player.
      validateChannelProtocol: false,
      checkTimeoutInterval: 4000,
      // The library has named the player after the login packet alone.
      beforeLogin: (client) => {
        if (client.forwarded) [client.uuid, client.username] = [client.forwarded.uuid, client.forwarded.name]
      },
      errorHandler: (client, error) => {
        // Whoever leaves without waiting for what is under way does no wrong; `left` tells the reason.
        if (GONE.has(error.code)) return client._end(error.code)
        tell('error', { name: client.username, version, message: error.message })
        client.end(error.message)
      }
    })
    this.server.serverKey = serverKey
    if (protocol) this.server.mcversion = { ...this.server.mcversion, version: protocol }
    this.server.on('connection', (client) => this.connected(client))
    this.server.on('login', (client) => this.loggedIn(client))
    // Since 1.20.2 a visit comes to play by itself.
    this.server.on('playerJoin', (client) => client.visit.play())
  }

  /** Takes a socket. */
  take (socket) { this.server.socketServer.emit('connection', socket) }

  connected (client) {
    unhindered(client)
    this.compress(client)
    this.correct(client)
    client.on('set_protocol', (packet) => {
      client.handshake = packet
      // The library knows no players who come by a Transfer packet; they are taken here as by servers that accept them.
      if (packet.nextState === 3) client.state = mc.states.LOGIN
    })
    // The library logs in at once, where a server asks the proxy first.
    const [logIn] = client.listeners('login_start')
    client.removeAllListeners('login_start')
    client.once('login_start', (packet) => this.logIn(client, packet, logIn))
  }

  logIn (client, packet, go) {
    const { forwarding, turnAway } = this.order
    const name = packet.username
    const refuse = (reason) => {
      this.tell('refused', { name, server: this.number, reason })
      client.end(reason)
    }
    if (turnAway?.state === 'login') return refuse(turnAway.text)
    client.key = packet.signature ?? null
    // The library would have Mojang's signature on the key, and a proxy's players have others'.
    const start = forwarding ? { ...packet, signature: undefined } : packet
    learn(client, forwarding, name, ({ forwarded, refused }) => {
      if (refused) return refuse(refused)
      client.forwarded = forwarded
      this.asks(client, name, () => go(start))
    })
  }

  /** Asks the player's mods something during the login, as Forge does since 1.13. */
  asks (client, name, then) {
    const { asks: channel } = this.order
    if (!channel) return then()
    client.once('login_plugin_response', ({ data }) => {
      this.tell('answered', { name, server: this.number, channel, answer: data ? data.toString('utf8') : null })
      then()
    })
    client.write('login_plugin_request', { messageId: 7, channel, data: Buffer.from('which mods?') })
  }

  /** Compresses from the bound that it is told, and takes nothing that vanilla wouldn't. */
  compress (client) {
    const threshold = this.order.compression ?? 256
    const set = client.setCompressionThreshold
    client.setCompressionThreshold = function () {
      if (threshold < 0) return
      set.call(this, threshold)
      this.splitter.on('data', (frame) => {
        const { value: length } = readVarInt(frame, 0)
        if (length !== 0 && (length < threshold || length > LONGEST)) client.visit?.trouble(`${length} bytes compressed, where ${threshold} is the least`)
      })
    }
  }

  /** Changes what the library writes by itself. */
  correct (client) {
    const write = client.write
    const threshold = this.order.compression
    let held = []
    client.write = (name, fields) => {
      if (name === 'compress') {
        if (threshold === -1) return
        fields = { threshold: threshold ?? fields.threshold }
      }
      if (name === 'success') fields = { ...fields, properties: client.forwarded?.properties ?? client.profile?.properties ?? [] }
      if (name === 'keep_alive') {
        // The library writes no number but 0 into eight bytes unless it is big.
        if (this.packets.type(name, 'keepAliveId') === 'i64') fields = { keepAliveId: BigInt(fields.keepAliveId) }
        client.visit?.keepsAlive(fields.keepAliveId)
      }
      // Join Game comes first.
      if (name === 'server_data' && !client.visit?.inPlay) return held.push([name, fields])
      write.call(client, name, fields)
      if (!client.visit?.inPlay) return
      for (const [name, fields] of held.splice(0)) write.call(client, name, fields)
    }
  }

  loggedIn (client) {
    const { protocolVersion: protocol, serverHost: host, serverPort: port, nextState: intent } = client.handshake
    const seen = { name: client.username, server: this.number, version: this.order.version, protocol, host, port, intent }
    const { uuid, forwarded, key } = client
    const visit = new Visit(this, client, seen)
    client.visit = visit
    this.tell('login', { ...seen, visit: visit.id, uuid, encrypted: client.cipher !== null, forwarded, key: key && shownKey(key) })
    this.visits.add(visit)
    client.on('end', () => this.visits.delete(visit))
    if (!this.packets.feature('hasConfigurationState')) return
    client.removeAllListeners('login_acknowledged')
    client.once('login_acknowledged', () => visit.configure(this.order.turnAway))
  }

  /** Sends every player packets of as many bytes as chunks have, or no more of them. */
  flood (order) {
    clearInterval(this.flooding)
    if (!order) return
    const [least, most] = order.bytes ?? [5_000, 60_000]
    // Plugin messages have a length of 16 bits in 1.7.
    const longest = this.packets.data.version.version < 47 ? Math.min(most, 32_000) : most
    this.flooding = setInterval(() => {
      for (const visit of this.visits) visit.flood(least + Math.floor(Math.random() * (longest - least)))
    }, order.every_ms)
  }
}

function shownKey ({ timestamp, publicKey, signature }) {
  return { expires: Number(timestamp), key: publicKey.toString('base64'), signature: signature.toString('base64') }
}
