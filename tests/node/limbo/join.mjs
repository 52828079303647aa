// Has a real player, mineflayer, join the limbos of all releases that it speaks, at a server that says nothing but their
// bytes: it must spawn, stand on a floor that it sees, and stand there still after switching to another world.
//
//   node limbo/join.mjs ../../crates/limbo/data/worlds.bin [PROTOCOL…]

import { once } from 'node:events'
import mc from 'minecraft-protocol'
import { tour, unjudged } from './stander.mjs'
import { worlds } from './worlds.mjs'

const [file, ...wanted] = process.argv.slice(2)

/** A server of one release that puts everybody into the world `hub`, and at a word of theirs into `island`. */
function serve (world) {
  const server = mc.createServer({ version: world.version, port: 0, host: '127.0.0.1', 'online-mode': false, hideErrors: true })
  const send = (client, bodies, name) => bodies.forEach((body) => client.writeRaw(body({ entity: 77, name })))
  const bring = (client, login, name) => {
    send(client, login, name)
    send(client, world.rest, name)
  }
  const configure = (client, name, then) => {
    client.state = mc.states.CONFIGURATION
    send(client, world.configuration, name)
    client.once('finish_configuration', () => {
      client.state = mc.states.PLAY
      then()
    })
    client.write('finish_configuration', {})
  }
  server.on('login', (client) => {
    client.on('error', () => {})
    const switching = () => {
      if (world.protocol < 764) return bring(client, world.switching, 'drawbridge:island')
      client.once('configuration_acknowledged', () => configure(client, 'drawbridge:island', () => bring(client, world.switching, 'drawbridge:island')))
      client.write('start_configuration', {})
    }
    client.on(world.protocol < 759 ? 'chat' : 'chat_message', switching)
    if (world.protocol < 764) return
    client.removeAllListeners('login_acknowledged')
    client.once('login_acknowledged', () => configure(client, 'drawbridge:hub', () => bring(client, world.first, 'drawbridge:hub')))
  })
  if (world.protocol < 764) server.on('playerJoin', (client) => bring(client, world.first, 'drawbridge:hub'))
  return server
}

async function join (world) {
  const server = serve(world)
  await once(server, 'listening')
  const { port } = server.socketServer.address()
  try {
    return (await tour(world, { host: '127.0.0.1', port }, ['island'])).join('; then ')
  } finally {
    server.close()
  }
}

let failures = 0
for (const world of worlds(file)) {
  if (wanted.length > 0 && !wanted.includes(String(world.protocol))) continue
  const why = unjudged(world)
  if (why) {
    console.log(`${world.protocol} (${world.version}): ${why}`)
    continue
  }
  try {
    console.log(`${world.protocol} (${world.version}): ${await join(world)}`)
  } catch (error) {
    failures++
    console.log(`${world.protocol} (${world.version}) FAILED: ${error.message}`)
  }
}
process.exit(failures === 0 ? 0 : 1)
