// A real client, node-minecraft-protocol, that joins and pings as it is told.
//
// It reads one JSON command a line from standard input and writes one JSON event a line to standard output, each with the
// command's id. Loading the tables of a release takes about half a second, so one process does many joins; they may overlap.
//
//   {"id":1,"join":{"host","port","version","name", …}}   events, then {"id":1,"event":"end"}; the options stand at `join`
//   {"id":2,"ping":{"host","port","version"}}             {"id":2,"event":"status","document":{…},"latency":ms}, then "end"
//   {"id":3,"versions":true}                              {"id":3,"event":"versions","versions":[{"version","protocol"}, …]}, then "end"
//   {"id":1,"more":50}, {"id":1,"leave":true}             for a player of join 1 who stays in a world: more packets, or the end
//   {"id":1,"say":"/server island"}                       what that player types: a command, or chat
//   {"id":1,"complete":"/ser"}                            what they have completed
//
// Of a player who stays it tells what they see (seen.mjs): `joined` and `respawned` with the world, `configuration` when led back
// there, `chat`, `action_bar`, `title`, `boss_bar`, `objective`, `team`, `effect`, `tab`, `header`, `pack`, `links`, `details`, `brand`, `commands`,
// `completions`; and of packets from worlds
// (exchange.mjs) `from` when they come from another server or on another visit, `played`, and `trouble` when one is missing, out of its
// place, or comes after the next server's first ones.

import readline from 'node:readline'
import { createRequire } from 'node:module'
import mc from 'minecraft-protocol'
import { Exchange } from './exchange.mjs'
import { behave } from './manners.mjs'
import { unhindered, versions } from './play.mjs'
import { Seen, reasonOf } from './seen.mjs'
import { profileKeys, signs } from './signatures.mjs'

const minecraftData = createRequire(import.meta.url)('minecraft-data')
const tell = (id, event, fields = {}) => process.stdout.write(JSON.stringify({ id, event, ...fields }) + '\n')

/** Reads the handshake from the bytes that go to the socket, so that what is told is what was sent. */
function readHandshake (bytes) {
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  varint() // length of the frame
  varint() // packet id
  const protocol = varint()
  const length = varint()
  const host = bytes.toString('utf8', at, at += length)
  const port = bytes.readUInt16BE(at)
  at += 2
  return { protocol, host, port, intent: varint() }
}

/**
 * Options beside host, port, version and name:
 *   protocol       number to claim in the handshake instead of the version's own
 *   intent         2 (a join) or 3 (after a transfer)
 *   serverHost     host to claim in the handshake, instead of `host`
 *   account        { server, token, id }: the session server to join at, the access token, the UUID without hyphens
 *   cookies        { key: base64 }: what earlier servers stored
 *   locale         such as de_de
 *   packs          what to answer to resource packs, a list of results in order, such as [3, 4, 0]
 *   mods           { channel: "answer" }: what it answers a server's mods during the login; all else isn't understood
 *   brand          the client's own name, instead of vanilla
 *   signs          whether what it says is signed by a key of the player's, since 1.19
 *   chats          what to say when first in a world, a list
 *   play           how many packets to exchange with each server of a world (world.mjs) each way, and whether to stay then:
 *                  { packets, stay }; or { every: milliseconds } from one packet to the next, for as long as it is there
 */
