// What servers made with node-minecraft-protocol need to authenticate players in tests.

import { generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const yggdrasil = require('yggdrasil')
const NodeRSA = require('node-rsa')

// A server would make its own in plain JavaScript, which takes seconds.
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 1024,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' }
})

/** A key for servers. */
export const serverKey = new NodeRSA(privateKey)

/** Lets servers made from now on ask this session server instead of Mojang's. */
export function ask (sessionServer) {
  const server = yggdrasil.server
  yggdrasil.server = (options) => server({ ...options, host: sessionServer })
}
