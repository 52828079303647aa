// Which packets bring a player into a limbo, in which order, with which fields.

import { chunks, FLOOR } from './chunks.mjs'
import { codec, dimension, registries, tags } from './registries.mjs'

/** Stand in the fields for what differs between players and worlds; they can't be mistaken for anything else. */
export const ENTITY = 0x5ca1ab1e
export const NAME = 'drawbridge:~limbo~'

const ADVENTURE = 2
const NOON = 6000
/** As servers have it: below four, clients draw no sky. */
const VIEW = 10

/** Since 1.20.2, all but the end of configuration. */
export function configuration ({ protocol, version }) {
  if (protocol < 764) return []
  const packets = [['feature_flags', { features: ['minecraft:vanilla'] }]]
  if (protocol < 766) {
    packets.push(['registry_data', { codec: codec(version) }])
  } else {
    for (const registry of registries(version, protocol)) packets.push(['registry_data', registry])
  }
  const needed = tags(protocol)
  if (needed) packets.push(['tags', { tags: needed }])
  return packets
}

/** Join Game into dimension `place`, which is a number up to 1.15.2. */
function join ({ protocol, version }, place = 0) {
  const spawn = { hashedSeed: [0, 0], isDebug: false, isFlat: true, death: undefined, portalCooldown: 0 }
  return ['login', {
    entityId: ENTITY,
    isHardcore: false,
    gameMode: ADVENTURE,
    previousGameMode: protocol < 755 ? 255 : -1,
    worldNames: [NAME],
    dimensionCodec: protocol >= 735 && protocol < 764 ? codec(version) : undefined,
    dimension: protocol < 735 ? place : protocol < 751 ? 'minecraft:overworld' : protocol < 759 ? dimension(version) : undefined,
    worldType: 'minecraft:overworld',
    worldName: NAME,
    difficulty: 0,
    levelType: 'flat',
    maxPlayers: 20,
    viewDistance: VIEW,
    simulationDistance: VIEW,
    reducedDebugInfo: false,
    enableRespawnScreen: true,
    doLimitedCrafting: false,
    ...spawn,
    worldState: { dimension: 0, name: NAME, gamemode: 'adventure', previousGamemode: 255, seaLevel: 0, ...spawn },
    // Nothing here is signed, but who says so has the client show a warning to each player.
    enforcesSecureChat: true
  }]
}

function respawn ({ protocol, version }) {
  return ['respawn', {
    dimension: protocol < 735 ? 0 : protocol < 751 || protocol >= 759 ? 'minecraft:overworld' : dimension(version),
    worldName: NAME,
    hashedSeed: [0, 0],
    difficulty: 0,
    gamemode: ADVENTURE,
    previousGamemode: 255,
    levelType: 'flat',
    isDebug: false,
    isFlat: true,
    copyMetadata: false,
    death: undefined,
    portalCooldown: 0
  }]
}

/** What a player who comes from nowhere is sent first. */
export const first = (release) => [join(release)]

/**
 * What a player who comes from another server is sent first. Up to 1.20.1 the client keeps what it had unless it changes worlds:
 * it is told to join, up to 1.15.2 in another dimension than the one it then respawns in. Since 1.20.2 configuration has cleared it.
 */
export function switching (release) {
  const { protocol } = release
  if (protocol >= 764) return first(release)
  return [join(release, -1), respawn(release)]
}

/** What everybody is sent then. */
export function rest (release) {
  const { protocol } = release
  const packets = []
  // 1.19.3 to 1.20.1 have features and no configuration.
  if (protocol >= 761 && protocol < 764) packets.push(['feature_flags', { features: ['minecraft:vanilla'] }])
  packets.push(['abilities', { flags: 1, flyingSpeed: Math.fround(0.05), walkingSpeed: Math.fround(0.1) }])
  const location = { x: 8, y: FLOOR + 1, z: 8 }
  packets.push(['spawn_position', { location, angle: 0, globalPos: { dimensionName: NAME, location }, yaw: 0, pitch: 0 }])
  packets.push(['update_time', time(protocol)])
  packets.push(['update_health', { health: 20, food: 20, foodSaturation: 5 }])
  const position = ['position', {
    teleportId: 1,
    x: 8.5,
    // 1.7 is told where the eyes are.
    y: FLOOR + 1 + (protocol < 47 ? 1.62 : 0),
    z: 8.5,
    dx: 0,
    dy: 0,
    dz: 0,
    yaw: 0,
    pitch: 0,
    flags: protocol < 766 ? 0 : {},
    onGround: false,
    dismountVehicle: false
  }]
  // What is beneath comes before who would fall; since 1.20.3 the client waits for it of itself.
  if (protocol >= 765) packets.push(position, ['game_state_change', { reason: 'level_chunks_load_start', gameMode: 0 }])
  if (protocol >= 477) packets.push(['update_view_position', { chunkX: 0, chunkZ: 0 }])
  const ground = chunks(release)
  if (protocol >= 764) ground.unshift(['chunk_batch_start', {}])
  if (protocol >= 764) ground.push(['chunk_batch_finished', { batchSize: ground.length - 1 }])
  packets.push(...ground)
  if (protocol < 765) packets.push(position)
  return packets
}

/** Noon for ever: a negative time stands still up to 1.21.1, later it is said. */
function time (protocol) {
  return {
    age: [0, 0],
    time: protocol < 768 ? [-1, -NOON] : [0, NOON],
    tickDayTime: false,
    clockUpdates: [{ id: 0, totalTicks: NOON, partialTick: 0, rate: 0 }]
  }
}