function join (id, order) {
  const options = {
    host: order.host,
    port: order.port,
    version: order.version,
    username: order.name,
    clientSettings: { locale: order.locale ?? 'en_us' },
    sessionServer: order.account?.server,
    disableChatSigning: true,
    // It would compile a schema for each player.
    validateChannelProtocol: false,
    hideErrors: true,
    auth: order.account ? online : 'offline'
  }
  function online (client, options) {
    const { token, id } = order.account
    client.username = options.username
    client.session = { accessToken: token, selectedProfile: { id, name: options.username } }
    options.accessToken = token
    options.haveCredentials = true
    if (order.signs) signs(client, profileKeys(), minecraftData(options.version))
    options.connect(client)
  }

  const client = mc.createClient(options)
  if (order.protocol !== undefined) options.protocolVersion = order.protocol
  const data = minecraftData(client.version)
  unhindered(client)
  behave(client, order, data)

  const write = client.write
  client.write = function (name, fields) {
    if (name === 'set_protocol') {
      fields.nextState = order.intent ?? 2
      fields.serverHost = order.serverHost ?? fields.serverHost
    }
    write.call(client, name, fields)
  }
  const send = client.socket.write
  client.socket.write = function (bytes, ...rest) {
    client.socket.write = send
    tell(id, 'handshake', readHandshake(bytes))
    return send.call(client.socket, bytes, ...rest)
  }

  // A vanilla client goes to the session server only when it is asked to, since 1.20.5.
  client.prependListener('encryption_begin', (packet) => {
    if (packet.shouldAuthenticate === false) options.haveCredentials = false
    tell(id, 'encryption', { shouldAuthenticate: packet.shouldAuthenticate ?? true })
  })
  client.on('cookie_request', ({ cookie: key }) => {
    tell(id, 'cookie_request', { key, encrypted: client.cipher !== null })
    const stored = order.cookies?.[key]
    client.write('cookie_response', { key, value: stored === undefined ? undefined : Buffer.from(stored, 'base64') })
  })
  client.on('store_cookie', (packet) => {
    tell(id, 'store_cookie', {
      key: packet.key,
      payload: Buffer.from(packet.value).toString('base64'),
      encrypted: client.cipher !== null
    })
  })
  client.on('success', (packet) => {
    tell(id, 'success', { uuid: packet.uuid, name: packet.username, properties: packet.properties ?? [] })
  })
  client.on('add_resource_pack', (packet) => {
    tell(id, 'resource_pack', { uuid: packet.uuid, url: packet.url, hash: packet.hash, forced: packet.forced })
    for (const result of order.packs ?? []) client.write('resource_pack_receive', { uuid: packet.uuid, result })
  })
  client.on('keep_alive', () => tell(id, 'keep_alive'))
  client.on('transfer', (packet) => {
    tell(id, 'transfer', { host: packet.host, port: packet.port })
    client.end('transferred')
  })
  for (const name of ['disconnect', 'kick_disconnect']) {
    client.on(name, (packet) => {
      tell(id, 'disconnect', { state: client.state, ...reasonOf(packet.reason) })
    })
  }
  client.on('playerJoin', () => {
    tell(id, 'playing')
    if (!order.play) client.end('seen enough')
  })
  if (order.play) play(id, client, order, data)
  client.on('error', (error) => tell(id, 'error', { message: error.message }))
  client.on('end', (reason) => tell(id, 'end', { reason }))
}

/** The players who are in a world, by the ids of their joins. */
const players = new Map()

/** Has a player play in a world: see what is there, say something, and exchange packets. */
function play (id, client, { chats = [], play: order }, data) {
  const seen = new Seen(data)
  client.on('packet', (packet, { name, state }) => {
    const told = seen.told(state, name, packet)
    if (!told) return
    const [event, fields] = told
    const wire = { encrypted: client.cipher !== null, threshold: client.compressor?.compressionThreshold ?? null }
    tell(id, event, event === 'joined' ? { ...fields, ...wire } : fields)
  })
  const exchange = new Exchange(client, order, (event, fields) => {
    tell(id, event, fields)
    if (event === 'played' && !order.stay) client.end('played')
  })
  const say = (text) => client.chat(text)
  client.once('position', () => chats.forEach(say))
  players.set(id, {
    more: (packets) => exchange.more(packets),
    leave: () => client.end('left'),
    say,
    complete: (text) => client.write('tab_complete', { transactionId: 1, text, assumeCommand: false })
  })
  client.on('end', () => {
    players.delete(id)
    tell(id, 'exchanged', { marks: exchange.marks, troubles: exchange.troubles })
  })
}

async function ping (id, order) {
  try {
    const { latency, ...document } = await mc.ping({ ...order, closeTimeout: 10_000 })
    tell(id, 'status', { document, latency: latency ?? null })
  } catch (error) {
    tell(id, 'error', { message: error.message })
  }
  tell(id, 'end')
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, join: joining, ping: pinging, ...order } = JSON.parse(line)
  try {
    if (joining) join(id, joining)
    if (pinging) ping(id, pinging)
    for (const what of ['more', 'leave', 'say', 'complete']) {
      if (order[what]) players.get(id)?.[what](order[what])
    }
    if (order.versions) {
      tell(id, 'versions', { versions: versions() })
      tell(id, 'end')
    }
  } catch (error) {
    tell(id, 'error', { message: error.message })
    tell(id, 'end')
  }
}).on('close', () => process.exit(0))
