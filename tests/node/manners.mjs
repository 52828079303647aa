// What vanilla's client does and node-minecraft-protocol's leaves to others, or does otherwise.

import { brandPacket } from './packets.mjs'

/** Client Information, in the fields of all versions. */
const settings = (locale) => ({
  locale,
  viewDistance: 10,
  chatFlags: 0,
  chatColors: true,
  skinParts: 127,
  mainHand: 1,
  difficulty: 1,
  showCape: true,
  disableTextFiltering: true,
  enableTextFiltering: false,
  enableServerListing: true
})

export function behave (client, { locale = 'en_us', brand = 'vanilla', mods }, data) {
  const isConfigured = data.supportFeature('hasConfigurationState')
  let introduced = false
  const introduce = () => {
    client.write('custom_payload', brandPacket(data, brand))
    introduced = true
  }

  // Since 1.20.2 it says its brand and its settings once, in the first configuration; the library says its settings in each.
  const write = client.write
  client.write = function (name, fields) {
    if (name === 'settings' && isConfigured) {
      if (introduced) return
      introduce()
    }
    write.call(client, name, fields)
  }
  // Before, it says both whenever it joins a world.
  client.on('login', () => {
    if (isConfigured) return
    client.write('settings', settings(locale))
    introduce()
  })

  // It knows nothing that a server's mods would ask, but for the mods it has.
  client.removeAllListeners('login_plugin_request')
  client.on('login_plugin_request', ({ messageId, channel }) => {
    const answer = mods?.[channel]
    client.write('login_plugin_response', { messageId, data: answer === undefined ? undefined : Buffer.from(answer) })
  })

  // An answer that wasn't called for in one configuration would be given twice in the next.
  client.on('state', (state) => {
    if (state !== 'play') return
    for (const name of ['select_known_packs', 'code_of_conduct']) client.removeAllListeners(name)
  })

  const hasLoaded = data.protocol.play.toServer.types.packet_player_loaded !== undefined
  let loaded = false
  client.on('login', () => { loaded = false })
  client.on('position', ({ teleportId, x, y, z, yaw, pitch }) => {
    if (teleportId !== undefined) client.write('teleport_confirm', { teleportId })
    client.write('position_look', { x, y, z, stance: y + 1.62, yaw, pitch, onGround: false, flags: { _value: 0 } })
    if (hasLoaded && !loaded) client.write('player_loaded', {})
    loaded = true
  })
  client.on('chunk_batch_finished', () => client.write('chunk_batch_received', { chunksPerTick: 25 }))
}
