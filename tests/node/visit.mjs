// A player's visit at a server of a world: what goes between them once the player is in, and what the server doesn't put up with.

import { randomInt } from 'node:crypto'
import mc from 'minecraft-protocol'
import { CHANNEL, KIND, mark, readMark, shown } from './play.mjs'
import { brandOf } from './packets.mjs'
import { Signatures } from './signatures.mjs'

/** How many bytes may wait for a player who doesn't read before a flood leaves them out. */
const BACKLOG = 4 << 20

/** Answers that a server takes only when it has asked, and what is told of them. */
const ANSWERS = {
  cookie_response: ({ key, value }) => ['cookie', { key, value: value === undefined ? null : Buffer.from(value).toString('base64') }],
  select_known_packs: () => null,
  finish_configuration: () => null,
  configuration_acknowledged: () => null,
  resource_pack_receive: () => null
}

/** A keep-alive's number, which newer versions give in two halves. */
const keepAliveId = (id) => String(Array.isArray(id) ? (BigInt(id[0]) << 32n) | BigInt(id[1] >>> 0) : id)

/** Counts the visits of this process. */
let latest = 0

export class Visit {
  constructor (server, client, seen) {
    const { packets, number, tell } = server
    Object.assign(this, { client, packets, number, seen, name: client.username })
    this.id = randomInt(2 ** 32)
    this.since = latest++
    this.tell = (event, fields = {}) => tell(event, { name: this.name, server: number, ...fields })
    this.inPlay = false
    this.sent = 0
    this.heard = 0
    this.troubles = []
    this.asked = []
    this.keepAlives = new Set()
    // The library would have Mojang's signature on the key.
    client.removeAllListeners('chat_session_update')
    this.signatures = new Signatures(packets.data, client.uuid, client.key?.publicKey)
    client.on('packet', (packet, { name, state }) => this.hear(name, packet, state))
    client.on('end', (reason) => {
      this.inPlay = false
      this.isOver = true
      tell('left', { ...seen, visit: this.id, heard: this.heard, sent: this.sent, troubles: this.troubles, reason })
    })
  }

  trouble (message) {
    this.troubles.push(message)
    this.tell('trouble', { message })
  }

  /** Something that the player may answer to once. */
  ask (answer, name, fields) {
    this.asked.push(answer)
    this.client.write(name, fields)
  }

  send (packet, state = 'play') {
    const [name, fields] = packet
    if (this.packets.has(name, state)) this.client.write(name, fields)
  }

  /** Leads the player through the configuration, and then into play. */
  configure (turnAway) {
    const { client, packets } = this
    client.state = mc.states.CONFIGURATION
    this.send(packets.brand(`world ${this.number}`), 'configuration')
    if (turnAway) return this.kick(turnAway.text)
    if (!packets.has('select_known_packs', 'configuration')) return this.register()
    client.once('select_known_packs', () => this.register())
    const core = { namespace: 'minecraft', id: 'core', version: packets.version }
    this.ask('select_known_packs', 'select_known_packs', { packs: [core] })
  }

  register () {
    const { client, packets } = this
    const codec = packets.example.dimensionCodec
    const parts = packets.feature('segmentedRegistryCodecData') ? Object.entries(codec) : [['all', { codec }]]
    for (const [key, part] of parts) {
      client.writeRaw(packets.bytes('configuration', 'registry_data', () => part, `registry ${key}`))
    }
    client.once('finish_configuration', () => {
      client.state = mc.states.PLAY
      this.play()
    })
    this.ask('finish_configuration', 'finish_configuration', {})
  }

  /** The player is in: they are told where, and that packets may come. */
  play () {
    const { client, packets, number } = this
    client.writeRaw(packets.bytes('play', 'login', () => packets.joinGame(number), `login ${number}`))
    for (const packet of packets.places(number, this.id & 0x7fff)) this.send(packet)
    if (!packets.feature('hasConfigurationState')) this.send(packets.brand(`world ${number}`))
    this.inPlay = true
    this.mark(KIND.answer)
  }

  mark (kind, size) {
    const { number: server, id: visit, heard: answers } = this
    this.client.write('custom_payload', { channel: CHANNEL, data: mark({ kind, number: this.sent++, server, visit, answers, size }) })
  }

  /** One of many packets, where the player reads them at all. */
  flood (size) {
    const { framer, socket } = this.client
    if (this.inPlay && socket.writableLength + framer.writableLength < BACKLOG) this.mark(KIND.flood, size)
  }

  kick (text) {
    this.send(this.packets.kick(this.client.state, text), this.client.state)
    this.client._end('kicked')
  }

  /** What is asked of the player by keep-alives: nothing else may be answered. */
  keepsAlive (id) { this.keepAlives.add(keepAliveId(id)) }

  hear (name, packet, state) {
    if (this.isOver) return
    if (name in ANSWERS) return this.hearAnswer(name, packet)
    switch (name) {
      case 'custom_payload': return this.hearPlugin(packet, state)
      case 'keep_alive':
        if (!this.keepAlives.delete(keepAliveId(packet.keepAliveId))) this.trouble(`an answer to a keep-alive of another's: ${packet.keepAliveId}`)
        return
      case 'chat':
      case 'chat_message': return this.tell('chat', { text: packet.message, signed: (packet.signature?.length ?? 0) > 0, holds: this.signatures.holds(packet) })
      case 'chat_command':
      case 'chat_command_signed': return this.tell('chat', { text: `/${packet.command}`, signed: name === 'chat_command_signed' })
      case 'chat_session_update':
        this.signatures.begin(packet)
        return this.tell('chat_session')
      case 'message_acknowledgement': return this.tell('chat_acknowledged', { count: packet.count ?? null })
      case 'settings': return this.tell('settings', { locale: packet.locale, state })
      case 'tab_complete':
        this.tell('tab_complete', { text: packet.text })
        return this.send(this.packets.completions(packet, `world_${this.number}`))
    }
  }

  hearAnswer (name, packet) {
    const at = this.asked.indexOf(name)
    if (at === -1) return this.trouble(`${name}, which it did not ask for`)
    this.asked.splice(at, 1)
    const told = ANSWERS[name](packet)
    if (told) this.tell(...told)
  }

  hearPlugin (packet, state) {
    const { channel, data } = packet
    if (channel !== CHANNEL) {
      const brand = brandOf(this.packets.data, packet)
      return brand === null ? this.tell('plugin', { channel, data: data.toString('base64'), state }) : this.tell('brand', { brand, state })
    }
    const found = readMark(data)
    const expected = found.kind === KIND.client && found.server === this.number && found.visit === this.id && found.number === this.heard
    if (found.broken || !expected || !this.inPlay) {
      const { server, visit, number } = found
      const what = found.broken ? 'a broken packet' : `packet ${number} to server ${server} on visit ${visit}`
      return this.trouble(`instead of packet ${this.heard} on visit ${this.id}: ${what}: ${shown(data)}`)
    }
    this.heard++
    this.mark(KIND.answer)
  }
}
